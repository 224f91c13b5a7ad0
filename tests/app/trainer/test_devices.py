from __future__ import annotations

import threading

import pytest

from app.command.options import DEVICES_VARIABLE, NODES_VARIABLE
from app.errors import SettingsError
from app.project.project import Project
from app.trainer.devices import devices_of, follows


@pytest.fixture(autouse=True)
def _nothing_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (DEVICES_VARIABLE, NODES_VARIABLE, "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)


def test_one_device_needs_no_other_process(project: Project) -> None:
    assert devices_of(project) is None


def test_several_meet_in_the_folder_of_the_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEVICES_VARIABLE, "2")
    devices = devices_of(project)
    assert devices is not None
    assert (devices.per_node, devices.nodes, devices.folder) == (2, 1, project.folder / "passes")


def test_the_first_machine_has_the_trainer_and_the_others_follow(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    stop.set()
    left = project.folder / "passes" / "of a killed trainer"
    left.mkdir(parents=True)
    monkeypatch.setenv(NODES_VARIABLE, "2")
    monkeypatch.setenv("NODE_RANK", "1")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    assert follows(project, stop)
    assert left.exists()
    monkeypatch.setenv("NODE_RANK", "0")
    assert not follows(project, stop)
    assert not left.exists()


def test_a_machine_that_the_others_cannot_find_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NODES_VARIABLE, "2")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.delenv("MASTER_PORT", raising=False)
    with pytest.raises(SettingsError, match="each needs MASTER_PORT"):
        devices_of(project)


@pytest.mark.parametrize("given", ["0", "two", "-1", ""])
def test_a_number_of_devices_that_is_none_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(DEVICES_VARIABLE, given)
    with pytest.raises(SettingsError, match=r"LABELLOOP_DEVICES must be a whole number from 1"):
        devices_of(project)
