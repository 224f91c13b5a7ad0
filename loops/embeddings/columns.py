"""What the columns of a pool are like, and which values are unusual in it. Written by who learns from them.

Needs the standard library alone: the screens read it too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

RARE = 0.01  # share of the pool below which a value is unusual


@dataclass(frozen=True)
class OddValues:
    """Facts of columns by name; without them nothing is unusual."""

    columns: Mapping[str, Mapping[str, Any]]

    def word_on(self, name: str, value: str) -> str:
        """Why a value is unusual; empty: it is not."""
        facts = self.columns.get(name)
        if facts is None:
            return ""
        if not value.strip():
            return "missing" if 0 < 1 - facts["given"] < RARE or facts["given"] == 1 else ""
        read = READERS.get(facts["kind"])
        if read is not None:
            number = read(value)
            return "" if number is None else _beyond(number, facts["low"], facts["high"])
        if "shares" in facts and facts["rest"] < RARE:
            return "rare" if facts["shares"].get(value.strip(), 0.0) < RARE else ""
        return ""


def _beyond(number: float, low: float, high: float) -> str:
    if number < low:
        return "unusually low"
    return "unusually high" if number > high else ""


def as_number(value: str) -> float | None:
    """A finite number, or None."""
    try:
        number = float(value.strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def as_days(value: str) -> float | None:
    """A date, or date and time, of ISO 8601 as days since 1970, or None."""
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=None).toordinal() - 719163 + moment.hour / 24


# Of columns that have an order.
READERS: Mapping[str, Callable[[str], float | None]] = {"number": as_number, "date": as_days}


def read_columns(path: Path) -> OddValues:
    """What `table_embedding` keeps; nothing while there is no such file."""
    try:
        return OddValues(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return OddValues({})
