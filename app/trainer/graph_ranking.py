"""Between rounds: each label spreads over the graph, and the whole pool is ranked anew."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.trainer.oracle import train_labels
from app.trainer.overlap import annotators_wanted
from app.trainer.workbench import Workbench
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.errors import CheckpointDamagedError, CheckpointMismatchError
from loops.predictors.committee import predictor_for
from loops.predictors.graph_learner import GraphLearner
from loops.predictors.in_force import InForce
from loops.predictors.predictor import Predictor
from storage.labels import current_labels
from storage.rerank import replace_tail
from storage.rounds import NewQuery, RoundInfo


@dataclass
class GraphRanking:
    """The graph as it stands in one open round, if the graph is in force there."""

    bench: Workbench
    round_info: RoundInfo
    predictor: GraphLearner
    pool: NDArray[np.int64] = field(init=False)  # may be asked and trained on, labeled or not; ascending
    audit_pool: NDArray[np.int64] = field(init=False)
    sentence: str = ""  # in which embedding neighbors are looked for, and why

    def __post_init__(self) -> None:
        """Looks which graph should be in force, and puts the pool on it, so that the next label finds it there."""
        share = self.bench.settings.audit_share
        embedded = self.bench.embedded_pool
        self.pool = embedded.ids[embedded.audit_keys >= share]
        self.audit_pool = embedded.ids[embedded.audit_keys < share]
        if not len(embedded.ids):
            return  # every image is gone or broken
        self.predictor.review(self._labels())
        self._take_graph()

    def _take_graph(self) -> None:
        pool = np.concatenate([self.pool, self.audit_pool])
        self.sentence = self.predictor.graph({}, pool=pool).sentence

    def _labels(self) -> dict[int, int]:
        with self.bench.database.read() as session:
            return train_labels(current_labels(session, project_id=self.bench.project_id))

    def re_rank(self, labels: dict[int, int], decided: set[int]) -> int:
        """Ranks what nobody decided on, and lets it take the places that nobody has seen.

        Args:
            labels: Sample id -> class index, to train on.
            decided: Samples that are labeled, skipped or flagged.
        """
        open_pool = self.pool[~np.isin(self.pool, list(decided))]
        if not len(open_pool):
            return 0
        if self.predictor.review_first(labels):
            self._take_graph()
        graph = self.predictor.graph(labels)  # the pool is on it already
        queries = self._queries(graph, open_pool)
        with self.bench.database.write() as session:
            return replace_tail(session, round_id=self.round_info.id, generation=self.bench.generation, ranking=queries)

    def _queries(self, graph: GraphOfPool, open_pool: NDArray[np.int64]) -> list[NewQuery]:
        ranked, scores = graph.rank(open_pool, self.bench.loop_settings.ranking_size)
        probs_N_C = graph.probs(ranked)
        return [
            NewQuery(
                sample_id=sample_id,
                rank=rank,
                purpose="train",
                score=score,
                acquisition_probability=1.0,
                suggestion=int(probs.argmax()),
                suggestion_probability=float(probs.max()),
                annotators=annotators_wanted(sample_id, self.bench.settings),
            )
            for rank, (sample_id, score, probs) in enumerate(
                zip(ranked.tolist(), scores.tolist(), probs_N_C, strict=True)
            )
        ]


def graph_predictor_of(
    bench: Workbench, round_info: RoundInfo, predictor: Predictor | None = None
) -> GraphLearner | None:
    """The predictor as the round left it, where its acquisition function asks by a graph.

    A round without a model, or one whose checkpoint is damaged, has the graph in force.

    Args:
        bench: The project as it is now.
        round_info: The round.
        predictor: Of an earlier round on the same workbench, whose graph is in memory.
    """
    if predictor is None:
        predictor = predictor_for(
            round_info.acquisition, lambda fold: bench.predictor(fold=fold), seed=bench.settings.seed
        )
    if not isinstance(predictor, GraphLearner):
        return None
    predictor.in_force = InForce()
    if round_info.checkpoint is not None:
        try:
            predictor.load(
                bench.project.folder / round_info.checkpoint,
                sha256=str(round_info.checkpoint_sha256),
                size=round_info.checkpoint_bytes or 0,
            )
        except (CheckpointDamagedError, CheckpointMismatchError):
            return predictor  # the next round's resumption reports it
    return predictor
