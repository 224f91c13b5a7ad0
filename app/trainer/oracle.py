"""The oracle over the database: people answer, in their own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.trainer.publishing import publish
from app.trainer.triggers import UNFINISHED, trigger_of_round, waiting_request
from app.trainer.workbench import Workbench
from loops.oracle import Answers, Query
from storage.engine import Session
from storage.labels import CurrentLabel, current_labels, last_event_id
from storage.rounds import RoundInfo, begin_round, latest_round, resume_round
from storage.sample_columns import SampleColumns, read_columns
from storage.suspects import list_suspects
from storage.trainer import beat

_SPLITS = ("pool", "test")


@dataclass(frozen=True)
class DatabaseOracle:
    """Publishes queries for people, and answers when their labeling round is finished.

    A labeling round is finished when as many labels changed as a round holds since the last snapshot, when somebody
    pressed "Train now", or when the queue ran out. The labels are then a snapshot, named in the round's row by the
    last label event in it: a trainer killed in the middle of the round gets the same answers again.
    """

    bench: Workbench

    def answer(self, query: Query | None) -> Answers | None:
        """Asks and answers; see `loops.oracle.Oracle`."""
        if query is not None:
            publish(query, self.bench)
            if query.last:
                return None
        with self.bench.database.write() as session:
            round_info = self._round_to_run(session)
        if round_info is None:
            return None
        number = round_info.number
        self.bench.heartbeat.show("training", f"round {number}", round_number=number)
        return self.answers_of(round_info)

    def _round_to_run(self, session: Session) -> RoundInfo | None:
        bench = self.bench
        latest = latest_round(session, project_id=bench.project_id)
        if latest is not None and latest.state in (*UNFINISHED, "failed"):
            self._handle_requests(session)
            return resume_round(session, round_id=latest.id, generation=bench.generation)
        trigger = trigger_of_round(session, bench.project_id, bench.settings)
        if trigger is None:
            return None
        self._handle_requests(session)
        snapshot = last_event_id(session, project_id=bench.project_id)
        labels = train_labels(current_labels(session, project_id=bench.project_id, through_event_id=snapshot))
        return begin_round(
            session,
            project_id=bench.project_id,
            generation=bench.generation,
            trigger=trigger,
            labels=len(labels),
            predictor=bench.predictor_name,
            acquisition=bench.settings.acquisition,
            snapshot_event_id=snapshot,
        )

    def _handle_requests(self, session: Session) -> None:
        bench = self.bench
        request = waiting_request(session, bench.project_id)
        if request is not None:
            beat(session, project_id=bench.project_id, generation=bench.generation, handled_request_id=request.id)

    def answers_of(self, round_info: RoundInfo) -> Answers:
        """What was known when the labeling round before was finished."""
        project_id, share = self.bench.project_id, self.bench.settings.audit_share
        with self.bench.database.read() as session:
            pool, test = (self._embedded(read_columns(session, project_id=project_id, split=s)) for s in _SPLITS)
            snapshot = round_info.snapshot_event_id
            current = current_labels(session, project_id=project_id, through_event_id=snapshot)
            suspects = list_suspects(session, project_id=project_id)
        decided = np.array([label.sample_id for label in current], np.int64)
        embedded = set(decided[np.isin(decided, pool.ids, assume_unique=True)].tolist())
        asked = pool.without(decided)
        reserve = asked.where(asked.audit_keys < share)
        looked_at_twice = {label.sample_id for label in current if label.purpose not in ("train", "imported")}
        return Answers(
            round_number=round_info.number,
            labels=_only(embedded, train_labels(current)),
            pool=asked.ids[asked.audit_keys >= share],
            audit_pool=reserve.ids[np.argsort(reserve.audit_keys, kind="stable")],
            audit=_only(embedded, audit_labels(current)),
            skipped=np.array([label.sample_id for label in current if label.class_index is None], np.int64),
            test=test.classes,
            unseen=frozenset(label.sample_id for label in current if label.unseen),
            suspects={
                suspect.sample_id: suspect.suspicion
                for suspect in suspects
                if suspect.sample_id in embedded - looked_at_twice
            },
        )

    def _embedded(self, columns: SampleColumns) -> SampleColumns:
        return columns.without(self.bench.store.missing(columns.ids))


def train_labels(current: Sequence[CurrentLabel]) -> dict[int, int]:
    """Sample id -> class index of what may be trained on: everything but audit samples."""
    return {
        label.sample_id: label.class_index
        for label in current
        if label.purpose != "audit" and label.class_index is not None
    }


def audit_labels(current: Sequence[CurrentLabel]) -> dict[int, int]:
    """Sample id -> class index of the audit samples, which accuracy is reported on."""
    return {
        label.sample_id: label.class_index
        for label in current
        if label.purpose == "audit" and label.class_index is not None
    }


def _only(embedded: set[int], labels: dict[int, int]) -> dict[int, int]:
    return {sample_id: class_index for sample_id, class_index in labels.items() if sample_id in embedded}
