"""P23 and odd places: a look needs no writing, and a path may hold any letter."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from app.project.project import create_project, open_project
from app.project.settings import ProjectSettings
from storage.engine import parse
from storage.errors import DatabaseUrlError
from storage.labels import list_events, record_decision
from storage.projects import get_or_create_annotator
from storage.samples import NewSample, add_samples

LABELLOOP = str(Path(sys.executable).with_name("labelloop"))


def filled(folder):
    project = create_project(folder, settings=ProjectSettings(name="pets"), classes=["cat", "dog"])
    database = project.open_database()
    with database.write() as session:
        who = get_or_create_annotator(session, project_id=1, name="ada")
        add_samples(
            session, project_id=1, samples=[NewSample(f"/i/{n}.png", f"{n:064x}", 8, 8, "pool") for n in (1, 2)]
        )
    with database.write() as session:
        record_decision(
            session, project_id=1, sample_id=1, annotator_id=who, action="label", class_index=0, request_id="key"
        )
    database.close()
    return project


@pytest.mark.parametrize("name", ["%41", "a?b", "what # is & that", "größe ü", "猫", "a;b=c"])
def test_a_path_with_any_sign_is_the_folder_it_names(tmp_path, name):
    project = filled(tmp_path / name)
    with project.opened_to_read() as database, database.read() as session:
        assert len(list_events(session, project_id=1)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert project.database_path.is_file()


@pytest.mark.parametrize("url", ["postgresql://ada:hunter2@host:port/name", "nonsense hunter2", "://hunter2"])
def test_an_unreadable_address_is_not_repeated_for_it_may_hold_a_password(url):
    with pytest.raises(DatabaseUrlError) as error:
        parse(url)
    assert "hunter2" not in str(error.value)
    assert "hunter2" not in repr(error.value.__cause__)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux: root may write anywhere")
@pytest.mark.parametrize(
    ("command", "with_log"), [("status", True), ("status", False), ("doctor", True), ("export", False)]
)
def test_commands_that_look_need_nothing_written(tmp_path, command, with_log):
    project = filled(tmp_path / "p")
    if with_log:
        leave_log(project)
    everything = [project.folder, *project.folder.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in everything}
    more = ["--format", "csv", str(tmp_path / "out")] if command == "export" else []
    plainly = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    arguments = [*plainly, LABELLOOP, command, str(project.folder), *more]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    for path in everything:
        path.chmod(0o755 if path.is_dir() else 0o644)
    said = done.stdout + done.stderr
    assert "no damage found" in said if command == "doctor" else "1 label" in said, said
    assert {path: path.stat().st_mtime_ns for path in [project.folder, *project.folder.rglob("*")]} == before


def leave_log(project):
    """Let a write-ahead log lie there, as a backup disk has it of a project that was running."""
    database = project.open_database()
    with database.write() as session:
        get_or_create_annotator(session, project_id=1, name="bob")
    kept = {path: path.read_bytes() for path in project.folder.glob("labelloop.db*") if path.suffix != ".db-shm"}
    database.close()
    for path, content in kept.items():
        path.write_bytes(content)


def test_a_project_of_the_command_line_is_its_owners_alone(tmp_path):
    for number in range(3):
        Image.new("L", (8, 8), number).save(tmp_path / f"{number}.png")
    made = [LABELLOOP, "init", str(tmp_path / "p"), "--images", str(tmp_path), "--classes", "cat,dog"]
    assert subprocess.run(made, capture_output=True, check=False).returncode == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "p").rglob("*")}
    folders = {path.name for path in (tmp_path / "p").rglob("*") if path.is_dir()}
    assert {name for name, mode in modes.items() if mode != (0o700 if name in folders else 0o600)} == set()
    assert len(modes) >= 6
    assert open_project(tmp_path / "p").folder.stat().st_mode & 0o077 == 0
