"""What a project does while people label, done for the simulated annotator too: every label ranks the rest anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.simulation.config import SimulationConfig
from loops.acquisition import catalog
from loops.acquisition.after_each_label import AfterEachLabel
from loops.oracle import Answers, Query, RankedSample
from loops.predictors.predictor import Predictor


@dataclass
class BetweenRounds:
    """The loops' own policy, applied to what waits to be asked; see `AfterEachLabel`.

    Args:
        config: Acquisition function, cold start and seed.
        predictor: Of the rounds.
    """

    config: SimulationConfig
    predictor: Predictor
    _policy: AfterEachLabel | None = None

    def begin(self, query: Query, answers: Answers) -> None:
        """A round was published."""
        self._policy = AfterEachLabel(
            self.predictor,
            catalog.find(self.config.acquisition),
            catalog.COLD_STARTS[self.config.cold_start],
            round_number=query.round_number,
            has_model=query.pool_scores is not None,
            seed=self.config.seed,
        )
        self._policy.begin(answers.labels, pool=_on_graph(answers))

    def re_rank(self, answers: Answers, waiting: Sequence[RankedSample]) -> list[RankedSample]:
        """Ranks what waits to be trained on; audit samples keep their places.

        Of a ranking of the whole pool only the first is taken: what follows is ranked again before it is asked.
        """
        train = [ranked for ranked in waiting if ranked.purpose == "train"]
        if not train or self._policy is None:
            return list(waiting)
        anew = iter(self._anew(self._policy, answers, train))
        return [next(anew) if ranked.purpose == "train" else ranked for ranked in waiting]

    def _anew(self, policy: AfterEachLabel, answers: Answers, train: list[RankedSample]) -> list[RankedSample]:
        whole_pool = policy.asks_of_whole_pool
        candidates = answers.pool if whole_pool else np.array([ranked.sample_id for ranked in train], np.int64)
        ranked = policy.rank(answers.labels, candidates, 1 if whole_pool else len(train), pool=_on_graph(answers))
        if ranked is None:
            return train
        waits = {sample.sample_id: sample for sample in train}
        best = [
            waits.pop(sample_id, RankedSample(sample_id, "train", score, 1.0))
            for sample_id, score in zip(ranked.sample_ids.tolist(), ranked.scores.tolist(), strict=True)
        ]
        return [*best, *waits.values()]


def _on_graph(answers: Answers) -> NDArray[np.int64]:
    labeled = np.array([*answers.labels, *answers.audit], np.int64)
    return np.concatenate([answers.pool, answers.audit_pool, labeled])
