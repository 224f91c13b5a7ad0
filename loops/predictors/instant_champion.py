"""The champion between two rounds: what takes each further label in a blink."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from loops.predictors.predictor import Floats, Ids, Instant, Questions

if TYPE_CHECKING:
    from loops.predictors.champion import Champion


class InstantChampion:
    """The champion between two rounds: its first member takes each label, the others' answers of the round stand."""

    def __init__(self, champion: Champion, first: Instant, round_number: int) -> None:
        self._champion, self._first, self._round_number = champion, first, round_number
        self._said: dict[int, list[Floats]] = {}  # by sample id: the others' answers, which do not change
        self.asks_of_whole_pool = first.asks_of_whole_pool

    def refit(self, labels: Mapping[int, int]) -> None:
        """Takes all labels, those of the round and those since."""
        self._first.refit(labels)

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`."""
        ids = np.asarray(sample_ids, np.int64).reshape(-1)
        others = self._of_others(ids)
        return self._champion.mixed([self._first.predict(ids), *others])

    def draws(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities of K draws, `probs_N_C_K`: those of the round."""
        return self._champion.draws(sample_ids, count=self._champion.mc_iterations, round_number=self._round_number)

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        """As the first member asks."""
        return self._first.questions(sample_ids, size, coverage=coverage)

    def _of_others(self, ids: Ids) -> list[Floats]:
        new = np.array([sample_id for sample_id in ids.tolist() if sample_id not in self._said], np.int64)
        others = self._champion.others
        if len(new):
            answers = [member.predict(new) for member in others]
            self._said.update((sample_id, [one[k] for one in answers]) for k, sample_id in enumerate(new.tolist()))
        empty = np.empty((0, self._champion.num_classes), np.float32)
        return [
            np.stack([self._said[sample_id][place] for sample_id in ids.tolist()]) if len(ids) else empty
            for place in range(len(others))
        ]


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
