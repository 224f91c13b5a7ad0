"""Between rounds: each label refits the last layer, and what nobody has seen of the queue is ranked anew."""

from __future__ import annotations

from dataclasses import dataclass

from app.trainer.oracle import train_labels
from app.trainer.workbench import Workbench
from loops.acquisition import ACQUISITION_FUNCTIONS
from loops.errors import CheckpointDamagedError, CheckpointMismatchError, MissingFeaturesError
from loops.instant_head import InstantHead
from loops.seeding import seed_of
from storage.labels import current_labels, last_event_id
from storage.rerank import rerank
from storage.rounds import RoundInfo, list_queries, open_round


@dataclass
class ReRanker:
    """Keeps the instant head of the open round, and ranks the queue's tail when labels came since the last look."""

    bench: Workbench
    round_id: int | None = None
    seen_event_id: int = -1
    head: InstantHead | None = None

    def look(self) -> int:
        """Re-ranks if there is something new; returns how many samples changed their place."""
        with self.bench.database.read() as session:
            round_info = open_round(session, project_id=self.bench.project_id)
            last_event = last_event_id(session, project_id=self.bench.project_id)
        if round_info is None or not self._applies(round_info):
            return 0
        if round_info.id != self.round_id:
            self.round_id, self.head, self.seen_event_id = round_info.id, None, round_info.snapshot_event_id
        if last_event == self.seen_event_id:
            return 0
        self.seen_event_id = last_event
        return self._re_rank(round_info)

    def _applies(self, round_info: RoundInfo) -> bool:
        return (
            self.bench.settings.re_rank
            and round_info.checkpoint is not None
            and round_info.acquisition in ACQUISITION_FUNCTIONS
        )

    def _re_rank(self, round_info: RoundInfo) -> int:
        with self.bench.database.read() as session:
            current = current_labels(session, project_id=self.bench.project_id)
            queries = list_queries(session, round_id=round_info.id)
        decided = {label.sample_id for label in current}
        tail = [query.sample_id for query in queries if query.purpose == "train" and query.sample_id not in decided]
        labels = train_labels(current)
        head = self._head(round_info, sorted({*labels, *tail}))
        if head is None or not tail:
            return 0
        ranked = head.rank_tail(labels, tail)
        scores = dict(zip(ranked.sample_ids.tolist(), ranked.scores.tolist(), strict=True))
        with self.bench.database.write() as session:
            return rerank(session, round_id=round_info.id, generation=self.bench.generation, scores=scores)

    def _head(self, round_info: RoundInfo, sample_ids: list[int]) -> InstantHead | None:
        if self.head is None or self.head.missing(sample_ids):
            self.head = self._build(round_info, sample_ids)
        return self.head

    def _build(self, round_info: RoundInfo, sample_ids: list[int]) -> InstantHead | None:
        learner = self.bench.learner()
        try:
            learner.load(
                self.bench.project.folder / str(round_info.checkpoint),
                sha256=str(round_info.checkpoint_sha256),
                size=round_info.checkpoint_bytes or 0,
            )
            features_N_D, last_layer = learner.penultimate(sample_ids)
        except (CheckpointDamagedError, CheckpointMismatchError, MissingFeaturesError):
            return None  # the queue keeps its order; the next round's resumption reports a damaged checkpoint
        return InstantHead(
            sample_ids,
            features_N_D,
            last_layer,
            acquisition=round_info.acquisition,
            mc_iterations=self.bench.settings.mc_iterations,
            seed=seed_of(self.bench.settings.seed, "masks", round_info.number),
        )
