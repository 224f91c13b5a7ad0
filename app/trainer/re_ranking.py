"""Between rounds: after each label, what nobody has seen of the queue is ranked anew, by the loops' own policy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.trainer.oracle import train_labels
from app.trainer.overlap import annotators_wanted
from app.trainer.reserve import Reserve, reserve_of
from app.trainer.resuming import restored
from app.trainer.workbench import Workbench
from loops.acquisition import catalog
from loops.acquisition.after_each_label import AfterEachLabel, Reranked
from loops.predictors.predictor import Description, Predictor
from storage.labels import current_labels, last_event_id
from storage.rerank import replace_tail
from storage.rounds import NewQuery, RoundInfo, list_queries, open_round

Ids = NDArray[np.int64]


@dataclass
class OpenRound:
    """One open round, as the re-ranker knows it."""

    info: RoundInfo
    predictor: Predictor
    policy: AfterEachLabel
    reserve: Reserve | None = None  # what the round scored and did not ask
    seen_event_id: int = -1


@dataclass
class ReRanker:
    """Ranks what nobody has seen when labels came since the last look.

    Args:
        bench: The project as it is now.
        anew: The first look ranks, whether or not labels came.
    """

    bench: Workbench
    anew: bool = False
    round: OpenRound | None = None
    pool: Ids = field(init=False)  # may be asked and trained on, labeled or not; ascending
    audit_pool: Ids = field(init=False)

    def __post_init__(self) -> None:
        """Parts the pool from what is kept for the audit."""
        share, embedded = self.bench.settings.audit_share, self.bench.embedded_pool
        self.pool = embedded.ids[embedded.audit_keys >= share]
        self.audit_pool = embedded.ids[embedded.audit_keys < share]

    @property
    def described(self) -> Description | None:
        """Who answers, and why; None before a round is open."""
        return None if self.round is None else self.round.predictor.describe()

    def look(self) -> int:
        """Re-ranks if there is something new; returns how many samples changed their place."""
        with self.bench.database.read() as session:
            info = open_round(session, project_id=self.bench.project_id)
            last_event = last_event_id(session, project_id=self.bench.project_id)
        if info is None or not self.bench.settings.re_rank:
            return 0
        if self.round is None or self.round.info.id != info.id:
            self.round = self._begun(info)
        if not self.round.policy.may_rank or last_event == self.round.seen_event_id:
            return 0
        self.round.seen_event_id = last_event
        return self._re_rank(self.round)

    def _begun(self, info: RoundInfo) -> OpenRound:
        bench, settings = self.bench, self.bench.settings
        predictor = restored(bench, info, None if self.round is None else self.round.predictor)
        policy = AfterEachLabel(
            predictor,
            catalog.find(info.acquisition),
            catalog.COLD_STARTS[settings.cold_start],
            round_number=info.number,
            has_model=info.checkpoint is not None,
            seed=settings.seed,
        )
        if len(self.pool) + len(self.audit_pool):  # otherwise every sample is gone or broken
            policy.begin(self._labels(), pool=self._on_graph)
        seen, self.anew = (-1 if self.anew else info.snapshot_event_id), False
        return OpenRound(info, predictor, policy, seen_event_id=seen)

    @property
    def _on_graph(self) -> Ids:
        return np.concatenate([self.pool, self.audit_pool])

    def _labels(self) -> dict[int, int]:
        with self.bench.database.read() as session:
            return self._embedded(train_labels(current_labels(session, project_id=self.bench.project_id)))

    def _embedded(self, labels: dict[int, int]) -> dict[int, int]:
        missing = set(self.bench.store.missing(list(labels)).tolist())
        return {sample_id: label for sample_id, label in labels.items() if sample_id not in missing}

    def _re_rank(self, opened: OpenRound) -> int:
        with self.bench.database.read() as session:
            current = current_labels(session, project_id=self.bench.project_id)
            queries = [] if opened.policy.asks_of_whole_pool else list_queries(session, round_id=opened.info.id)
        decided = {label.sample_id for label in current}
        labels = self._embedded(train_labels(current))
        waiting = [query for query in queries if query.purpose == "train" and query.sample_id not in decided]
        more = self._more(opened, len(waiting), decided.union(query.sample_id for query in queries))
        if opened.policy.asks_of_whole_pool:
            candidates = self.pool[~np.isin(self.pool, list(decided))]
        else:
            candidates = np.array([query.sample_id for query in [*waiting, *more]], np.int64)
        size = self.bench.loop_settings.ranking_size
        ranked = opened.policy.rank(labels, candidates, max(size, len(waiting)), pool=self._on_graph)
        return 0 if ranked is None else self._publish(opened, ranked, len(labels))

    def _more(self, opened: OpenRound, left: int, known: set[int]) -> list[NewQuery]:
        """What the queue goes on with once half of it is labeled: a fast team is through before the next round."""
        size = self.bench.loop_settings.ranking_size
        if opened.policy.asks_of_whole_pool or left > size // 2:
            return []
        if opened.reserve is None:
            opened.reserve = reserve_of(self.bench, opened.info)
        return opened.reserve.next(size - left, without=known)

    def _publish(self, opened: OpenRound, ranked: Reranked, labels: int) -> int:
        name = opened.predictor.describe().name  # once: a description is put together from all members
        queries = [
            NewQuery(
                sample_id=sample_id,
                rank=rank,
                purpose="train",
                score=score,
                acquisition_probability=1.0,
                suggestion=int(probs.argmax()),
                suggestion_probability=float(probs.max()),
                annotators=annotators_wanted(sample_id, self.bench.settings),
                predictor=name,
                predictor_version=f"round {opened.info.number}",
                predictor_labels=labels,
            )
            for rank, (sample_id, score, probs) in enumerate(
                zip(ranked.sample_ids.tolist(), ranked.scores.tolist(), ranked.probs_k_C, strict=True)
            )
        ]
        with self.bench.database.write() as session:
            return replace_tail(session, round_id=opened.info.id, generation=self.bench.generation, ranking=queries)
