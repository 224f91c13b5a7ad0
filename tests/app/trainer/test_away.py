from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import FilesAwayError
from app.trainer import background as background_module
from app.trainer.away import mend
from app.trainer.background import BackgroundEmbedding
from app.trainer.process import AWAY_RETRY_S, _retried_after_s
from app.trainer.sample_source import SampleSource
from app.trainer.workbench import Workbench
from storage.engine import Database
from storage.refusals import BrokenSample, list_broken, mark_broken
from storage.samples import list_samples
from tests.app.trainer.conftest import POOL, TEST
from tests.app.trainer.test_background import wait_for, wait_until_done

pytestmark = pytest.mark.usefixtures("quick_predictor")

AWAY = 10


def broken(database: Database, project_id: int) -> list[BrokenSample]:
    with database.read() as session:
        return list_broken(session, project_id=project_id)


def test_while_everything_is_away_the_trainer_says_so_and_tries_again(
    make_bench: Callable[[], Workbench], tmp_path: Path, database: Database, project_id: int
) -> None:
    (tmp_path / "pool").rename(tmp_path / "pool away")
    with pytest.raises(FilesAwayError, match=r"are not where they were, such as .*: perhaps a disk is away") as refused:
        make_bench()
    assert _retried_after_s(refused.value) == AWAY_RETRY_S
    assert broken(database, project_id) == []

    (tmp_path / "pool away").rename(tmp_path / "pool")
    assert len(make_bench().pool) == POOL


def test_some_files_that_were_away_come_in_by_themselves(
    make_bench: Callable[[], Workbench],
    background: BackgroundEmbedding,
    tmp_path: Path,
    database: Database,
    project_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background_module, "LOOK_S", 0.05)
    (tmp_path / "away").mkdir()
    moved = sorted((tmp_path / "pool").iterdir())[:AWAY]
    for path in moved:
        path.rename(tmp_path / "away" / path.name)
    make_bench()
    wait_until_done(background)
    wait_for(lambda: background.progress.sentence.startswith("10 images are not where they were, such as "))
    assert len(make_bench().store) == POOL + TEST - AWAY
    assert broken(database, project_id) == []

    for path in moved:
        (tmp_path / "away" / path.name).rename(path)
    wait_for(lambda: background.grew)
    wait_until_done(background)
    assert len(make_bench().store) == POOL + TEST


def test_who_could_not_be_read_is_tried_again_where_the_file_is_what_it_was(
    background: BackgroundEmbedding, database: Database, project_id: int
) -> None:
    with database.write() as session:
        whole, changed = list_samples(session, project_id=project_id, split="pool")[:2]
        for sample in (whole, changed):
            mark_broken(session, sample_id=sample.id, reason="cannot be read: No such file or directory")
    Path(changed.uri).write_bytes(b"another picture")

    source: SampleSource = background.source
    assert mend(source) == 1
    assert [one.sample_id for one in broken(database, project_id)] == [changed.id]
    assert mend(source) == 0


def test_of_a_large_pool_that_is_away_not_every_file_is_tried(
    make_bench: Callable[[], Workbench],
    background: BackgroundEmbedding,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background_module, "ENOUGH", 5)
    monkeypatch.setattr("loops.embeddings.embedding.PixelEmbedder.batch_size", 5)
    for name in ("pool", "test"):
        (tmp_path / name).rename(tmp_path / f"{name} away")
    with pytest.raises(FilesAwayError):
        make_bench()
    assert len(background._away.ids) == 5
