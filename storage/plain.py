"""From rows to the frozen dataclasses that may leave this package."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Info = TypeVar("Info", bound=DataclassInstance)
else:
    Info = TypeVar("Info")


LARGEST_ID = 2**63 - 1  # that a database holds


def to_info(kind: type[Info], row: Any, **more: object) -> Info:  # noqa: ANN401
    """Copy a row's columns into the dataclass fields of the same names; ``more`` gives those it has no column for."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind) if field.name not in more}, **more)


def pairs(rows: Iterable[Any]) -> dict[Any, Any]:
    """Map the first column to the second; ``dict(result)`` fails, because a Result has ``keys()`` like a mapping."""
    return {row[0]: row[1] for row in rows}


def utc_now() -> datetime:
    """The wall clock, with its zone."""
    return datetime.now(timezone.utc)


def finite(value: float | None) -> float | None:
    """SQLite would store NaN as NULL and infinity as itself; here both mean "not known"."""
    return float(value) if value is not None and math.isfinite(value) else None
