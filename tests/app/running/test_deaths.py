"""A trainer that dies says why, where the person looks, and after some deaths it waits for one."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from app.project.endings import TO_WAIT_FOR_A_PERSON, ending_words
from app.project.project import create_project
from app.project.settings import ProjectSettings
from app.running import deaths as deaths_module
from app.running.child import Child
from app.running.deaths import Deaths, last_words
from app.screens.shared.trainer_state import trainer_state
from storage.endings import KEPT, EndingInfo, list_endings
from storage.trainer import request_training

KILLED = "import os; print('Reading 3 GB of images', flush=True); os.kill(os.getpid(), 9)"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(deaths_module, "LOOK_S", 0.0)
    return create_project(tmp_path / "p", settings=ProjectSettings(name="pets"), classes=["cat", "dog"])


def child_of(project, deaths, command, **more):
    clock = iter(range(0, 1_000_000, 100)).__next__  # every look is a hundred seconds later: no back-off is waited for
    ready, told = deaths.may_start, {"died": deaths.note, "recovered": deaths.over}
    return Child(
        "trainer", [sys.executable, "-c", command], project.logs_dir / "t.log", ready=ready, clock=clock, **told
    )


def endings(project):
    with project.opened_to_read() as database, database.read() as session:
        return list_endings(session, project_id=1, child="trainer")


def let_it_die(child):
    child.check()
    if child.process is not None:
        child.process.wait()
        child.check()


def test_each_death_is_written_down_with_its_signal_and_last_words_until_it_waits_for_a_person(project):
    deaths = Deaths(project)
    child = child_of(project, deaths, KILLED)
    child.healthy_after = float("inf")
    for _ in range(2 * TO_WAIT_FOR_A_PERSON):
        let_it_die(child)
    found = endings(project)
    assert [ending.status for ending in found] == [-9] * TO_WAIT_FOR_A_PERSON
    said = ending_words(found)
    assert "5 times in a row" in said
    assert "SIGKILL" in said
    assert "by a person, or by the system" in said
    assert "Reading 3 GB of images" in said
    assert "Try again" in said


@pytest.mark.parametrize(
    ("held", "free", "said"),
    [
        (int(1.9e9), int(0.1e9), "it held 1.9 GB of memory, and 0.1 GB were free: most likely memory was short; close"),
        (int(1.9e9), int(8.1e9), "it held 1.9 GB of memory, and 8.1 GB were free: memory was not short then."),
        (None, None, "Nobody knows how much memory it held. If that was short, close other programs"),
    ],
)
def test_memory_is_blamed_only_where_it_was_short(held, free, said):
    when = datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)
    death = EndingInfo(1, "trainer", -9, 60.0, "", when, held, free)
    assert said in ending_words([death])
    assert "memory" not in ending_words([replace(death, status=1)])


def test_what_a_child_held_and_what_was_free_is_known_from_the_last_look_at_it(project):
    deaths = Deaths(project)
    child = child_of(project, deaths, "import time; time.sleep(600)")
    child.check()
    while (child.held_bytes or 0) < 1_000_000:  # no Python holds less, once it has begun
        child.check()
    held, free = child.held_bytes, child.free_bytes
    assert free > 0
    child.process.kill()
    child.process.wait()
    let_it_die(child)
    (ending,) = endings(project)
    assert (ending.status, ending.held_bytes, ending.free_bytes) == (-9, held, free)


def test_a_folder_that_is_away_is_no_death_of_the_trainer(project, capsys):
    deaths = Deaths(project)
    child = child_of(project, deaths, KILLED)
    child.check()
    project.folder.rename(project.folder.with_name("away"))
    child.process.wait()
    child.check()
    assert deaths.in_a_row == 0
    assert "is not there: was it renamed, or is its disk away?" in capsys.readouterr().err


def test_it_starts_again_once_a_person_asks_for_it(project):
    deaths = Deaths(project, in_a_row=TO_WAIT_FOR_A_PERSON)
    assert not deaths.may_start()
    with project.opened_to_read() as database, database.write() as session:
        request_training(session, project_id=1, kind="retry")
    assert deaths.may_start()
    assert deaths.in_a_row == 0


def test_an_exit_with_zero_is_a_death_too_and_one_that_lives_on_forgets_it(project):
    deaths = Deaths(project)
    let_it_die(child_of(project, deaths, "print('the embedding called exit(0)')"))
    assert "with exit code 0" in ending_words(endings(project))
    deaths.over()
    assert endings(project) == []


def test_no_more_than_fifty_deaths_are_kept(project):
    deaths = Deaths(project)
    child = child_of(project, deaths, "raise SystemExit(3)")
    child.started_at = 0.0
    for _ in range(KEPT + 3):
        deaths.note(child, 3)
    assert len(endings(project)) == KEPT


def test_last_words_are_the_last_line_that_says_something(tmp_path):
    log = tmp_path / "log"
    assert last_words(log) == ""
    log.write_text("Traceback\n  ...\nMemoryError: 12 GB asked for\n\n")
    assert last_words(log) == "MemoryError: 12 GB asked for"


def test_a_trainer_that_never_reported_is_absent_by_its_heartbeat_alone():
    assert trainer_state(None, 0.0).mood == "absent"
