"""Two predictors and one answer: labels spread over the graph at first, the network once it is measurably better.

Both learn from every label. Who answers and asks is decided by evidence, in each round; see `verdict`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from loops.checkpoint import SavedCheckpoint
from loops.embeddings.graph_choice import COMPUTED_FIRST
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.graph_review import review_choice
from loops.errors import NotEnoughSamplesError
from loops.folds import assign_folds, duplicate_groups
from loops.kfold import CrossValidation
from loops.oracle import Answers, PoolScores, RankedSample
from loops.predictors.in_force import GROWTH, SURE, InForce, verdict
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec
from loops.seeding import seed_of

GRAPHED = ("auto", "typical")  # acquisition functions that ask by the graph
FEWEST_TO_COMPARE = 30  # labels
_SMALL_SHARE = 0.1  # of the pool, labeled
_STATE = "graph_learner"


@dataclass(frozen=True)
class _Comparison:
    """How network and graph are compared."""

    folds: int
    growth: float  # of the number of labels, until it is done again
    sure: float  # standard errors of the lead that it takes


_LARGE_POOL = _Comparison(folds=3, growth=GROWTH, sure=SURE)
# What the graph has before the network is where all the unlabeled lie: of a small pool, that is little. So any lead
# counts there, and it is looked for sooner, with networks that have seen more of the labels.
_SMALL_POOL = _Comparison(folds=5, growth=1.2, sure=0.0)


class GraphLearner:
    """Stands in a predictor's place: fits it and the graph on the same labels, and answers with the better one.

    Args:
        make: Makes a predictor: of a fold, or for None the round's own.
        acquisition: `auto` or `typical`.
        seed: Of graph, folds and ties.
    """

    def __init__(self, make: Callable[[int | None], Network], *, acquisition: str, seed: int) -> None:
        self.predictor = make(None)
        self.in_force = InForce()
        self._make, self._acquisition, self._seed = make, acquisition, seed
        self._graph: GraphOfPool | None = None
        self._labels: dict[int, int] = {}
        self._reviewed_at = 0  # labels

    @property
    def spec(self) -> NetworkSpec:
        """Of the network."""
        return self.predictor.spec

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Fits the network on all labels, and compares when there are so many more than at the last comparison."""
        self.predictor.fit(labels, round_number=round_number, checkpoint_dir=checkpoint_dir)
        self._labels = dict(labels)
        if self._acquisition != "auto" or not self._is_due(_SMALL_POOL):
            return
        is_small = len(labels) >= _SMALL_SHARE * len(self.graph(labels).stored.ids)
        how = _SMALL_POOL if is_small else _LARGE_POOL
        if self._is_due(how):
            self.in_force = replace(self._compare(labels, round_number, how), compared_at=len(labels))

    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities of the predictor in force, `probs_N_C`."""
        if self.in_force.network:
            return self.predictor.predict(sample_ids)
        return self.graph(self._labels).probs(np.asarray(sample_ids, np.int64))

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """The network's scores and draws, and those that are asked by; predictions are of the predictor in force."""
        pool_scores = self.predictor.score(sample_ids, round_number=round_number)
        if self.in_force.network:
            pool_scores.scores[self._acquisition] = pool_scores.scores[self.spec.acquisition]
            return pool_scores
        graph = self.graph(self._labels, pool=pool_scores.sample_ids)
        pool_scores.scores[self._acquisition] = graph.scores(pool_scores.sample_ids)
        return replace(pool_scores, probs_N_C=graph.probs(pool_scores.sample_ids))

    def review(self, labels: Mapping[int, int]) -> None:
        """Looks again in which embedding neighbors are looked for, and takes what was chosen.

        Args:
            labels: Sample id -> class index.
        """
        store, self._reviewed_at = self.predictor.store, len(labels)
        chosen = review_choice(store, labels, num_classes=self.predictor.num_classes, seed=self._seed)
        if self._graph is not None and not self._graph.takes(chosen):
            self._graph = None

    def review_first(self, labels: Mapping[int, int]) -> bool:
        """Reviews when the first labels are there, in the middle of a round too; whether it did."""
        is_due = self._reviewed_at < COMPUTED_FIRST <= len(labels)
        if is_due:
            self.review(labels)
        return is_due

    def graph(self, labels: Mapping[int, int], *, pool: ArrayLike = ()) -> GraphOfPool:
        """The graph with these labels spread over it.

        Args:
            labels: Sample id -> class index; of a negative class: on the graph, without a label.
            pool: Further samples that are to be on it.
        """
        if self._graph is None:
            self._graph = GraphOfPool(
                self.predictor.store,
                num_classes=self.predictor.num_classes,
                adaptive=self._acquisition == "auto",
                seed=self._seed,
            )
        self._graph.hold(np.concatenate([np.fromiter(labels, np.int64, len(labels)), np.asarray(pool, np.int64)]))
        self._graph.refit({sample_id: label for sample_id, label in labels.items() if label >= 0})
        return self._graph

    def ranking(self, answers: Answers, size: int) -> list[RankedSample] | None:
        """What to ask next by the graph; None where the network asks."""
        if self.in_force.network or not len(answers.pool):
            return None
        graph = self.graph(answers.labels, pool=np.concatenate([answers.pool, answers.audit_pool]))
        ranked, scores = graph.rank(answers.pool, size)
        return [
            RankedSample(sample_id, "train", score, 1.0)
            for sample_id, score in zip(ranked.tolist(), scores.tolist(), strict=True)
        ]

    def cross_validate(self, labels: Mapping[int, int], *, num_folds: int) -> CrossValidation:
        """Each label predicted by the graph from the labels of other folds; samples with equal rows are in one fold.

        Args:
            labels: Sample id -> class index.
            num_folds: At most; see `assign_folds`.

        Raises:
            NotEnoughSamplesError: If the labels cannot be split.
        """
        sample_ids = np.array(sorted(labels), np.int64)
        groups = duplicate_groups(sample_ids.tolist(), self.embedding(sample_ids))
        fold_of = assign_folds(labels, num_folds=num_folds, groups=groups, seed=self._seed)
        return CrossValidation(
            sample_ids=sample_ids,
            labels_N=np.array([labels[i] for i in sample_ids.tolist()], np.int64),
            folds_N=np.array([fold_of[i] for i in sample_ids.tolist()], np.int64),
            probs_N_C=self.graph(labels).out_of_fold(labels, fold_of),
        )

    def draw(self, sample_ids: ArrayLike, *, round_number: int, mc_iterations: int) -> NDArray[np.float32]:
        """The network's answers under K masks."""
        return self.predictor.draw(sample_ids, round_number=round_number, mc_iterations=mc_iterations)

    def penultimate(self, sample_ids: ArrayLike) -> tuple[NDArray[np.float32], nn.Sequential]:
        """What the network's last layer sees, and that layer."""
        return self.predictor.penultimate(sample_ids)

    def embedding(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """The stored rows, flattened."""
        return self.predictor.embedding(sample_ids)

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes the network; and with the loop's state which predictor is in force, and what both were fitted on."""
        labels = torch.tensor(sorted(self._labels.items()), dtype=torch.long).reshape(-1, 2)
        return self.predictor.save(path, {**loop_state, _STATE: {**self.in_force.as_dict(), "labels": labels}})

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Loads what `save` wrote; a checkpoint of the network alone leaves the graph in force."""
        loop_state = self.predictor.load(path, sha256=sha256, size=size)
        state = loop_state.pop(_STATE, None)
        if state is not None:
            self._labels = dict(state.pop("labels").tolist())
            self.in_force = InForce(**state)
        return loop_state

    def _is_due(self, how: _Comparison) -> bool:
        return self.in_force.is_due(len(self._labels), FEWEST_TO_COMPARE, how.growth)

    def _compare(self, labels: Mapping[int, int], round_number: int, how: _Comparison) -> InForce:
        """Each label predicted by both, out of fold."""
        try:
            fold_of = assign_folds(labels, num_folds=how.folds, seed=seed_of(self._seed, "in force", round_number))
        except NotEnoughSamplesError:
            return self.in_force
        sample_ids = sorted(labels)
        graph = self.graph(labels)
        return verdict(
            truth=np.array([labels[i] for i in sample_ids]),
            network=self._network_out_of_fold(labels, fold_of, round_number),
            graph=graph.out_of_fold(labels, fold_of).argmax(1),
            weight=graph.shares(sample_ids, sample_ids),
            sure=how.sure,
        )

    def _network_out_of_fold(
        self, labels: Mapping[int, int], fold_of: Mapping[int, int], round_number: int
    ) -> NDArray[np.int64]:
        """Classes of the labeled samples, in ascending order of ids."""
        answers: dict[int, int] = {}
        for fold in sorted(set(fold_of.values())):
            member = self._make(fold)
            member.fit({i: label for i, label in labels.items() if fold_of[i] != fold}, round_number=round_number)
            held_out = [i for i, of_sample in fold_of.items() if of_sample == fold]
            answers.update(zip(held_out, member.predict(held_out).argmax(1).tolist(), strict=True))
        return np.array([answers[i] for i in sorted(answers)], np.int64)
