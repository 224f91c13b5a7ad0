"""What the columns of a pool are like, and which values are unusual in it. Written by who learns from them.

Needs the standard library alone: the screens read it too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

_MISSING = frozenset(
    ("na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "nil", "missing", "unknown", "?", "-", "--", ".", "...")
)
_LARGEST = 1e100
_IN_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_WITH_COMMA = re.compile(r"[+-]?(\d+|[1-9]\d{0,2}([. ]\d{3})+)(,\d*)?")
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
_DATE = re.compile(rf"(\d{{1,2}})[./-](\d{{1,2}})[./-](?P<year>\d{{4}}|\d{{2}})(?:[ T,]+{_TIME})?")
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
        if not value.strip() or value.strip() in facts.get("missing", ()):
            return "missing" if 0 < 1 - facts["given"] < RARE or facts["given"] == 1 else ""
        read = reader_of(facts["kind"])
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


def is_missing(value: str) -> bool:
    """Whether a cell of a column of numbers or dates says in words or signs that there is none."""
    return value.strip().casefold() in _MISSING


def as_number(value: str) -> float | None:
    """A finite number, or None; `1,234.50`, `$5`, `12 %` and `(7)`, which is -7, are numbers too."""
    plain = _without_signs(value)
    return _finite(plain.replace(",", "") if _IN_THOUSANDS.fullmatch(plain) else plain)


def as_number_with_comma(value: str) -> float | None:
    """A finite number with a decimal comma, and perhaps points or spaces in its thousands, or None."""
    plain = _without_signs(value)
    return _finite(re.sub(r"[. ]", "", plain).replace(",", ".")) if _WITH_COMMA.fullmatch(plain) else None


def _without_signs(value: str) -> str:
    """A number without its currency or percent sign; one in parentheses is negative, as in bookkeeping."""
    plain = value.strip().replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    return plain.strip("%$€£¥₹ ").replace("-$", "-").replace("-€", "-").replace("-£", "-")


def _finite(plain: str) -> float | None:
    """What is larger than any measure of anything has no square, and so no deviation; `1_2` is a name."""
    try:
        number = float("" if "_" in plain else plain)
    except ValueError:
        return None
    return number if abs(number) < _LARGEST else None


def as_days(value: str) -> float | None:
    """A date, or date and time, of ISO 8601 as days since 1970, or None."""
    plain = value.strip()
    try:
        return _days(datetime.fromisoformat(f"{plain[:-1]}+00:00" if plain.endswith("Z") else plain))
    except ValueError:
        return None


def as_days_day_first(value: str) -> float | None:
    """A date such as `31.12.2024`, perhaps with a time after it, as days since 1970, or None."""
    return _written_date(value, day=0, month=1)


def as_days_month_first(value: str) -> float | None:
    """A date such as `12/31/2024`, perhaps with a time after it, as days since 1970, or None."""
    return _written_date(value, day=1, month=0)


def _written_date(value: str, *, day: int, month: int) -> float | None:
    found = _DATE.fullmatch(value.strip())
    if found is None:
        return None
    parts = [int(part) for part in found.group(1, 2)]
    year = int(found["year"])
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    year += 0 if year > 99 else 2000 if year < 69 else 1900
    try:
        return _days(datetime(year, parts[month], parts[day], hour, minute, second))  # noqa: DTZ001 - no zone is written
    except ValueError:
        return None


def _days(moment: datetime) -> float:
    """Days since 1970, to the microsecond, in UTC where the moment has a zone."""
    zone = moment.utcoffset() or timedelta()
    return (moment.replace(tzinfo=None) - zone - datetime(1970, 1, 1)) / timedelta(days=1)  # noqa: DTZ001 - a difference


# Of columns that have an order, tried in turn. A number such as `1,234`, or a date such as `1/2/2024`, is read as most
# of its column can be; where all can be read in two ways, both have the same order or nearly so.
READERS: Mapping[str, Callable[[str], float | None]] = {
    "number": as_number,
    "number with comma": as_number_with_comma,
    "date": as_days,
    "date, day first": as_days_day_first,
    "date, month first": as_days_month_first,
}


def reader_of(kind: str) -> Callable[[str], float | None] | None:
    """What reads a value of a column: as the column is written, else as another country writes it; None: a category.

    A later file may have `39,1` where the pool has `39.1`. What can be read as the pool's is, whatever was meant.
    """
    if kind not in READERS:
        return None
    is_date = kind.startswith("date")
    others = [read for name, read in READERS.items() if name.startswith("date") == is_date]
    return partial(_first_read, (READERS[kind], *others))


def _first_read(readers: Sequence[Callable[[str], float | None]], value: str) -> float | None:
    return next((number for read in readers if (number := read(value)) is not None), None)


def read_columns(path: Path) -> OddValues:
    """What `table_embedding` keeps; nothing while there is no such file."""
    try:
        return OddValues(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return OddValues({})
