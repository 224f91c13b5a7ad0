"""Reading a JSON file that may be anything: a list or an object, or nothing that a format knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_list(path: Path) -> list[Any]:
    """Return the list that a JSON file holds; an empty one where it holds none."""
    found = _read(path)
    return found if isinstance(found, list) else []


def read_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds; an empty one where it holds none."""
    found = _read(path)
    return found if isinstance(found, dict) else {}


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
