"""The first round waits for the end of an import, and not for one that ended before the trainer began."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from app.project.project import Project
from app.trainer import process
from app.trainer.background import BackgroundEmbedding
from app.trainer.process import SETTLED_S, Worker
from app.trainer.sample_source import SampleSource
from app.trainer.workbench import Workbench
from storage.plain import utc_now


@pytest.fixture
def worker(project: Project, make_bench: Callable[[], Workbench]) -> Iterator[Worker]:
    bench, stop = make_bench(), threading.Event()
    with BackgroundEmbedding(SampleSource(project, bench.database), stop) as background:
        yield Worker(
            project, bench.database, bench.project_id, bench.generation, bench.heartbeat, stop, background, None
        )


@pytest.mark.parametrize(
    ("clock_s", "settled"), [(SETTLED_S + 1, True), (0.0, False), (-3600.0, False)],
    ids=["imported before", "imported just now", "clock set back"],
)  # fmt: skip
def test_an_import_of_long_ago_is_not_waited_for(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, clock_s: float, settled: bool
) -> None:
    added_at = utc_now()
    monkeypatch.setattr(process, "last_added_at", lambda _session, **_of: added_at)
    monkeypatch.setattr(process, "utc_now", lambda: added_at + timedelta(seconds=clock_s))
    assert worker._import_has_settled() is settled

    worker.pool_changed_at -= SETTLED_S
    assert worker._import_has_settled(), "nothing more came meanwhile"
