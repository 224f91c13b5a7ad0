"""The champion: several predictors and one answer, in which each counts for what held-out labels say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from loops.checkpoint import SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.cross_validation import CrossValidation
from loops.errors import CheckpointDamagedError, CheckpointMismatchError, NotEnoughSamplesError
from loops.evaluation.comparison import GROWTH, is_due
from loops.oracle import PoolScores
from loops.predictors.as_module import mean_of
from loops.predictors.calibration import sharpened
from loops.predictors.committee import Committee
from loops.predictors.in_turn import in_turn
from loops.predictors.instant_champion import InstantChampion, InstantOfOthers
from loops.predictors.predictor import Description, Floats, Ids, Instant, Predictor, Questions
from loops.predictors.saved import load_members, saved_members
from loops.predictors.weighing import Weights, weighed, weighted_mean

NAME = "champion"
FEWEST_TO_WEIGH = 10  # labels; below them the first member answers alone
COMMITTEE_FROM = 30  # labels; below them a network learns too little for the time of its fit
COMMITTEE_UP_TO = 500  # labels; beyond them one model of a kind is as good as five, and its fit takes long
NUM_FOLDS = 5


class Champion(Predictor):
    """Answers with the mean of its members' answers, weighed by labels that were held from them.

    Weighing replaces a switch from one to the other: in pools of a few hundred samples the held-out labels are too few
    to see which is better, and the mean of two that err in different places is better than either. See
    docs/decisions/0026-one-house.md.

    The first member learns in a blink and answers alone until there are labels enough to weigh by. Quick ones join it
    then. The others' fits take seconds: they join later, and of each a committee answers while labels are few, whose
    fit is a cross-validation, so the evidence costs nothing more.

    Args:
        first: Answers from the first label on, such as the graph.
        others: Their committees join in.
        quick: Learn in milliseconds, such as a linear model.
        takes_turns: Whether every other question is where the answer is least sure, once the first is not alone.
    """

    def __init__(
        self,
        first: Predictor,
        others: Sequence[Predictor],
        quick: Sequence[Predictor] = (),
        *,
        takes_turns: bool = False,
    ) -> None:
        # Not of the store: a member need not have one.
        self.num_classes, self.seed, self.mc_iterations = first.num_classes, first.seed, first.mc_iterations
        self._first, self._quick, self._others = first, tuple(quick), tuple(others)
        self._team: tuple[Predictor, ...] = (first, *quick, *others)
        self._weights = Weights.of_the_first(len(self._team))
        self._labels: dict[int, int] = {}
        self._may_weigh, self._takes_turns = True, takes_turns

    @property
    def weights(self) -> Weights:
        """As they stand now."""
        return self._weights

    @property
    def fingerprint(self) -> str:
        """A text that tells members and weights, rounded, from others."""
        weights = [round(weight, 1) for weight in self._weights.weights]
        return repr((NAME, weights, [member.fingerprint for member in (self._first, *self._quick, *self._others)]))

    @property
    def asks_itself(self) -> bool:
        """Whether the first member has a say, and questions of its own."""
        return self._first.asks_itself and self._weights.weights[0] > 0

    @property
    def answers_without_labels(self) -> bool:
        """As the first member does."""
        return self._first.answers_without_labels

    @property
    def others(self) -> list[Predictor]:
        """The members beside the first that have a say."""
        return [member for member, weight in zip(self._team[1:], self._weights.weights[1:], strict=True) if weight]

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Fits whoever has a say on all labels, and weighs anew when there are so many more than the last time."""
        self._labels = dict(labels)
        due = self._may_weigh and is_due(
            len(labels), compared_at=self._weights.weighed_at, fewest=FEWEST_TO_WEIGH, growth=self._growth
        )
        team = (self._first, *self._quick, *(self._of_a_kind(other) for other in self._others))
        joined = self._joined(len(labels))
        for place, member in reversed(list(enumerate(team))):  # who learns in a blink last: a fit may be interrupted
            if place == 0 or (due and place < joined) or self._weights.weights[place]:
                folder = None if checkpoint_dir is None else checkpoint_dir / f"member-{place}"
                member.fit(labels, round_number=round_number, checkpoint_dir=folder)
        self._team = team
        if due:
            self._weigh(round_number)

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`: the weighted mean of the members', as sure as held-out labels allow."""
        return self.mixed([member.predict(sample_ids) for member, _ in self._answering])

    def draws(self, sample_ids: ArrayLike, *, count: int, round_number: int) -> Floats:
        """Draw k is the weighted mean of the members' draws k, `probs_N_C_K`.

        They stay as they are, however sure the answer is: BALD asks for outliers where sharp draws disagree.
        """

        def k_draws(member: Predictor) -> Floats:
            drawn = member.draws(sample_ids, count=count, round_number=round_number)
            return drawn[..., np.arange(count) % drawn.shape[-1]]  # a bagged committee has as many as it has members

        return weighted_mean(
            [k_draws(member) for member, _ in self._answering], [weight for _, weight in self._answering]
        )

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """From the draws; where one member answers alone and as it is, as that one does it best."""
        alone = self._alone
        if alone is not None and self._weights.sharpness == 1.0:
            return alone.score(sample_ids, round_number=round_number)
        return super().score(sample_ids, round_number=round_number)

    def describe(self) -> Description:
        """Which members answer, with which weights, and why."""
        described = [member.describe() for member in self._team]
        names = [one.name for one in described]
        asks_by = next((one.asks_by for one in reversed(described[1:])), described[0].asks_by)
        details = f"{self._weights.figures(names)} {described[0].details}".strip()
        by_name = dict(zip(names, self._weights.weights, strict=True))
        sentence = self._weights.sentence(names) or described[0].sentence
        return Description(NAME, sentence, details, asks_by=asks_by, weights=by_name)

    def as_module(self) -> nn.Module | None:
        """The weighted mean of the members that have a say; None where one of them is no module."""
        modules = [member.as_module() for member, _ in self._answering]
        return mean_of(modules, [weight for _, weight in self._answering], self._weights.sharpness)

    def fresh(self, fold: int | None = None) -> Champion:
        """One with the same weights that has learned nothing: it is compared on labels, and does not weigh anew."""
        quick = [member.fresh(fold) for member in self._quick]
        others = [other.fresh(fold) for other in self._others]
        fresh = Champion(self._first.fresh(fold), others, quick, takes_turns=self._takes_turns)
        fresh._weights, fresh._may_weigh = self._weights, False
        return fresh

    def embedding(self, sample_ids: ArrayLike) -> Floats:
        """As the first member has it."""
        return self._first.embedding(sample_ids)

    def features(self, sample_ids: ArrayLike) -> Floats:
        """As the member with the greatest weight has it."""
        return self._heaviest.features(sample_ids)

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        """As the first member asks while it has a say; None once the others answer alone."""
        if not self.asks_itself and not coverage:
            return None
        covering = self._first.questions(sample_ids, size, coverage=coverage)
        if covering is None or coverage or not self.takes_turns:
            return covering
        doubt_first = len(self._labels) % 2 == 1
        return in_turn(covering, sample_ids, self.predict(sample_ids), size, doubt_first=doubt_first)

    @property
    def takes_turns(self) -> bool:
        """Whether every other question is where the answer is least sure: if wanted, and another has a say."""
        return self._takes_turns and self._weights.weights[0] < 1.0

    def gains(self, sample_ids: Ids) -> Floats:
        """As the first member has it."""
        return self._first.gains(sample_ids)

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> Instant | None:
        """The first member takes further labels; the others' answers of the round stand beside it until the next.

        Once the first has no say, the member that counts most takes them; where it cannot, the order stays.
        """
        first = self._first.instant(sample_ids, round_number=round_number)
        if self._weights.weights[0]:
            return None if first is None else InstantChampion(self, first, round_number)
        heaviest = self._heaviest.instant(sample_ids, round_number=round_number)
        return None if first is None or heaviest is None else InstantOfOthers(first, heaviest)

    def review(self, labels: Mapping[int, int], *, pool: Ids, begins: bool) -> None:
        """The first member looks again."""
        self._first.review(labels, pool=pool, begins=begins)

    def pool_shares(self, labeled: Ids) -> Floats:
        """As the first member has it."""
        return self._first.pool_shares(labeled)

    def cross_validate(
        self, labels: Mapping[int, int], *, num_folds: int, round_number: int = 0, folder: Path | None = None
    ) -> CrossValidation:
        """The members' out-of-fold answers, with today's weights."""
        found = [
            member.cross_validate(labels, num_folds=num_folds, round_number=round_number, folder=folder)
            for member, _ in self._answering
        ]
        return replace(found[0], probs_N_C=self.mixed([one.probs_N_C for one in found]))

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes the members that have a say, and their weights."""
        names = " and ".join(member.describe().name for member in self._team)
        checkpoint = {
            "learner": {"backbone": f"a champion of {names}", "num_classes": self.num_classes},
            "state_dict": {},
            "champion": asdict(self._weights),
            "labels": torch.tensor(sorted(self._labels.items()), dtype=torch.long).reshape(-1, 2),
            "answering": saved_members([member for member, _ in self._answering]),
            "active_learning_loop": loop_state,
        }
        return write_checkpoint(checkpoint, path)

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Loads what `save` wrote."""
        checkpoint = read_checkpoint(path, sha256=sha256, size=size)
        if "champion" not in checkpoint:
            raise CheckpointMismatchError(path, "a champion wanted, a single predictor found")
        try:
            weights = Weights.of_saved(checkpoint["champion"])
            labels, saved = dict(checkpoint["labels"].tolist()), checkpoint["answering"]
            loop_state: dict[str, Any] = checkpoint["active_learning_loop"]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointDamagedError(path, "it holds no champion of ours") from error
        if len(weights.weights) != len(self._team):
            raise CheckpointMismatchError(path, f"{len(self._team)} members wanted, {len(weights.weights)} found")
        self._take(weights, labels, saved, path.name)
        return loop_state

    def _take(self, weights: Weights, labels: dict[int, int], saved: Sequence[dict[str, Any]], name: str) -> None:
        """Loads the members into new ones, so that a file that does not fit changes nothing."""
        first, quick, others = self._first.fresh(), self._fresh(self._quick), self._fresh(self._others)
        team = (first, *quick, *(self._of_a_kind(other, len(labels)) for other in others))
        load_members([team[place] for place, weight in enumerate(weights.weights) if weight], saved, name)
        if not weights.weights[0]:  # it has no say, but it still knows what is covered
            first.fit(labels, round_number=0)
        self._first, self._quick, self._others, self._team = first, quick, others, team
        self._weights, self._labels = weights, labels

    def _of_a_kind(self, other: Predictor, labels: int | None = None) -> Predictor:
        """The committee of a member while labels are few, and afterwards the member itself."""
        few = (len(self._labels) if labels is None else labels) <= COMMITTEE_UP_TO
        return Committee(other, num_folds=NUM_FOLDS, votes=False) if few and self._may_weigh else other

    def _joined(self, labels: int) -> int:
        """How many members, from the first on, are fitted and weighed with so many labels."""
        return len(self._team) if labels >= COMMITTEE_FROM else 1 + len(self._quick)

    @staticmethod
    def _fresh(members: Sequence[Predictor]) -> tuple[Predictor, ...]:
        return tuple(member.fresh() for member in members)

    @property
    def _growth(self) -> float:
        """A committee's evidence costs nothing, so it is looked at in every round."""
        return 1.0 if len(self._labels) <= COMMITTEE_UP_TO else GROWTH

    @property
    def _answering(self) -> list[tuple[Predictor, float]]:
        """The members that have a say, and their weights."""
        return [(one, weight) for one, weight in zip(self._team, self._weights.weights, strict=True) if weight]

    @property
    def _alone(self) -> Predictor | None:
        """The one member that answers, if it is one."""
        return self._heaviest if max(self._weights.weights) == 1.0 else None

    @property
    def _heaviest(self) -> Predictor:
        return self._team[int(np.argmax(self._weights.weights))]

    def mixed(self, answers: Sequence[Floats]) -> Floats:
        """One of the answers of those that have a say, in their order: the weighted mean, as sharp as it shall be."""
        return sharpened(weighted_mean(answers, [weight for _, weight in self._answering]), self._weights.sharpness)

    def _weigh(self, round_number: int) -> None:
        team = self._team[: self._joined(len(self._labels))]
        try:
            found = [m.cross_validate(self._labels, num_folds=NUM_FOLDS, round_number=round_number) for m in team]
        except NotEnoughSamplesError:
            return  # no class has two labels: what stands, stands
        labels_N, probs_M_N_C = found[0].labels_N, [one.probs_N_C for one in found]
        shares_N = self.pool_shares(found[0].sample_ids)
        self._weights, mixed = weighed(probs_M_N_C, labels_N, shares_N, members=len(self._team))
        self.held_out = replace(found[0], probs_N_C=mixed)
