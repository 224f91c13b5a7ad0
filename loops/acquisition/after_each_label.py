"""What is asked next, decided anew after each label: one policy, for people and for known labels alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.acquisition import catalog
from loops.acquisition.catalog import AcquisitionFunction, ColdStart
from loops.acquisition.choosing import scorer
from loops.acquisition.functions import rank
from loops.predictors.predictor import Floats, Ids, Instant, Predictor
from loops.seeding import seed_of


@dataclass(frozen=True)
class Reranked:
    """Samples in the order in which they should be asked now, and what would be answered for them."""

    sample_ids: Ids  # `[k]`, best first
    scores: Floats  # `[k]`
    probs_k_C: NDArray[np.floating[Any]]


class AfterEachLabel:
    """Ranks what nobody has seen of one round, anew for all labels there are.

    A predictor with questions of its own asks them of the whole pool; otherwise what waits is ordered by the
    acquisition function over the draws of what learns in a blink (`Predictor.instant`). A function that looks at
    samples together keeps the order of its round, and so does a first round that was chosen without a predictor.

    Args:
        predictor: As the round left it.
        acquisition: That the round asks by.
        start: How a first round was chosen.
        round_number: Of the round.
        has_model: Whether the round had labels enough to fit on.
        seed: Of the project, for ties.
    """

    def __init__(
        self,
        predictor: Predictor,
        acquisition: AcquisitionFunction,
        start: ColdStart,
        *,
        round_number: int,
        has_model: bool,
        seed: int,
    ) -> None:
        self._predictor, self._acquisition, self._round_number = predictor, acquisition, round_number
        self._seed = seed_of(seed, "masks", round_number)
        self._begins_itself = acquisition.needs == "graph" and start.asks_by_graph
        self._has_model = has_model
        self._instant: Instant | None = None
        self._given: set[int] = set()  # samples that the instant was made for

    @property
    def may_rank(self) -> bool:
        """Whether anything is ranked between the labels of this round."""
        if not self._has_model:
            return self._begins_itself
        return self._acquisition.needs == "graph" or self._acquisition.scores_one_by_one

    @property
    def asks_of_whole_pool(self) -> bool:
        """Whether the whole pool is ranked; otherwise what waits, which somebody has to fill up."""
        if self._acquisition.needs != "graph":
            return False
        return not self._has_model or self._questions_of_its_own

    def begin(self, labels: Mapping[int, int], *, pool: Ids) -> None:
        """The round was published: what was chosen without labels is looked at again.

        Args:
            labels: Sample id -> class index, to train on.
            pool: All that may be asked, labeled or not.
        """
        self._predictor.review(labels, pool=pool, begins=True)

    def rank(self, labels: Mapping[int, int], candidates: Ids, size: int, *, pool: Ids) -> Reranked | None:
        """Ranks by all labels; None where the order stays.

        Args:
            labels: Sample id -> class index, to train on: those of the round and those since.
            candidates: `[N]`: the undecided pool if `asks_of_whole_pool`, otherwise what waits.
            size: Of the ranking.
            pool: As for `begin`.
        """
        if not self.may_rank or not len(candidates):
            return None
        self._predictor.review(labels, pool=pool, begins=False)
        instant = self._made(labels, candidates)
        if instant is None:
            return None
        instant.refit(labels)
        if self._acquisition.needs == "graph":
            asked = instant.questions(candidates, size, coverage=self._acquisition.coverage)
            if asked is not None:
                return Reranked(asked.sample_ids, asked.scores, instant.predict(asked.sample_ids))
        return self._by_draws(instant, candidates, size)

    def _by_draws(self, instant: Instant, candidates: Ids, size: int) -> Reranked:
        acquisition = self._acquisition
        if acquisition.needs == "graph":
            acquisition = catalog.find(self._predictor.describe().asks_by)
        draws_N_C_K = instant.draws(candidates)
        scores_N = scorer(acquisition)(draws_N_C_K)
        ranked = rank(candidates, scores_N, size, seed=self._seed)
        order = np.argsort(candidates, kind="stable")
        places = order[np.searchsorted(candidates, ranked, sorter=order)]
        return Reranked(ranked, scores_N[places], instant.predict(ranked))

    @property
    def _questions_of_its_own(self) -> bool:
        return bool(self._predictor.asks_itself or self._acquisition.coverage)

    def _made(self, labels: Mapping[int, int], candidates: Ids) -> Instant | None:
        """What learns in a blink; made anew when samples come that it was not given."""
        if self._instant is not None and self._instant.asks_of_whole_pool:
            return self._instant  # it knows the pool, and a set of all its samples would be made for every label
        wanted = {*labels, *candidates.tolist()}
        if self._instant is None or wanted - self._given:
            self._given |= wanted
            self._instant = self._predictor.instant(sorted(self._given), round_number=self._round_number)
        return self._instant
