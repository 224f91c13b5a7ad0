"""On how many devices and machines the trainer works: `labelloop train --devices N --num-nodes M`."""

from __future__ import annotations

import os
import threading
from shutil import rmtree

from app.command.options import DEVICES_VARIABLE, NODES_VARIABLE
from app.errors import SettingsError
from app.project.project import Project
from app.trainer.embedding_pass import MODULE as EMBEDDING
from loops.devices.network import MODULE as SCORING
from loops.devices.processes import Devices, follow

NODE_RANK = "NODE_RANK"  # Lightning's: 0 is the machine whose trainer it is
FOLDER = "passes"  # in the project's
_MEETING = ("MASTER_ADDR", "MASTER_PORT", NODE_RANK)


def asked_for() -> tuple[int, int]:
    """Processes of each machine, and machines.

    Raises:
        SettingsError: When a variable is no number from 1, or one by which machines find each other is missing.
    """
    per_node, nodes = _number(DEVICES_VARIABLE), _number(NODES_VARIABLE)
    missing = [name for name in _MEETING if nodes > 1 and not os.environ.get(name)]
    if missing:
        raise SettingsError(f"With several machines, each needs {missing[0]} in its environment; see Lightning's docs.")
    return per_node, nodes


def devices_of(project: Project) -> Devices | None:
    """What fits and passes are spread over; None: they stay in the trainer's own process."""
    per_node, nodes = asked_for()
    return None if per_node * nodes == 1 else Devices(per_node, nodes, project.folder / FOLDER)


def follows(project: Project, stop: threading.Event) -> bool:
    """Take part in the work of another machine's trainer until told to end, if this is not the first machine."""
    _, nodes = asked_for()
    folder = project.folder / FOLDER
    if nodes == 1 or _number(NODE_RANK, least=0) == 0:
        rmtree(folder, ignore_errors=True)  # what a killed trainer left
        return False
    follow(folder, (EMBEDDING, SCORING), stop)
    return True


def _number(name: str, *, least: int = 1) -> int:
    given = os.environ.get(name, str(least))
    if not given.isdecimal() or int(given) < least:
        raise SettingsError(f"{name} must be a whole number from {least}; found {given!r}.")
    return int(given)
