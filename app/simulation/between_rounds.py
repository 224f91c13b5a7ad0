"""What a project does while people label, done for the simulated annotator too: every label ranks the rest anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.simulation.config import SimulationConfig
from loops.acquisition.functions import ACQUISITION_FUNCTIONS
from loops.oracle import Answers, Query, RankedSample
from loops.predictors.graph_learner import GraphLearner
from loops.predictors.instant_head import InstantHead
from loops.predictors.predictor import Predictor
from loops.seeding import seed_of


@dataclass
class BetweenRounds:
    """Reviews the choice of graphs once per round, and ranks anew by what answers: the graph, or the last layer.

    Args:
        config: Acquisition function, cold start, MC iterations and seed.
        predictor: Of the rounds.
    """

    config: SimulationConfig
    predictor: Predictor
    _query: Query | None = None
    _head: InstantHead | None = None

    def begin(self, query: Query, labels: Mapping[int, int]) -> None:
        """A round was published; its labels look again in which features neighbors are looked for."""
        self._query, self._head = query, None
        if isinstance(self.predictor, GraphLearner):
            self.predictor.review(labels)

    def re_rank(self, answers: Answers, waiting: Sequence[RankedSample]) -> list[RankedSample]:
        """Ranks what waits to be trained on; audit samples keep their places."""
        train = [ranked for ranked in waiting if ranked.purpose == "train"]
        if not train or self._query is None:
            return list(waiting)
        anew = iter(self._anew(answers, train, self._query))
        return [next(anew) if ranked.purpose == "train" else ranked for ranked in waiting]

    def _anew(self, answers: Answers, train: list[RankedSample], query: Query) -> list[RankedSample]:
        if isinstance(self.predictor, GraphLearner) and not self.predictor.in_force.network:
            by_graph = query.pool_scores is not None or self.config.cold_start == "diverse"
            return self._by_graph(self.predictor, answers, train) if by_graph else train
        acquisition = self._acquisition
        if query.pool_scores is None or acquisition not in ACQUISITION_FUNCTIONS:
            return train
        return self._by_last_layer(answers, train, acquisition, query.round_number)

    @property
    def _acquisition(self) -> str:
        return self.predictor.spec.acquisition if isinstance(self.predictor, GraphLearner) else self.config.acquisition

    def _by_graph(self, predictor: GraphLearner, answers: Answers, train: list[RankedSample]) -> list[RankedSample]:
        """The best of the whole pool comes next; what follows is ranked again before it is asked."""
        predictor.review_first(answers.labels)
        best = predictor.ranking(answers, 1) or []
        taken = {ranked.sample_id for ranked in best}
        return [*best, *(ranked for ranked in train if ranked.sample_id not in taken)]

    def _by_last_layer(
        self, answers: Answers, train: list[RankedSample], acquisition: str, round_number: int
    ) -> list[RankedSample]:
        of_id = {ranked.sample_id: ranked for ranked in train}
        if self._head is None or self._head.missing([*answers.labels, *of_id]):
            sample_ids = sorted({*answers.labels, *of_id})
            self._head = InstantHead(
                sample_ids,
                *self.predictor.penultimate(sample_ids),
                acquisition=acquisition,
                mc_iterations=self.config.mc_iterations,
                seed=seed_of(self.config.seed, "masks", round_number),
            )
        tail = self._head.rank_tail(answers.labels, list(of_id))
        return [of_id[sample_id] for sample_id in tail.sample_ids.tolist()]
