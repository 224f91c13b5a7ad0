"""Between rounds: each label refits what learns in an instant, and what nobody has seen of the queue is ranked anew."""

from __future__ import annotations

from dataclasses import dataclass

from app.trainer.graph_ranking import GraphRanking, graph_predictor_of
from app.trainer.oracle import train_labels
from app.trainer.reserve import Reserve, reserve_of
from app.trainer.workbench import Workbench
from loops.acquisition.functions import ACQUISITION_FUNCTIONS
from loops.errors import CheckpointDamagedError, CheckpointMismatchError, MissingFeaturesError
from loops.predictors.graph_learner import GRAPHED, GraphLearner
from loops.predictors.instant_head import InstantHead
from loops.seeding import seed_of
from storage.labels import current_labels, last_event_id
from storage.rerank import extend, rerank
from storage.rounds import NewQuery, RoundInfo, list_queries, open_round


@dataclass
class ReRanker:
    """Keeps what learns in an instant, and ranks what nobody has seen when labels came since the last look.

    While the graph is in force the whole pool is ranked anew, otherwise the queue by the network's last layer; when it
    gets short, what the round scored highest of the rest follows.
    """

    bench: Workbench
    anew: bool = False  # the first look ranks, whether or not labels came
    round_id: int | None = None
    seen_event_id: int = -1
    head: InstantHead | None = None
    reserve: Reserve | None = None  # of the round
    graph: GraphRanking | None = None
    predictor: GraphLearner | None = None  # of the rounds so far; to take a large graph from disk takes half a second
    acquisition: str = ""  # by which the last layer ranks
    in_force: str = ""  # a sentence: which predictor, and why

    @property
    def sentence(self) -> str:
        """Which predictor is in force, in which features it looks for neighbors, and why."""
        return self.in_force if self.graph is None else f"{self.in_force} {self.graph.sentence}"

    def look(self) -> int:
        """Re-ranks if there is something new; returns how many samples changed their place."""
        with self.bench.database.read() as session:
            round_info = open_round(session, project_id=self.bench.project_id)
            last_event = last_event_id(session, project_id=self.bench.project_id)
        if round_info is None or not self._applies(round_info):
            return 0
        if round_info.id != self.round_id:
            self._begin(round_info)
        if last_event == self.seen_event_id:
            return 0
        self.seen_event_id = last_event
        return self._re_rank(round_info)

    def _begin(self, round_info: RoundInfo) -> None:
        self.round_id, self.head, self.reserve = round_info.id, None, None
        self.seen_event_id, self.anew = (-1 if self.anew else round_info.snapshot_event_id), False
        self.graph, self.in_force, self.acquisition = None, "", round_info.acquisition
        self.predictor = predictor = graph_predictor_of(self.bench, round_info, self.predictor)
        if predictor is None:
            return
        self.in_force = predictor.in_force.sentence
        if predictor.in_force.network:
            self.acquisition = self.bench.spec.acquisition
        else:
            self.graph = GraphRanking(self.bench, round_info, predictor)

    def _applies(self, round_info: RoundInfo) -> bool:
        if round_info.acquisition in GRAPHED:
            return self.bench.settings.re_rank and self._asks_by_graph(round_info)
        return (
            self.bench.settings.re_rank
            and round_info.checkpoint is not None
            and round_info.acquisition in ACQUISITION_FUNCTIONS
        )

    def _asks_by_graph(self, round_info: RoundInfo) -> bool:
        """Not a first round whose samples were chosen otherwise."""
        return round_info.checkpoint is not None or self.bench.settings.cold_start == "diverse"

    def _re_rank(self, round_info: RoundInfo) -> int:
        with self.bench.database.read() as session:
            current = current_labels(session, project_id=self.bench.project_id)
        decided = {label.sample_id for label in current}
        if self.graph is not None:
            return self.graph.re_rank(train_labels(current), decided)
        return self._rank_queue(round_info, train_labels(current), decided)

    def _rank_queue(self, round_info: RoundInfo, labels: dict[int, int], decided: set[int]) -> int:
        with self.bench.database.read() as session:
            queries = list_queries(session, round_id=round_info.id)
        tail = [query.sample_id for query in queries if query.purpose == "train" and query.sample_id not in decided]
        more = self._more(round_info, len(tail), decided.union(query.sample_id for query in queries))
        scores = self._scores(round_info, labels, [*tail, *(query.sample_id for query in more)])
        generation = self.bench.generation
        with self.bench.database.write() as session:
            added = extend(session, round_id=round_info.id, generation=generation, queries=more)
            return added + rerank(session, round_id=round_info.id, generation=generation, scores=scores)

    def _more(self, round_info: RoundInfo, left: int, known: set[int]) -> list[NewQuery]:
        """What the queue goes on with once half of it is labeled: a fast team is through before the next round."""
        size = self.bench.loop_settings.ranking_size
        if left > size // 2:
            return []
        if self.reserve is None:
            self.reserve = reserve_of(self.bench, round_info)
        return self.reserve.next(size - left, without=known)

    def _scores(self, round_info: RoundInfo, labels: dict[int, int], sample_ids: list[int]) -> dict[int, float]:
        head = self._head(round_info, sorted({*labels, *sample_ids}))
        if head is None or not sample_ids:
            return {}
        ranked = head.rank_tail(labels, sample_ids)
        return dict(zip(ranked.sample_ids.tolist(), ranked.scores.tolist(), strict=True))

    def _head(self, round_info: RoundInfo, sample_ids: list[int]) -> InstantHead | None:
        if self.head is None or self.head.missing(sample_ids):
            self.head = self._build(round_info, sample_ids)
        return self.head

    def _build(self, round_info: RoundInfo, sample_ids: list[int]) -> InstantHead | None:
        predictor = self.bench.predictor()
        try:
            predictor.load(
                self.bench.project.folder / str(round_info.checkpoint),
                sha256=str(round_info.checkpoint_sha256),
                size=round_info.checkpoint_bytes or 0,
            )
            features_N_D, last_layer = predictor.penultimate(sample_ids)
        except (CheckpointDamagedError, CheckpointMismatchError, MissingFeaturesError):
            return None  # the queue keeps its order; the next round's resumption reports a damaged checkpoint
        return InstantHead(
            sample_ids,
            features_N_D,
            last_layer,
            acquisition=self.acquisition,
            mc_iterations=self.bench.settings.mc_iterations,
            seed=seed_of(self.bench.settings.seed, "masks", round_info.number),
        )
