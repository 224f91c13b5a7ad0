from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.project.project import Project
from app.running.address import Address, address_of, announced
from app.running.child import Child, end_all
from app.running.opening import ask_to_close, ask_to_open, follow_note


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "pets").mkdir()
    return Project(tmp_path / "pets")


def test_the_address_is_there_while_the_project_runs_and_not_after(project: Project) -> None:
    with announced(project, "http://127.0.0.1:1"):
        assert address_of(project) == Address("http://127.0.0.1:1", os.getpid())
    assert address_of(project) is None


def test_an_address_that_a_killed_process_left_is_none(project: Project) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    project.address_path.write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": dead.pid}))
    assert address_of(project) is None
    project.address_path.write_text("{")
    assert address_of(project) is None


def test_who_has_started_it_can_close_it() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert Address("", sleeper.pid).is_opened_by(Address("", os.getpid()))
        assert not Address("", sleeper.pid).is_opened_by(Address("", sleeper.pid))
        assert not Address("", sleeper.pid).is_opened_by(None)
    finally:
        sleeper.communicate(b"\n")


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\x00"])
def test_a_note_of_somebody_else_asks_for_nothing(project: Project, content: str) -> None:
    project.note_path.write_text(content)
    children: list[Child] = []
    follow_note(project, children)
    assert children == []
    assert not project.note_path.exists()


def test_a_note_opens_another_project_once_and_another_one_closes_it(project: Project, tmp_path: Path) -> None:
    children: list[Child] = []
    follow_note(project, children)
    ask_to_open(project, tmp_path / "birds")
    follow_note(project, children)
    ask_to_open(project, tmp_path / "birds")
    follow_note(project, children)
    [child] = children
    assert list(child.command[-3:]) == ["run", str(tmp_path / "birds"), "--no-browser"]
    assert not project.note_path.exists()
    child.command = [sys.executable, "-c", "import time; time.sleep(600)"]
    child.check()
    ask_to_close(project, tmp_path / "pets")  # which nobody has opened
    follow_note(project, children)
    assert child.process is not None
    assert child.process.poll() is None
    ask_to_close(project, tmp_path / "birds")
    follow_note(project, children)
    child.process.wait(60)
    assert child.check() is not None
    child.check()
    assert child.process is None, "closed, it is not started again"
    ask_to_open(project, tmp_path / "birds")
    follow_note(project, children)
    assert child.process is not None
    end_all(children, patience=30, hurry=lambda: False)
