"""The champion between two rounds: what takes each further label in a blink."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from loops.predictors.in_turn import in_turn
from loops.predictors.predictor import Floats, Ids, Instant, Questions

if TYPE_CHECKING:
    from loops.predictors.champion import Champion

LOOKED_AT = 20_000  # samples in which the answer that is least sure is sought between two rounds


class InstantChampion:
    """The champion between two rounds: its first member takes each label, the others' answers of the round stand."""

    def __init__(self, champion: Champion, first: Instant, round_number: int) -> None:
        self._champion, self._first, self._round_number = champion, first, round_number
        self._labels = 0
        self._ids = np.empty(0, np.int64)  # of samples that the others have answered, ascending
        self._said_O_N_C = np.empty((len(champion.others), 0, champion.num_classes), np.float32)
        self._part: Ids | None = None
        self.asks_of_whole_pool = first.asks_of_whole_pool

    def refit(self, labels: Mapping[int, int]) -> None:
        """Takes all labels, those of the round and those since."""
        self._first.refit(labels)
        self._labels = len(labels)

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`."""
        ids = np.asarray(sample_ids, np.int64).reshape(-1)
        return self._champion.mixed([self._first.predict(ids), *self._of_others(ids)])

    def draws(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities of K draws, `probs_N_C_K`: those of the round."""
        return self._champion.draws(sample_ids, count=self._champion.mc_iterations, round_number=self._round_number)

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        """As the champion asks, with what the labels since the round have changed."""
        covering = self._first.questions(sample_ids, size, coverage=coverage)
        if covering is None or coverage or not self._champion.takes_turns:
            return covering
        looked_at = self._looked_at(sample_ids)
        return in_turn(covering, looked_at, self.predict(looked_at), size, doubt_first=self._labels % 2 == 1)

    def _looked_at(self, sample_ids: Ids) -> Ids:
        """Those in which doubt is sought: of a large pool a part, always the same one, as the others answer slowly."""
        if self._part is None:
            drawn = np.random.default_rng(self._champion.seed).permutation(len(sample_ids))[:LOOKED_AT]
            self._part = sample_ids[np.sort(drawn)]
        return sample_ids[np.isin(sample_ids, self._part)] if len(sample_ids) > LOOKED_AT else sample_ids

    def _of_others(self, ids: Ids) -> Floats:
        """Of each of the O others, `said_O_N_C`; each sample is asked about once."""
        if not len(self._said_O_N_C):
            return self._said_O_N_C
        places = np.searchsorted(self._ids, ids)
        is_new = self._ids.take(places, mode="clip") != ids if len(self._ids) else np.ones(len(ids), np.bool_)
        if is_new.any():
            new = np.unique(ids[is_new])
            said = np.stack([member.predict(new) for member in self._champion.others])
            order = np.argsort(np.concatenate([self._ids, new]), kind="stable")
            self._ids = np.concatenate([self._ids, new])[order]
            self._said_O_N_C = np.concatenate([self._said_O_N_C, said], axis=1)[:, order]
            places = np.searchsorted(self._ids, ids)
        return self._said_O_N_C[:, places]


class InstantOfOthers:
    """The champion between two rounds, once its first member has no say: that one only asks for what is not covered."""

    asks_of_whole_pool = False

    def __init__(self, first: Instant, answering: Instant) -> None:
        self._first, self._answering = first, answering

    def refit(self, labels: Mapping[int, int]) -> None:
        """Takes all labels, those of the round and those since."""
        self._first.refit(labels)
        self._answering.refit(labels)

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`."""
        return self._answering.predict(sample_ids)

    def draws(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities of K draws, `probs_N_C_K`."""
        return self._answering.draws(sample_ids)

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        """Those of the first member where coverage is asked for; otherwise an acquisition function decides."""
        return self._first.questions(sample_ids, size, coverage=True) if coverage else None
