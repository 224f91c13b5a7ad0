"""What scripts give a project: numbers as Python's own, names on one line, and all else refused in a sentence.

True and false are no numbers here: Python counts them as 1 and 0, and a mask would label sample 1.
"""

from __future__ import annotations

import re
import uuid
from datetime import date
from operator import index
from typing import SupportsFloat, SupportsIndex

from app.errors import ProjectError
from storage.errors import UnknownSampleError
from storage.names import person
from storage.plain import LARGEST_ID

MOST_WANTED = 10_000_000  # samples; more than any pool has
REQUEST_ID = r"[\w.-]{1,100}"  # no colon: `correct:`, `imported:` and the like say where an event is from


def count(given: SupportsIndex) -> int:
    """Return how many samples are wanted.

    Raises:
        ProjectError: It is no whole number from 1.
    """
    return min(_whole(given, 1, "How many samples is a whole number from 1"), MOST_WANTED)


def place(given: SupportsIndex) -> int:
    """Return after which id or from which place on something is listed, or how much of it at most.

    Raises:
        ProjectError: It is no whole number from 0.
    """
    return _whole(given, 0, "Where a page begins and how long it is are whole numbers from 0")


def sample_id(given: SupportsIndex) -> int:
    """Return a sample's number as Python's own, for a database finds nothing by one of an array's.

    Raises:
        ProjectError: It is no whole number.
        UnknownSampleError: None has such a number.
    """
    number = _number(given, "A sample has a whole number")
    if not 0 < number <= LARGEST_ID:
        raise UnknownSampleError(number)
    return number


def share(given: float) -> float:
    """Return a probability.

    Raises:
        ProjectError: It is none.
    """
    if not (isinstance(given, SupportsFloat) and 0 <= float(given) <= 1):
        raise ProjectError(f"A probability lies between 0 and 1; found {given!r}.")
    return float(given)


def split(given: str) -> str:
    """Return whether the pool is meant, or the test set.

    Raises:
        ProjectError: It is neither.
    """
    if given not in ("pool", "test"):
        raise ProjectError(f"The samples are those of 'pool' or 'test'; found {given!r}.")
    return given


def name(given: str) -> str:
    """Return a person's name on one line.

    Raises:
        ProjectError: It is empty, or no text.
    """
    written = person(given) if isinstance(given, str) else ""
    if not written:
        raise ProjectError("Say who decides: the annotator has no name.")
    return written


def request_id(given: str | None) -> str:
    """Return the id of a decision; a new one where none is given.

    Raises:
        ProjectError: It is no word of letters, digits, `_`, `.` and `-`.
    """
    if given is None or given == "":
        return uuid.uuid4().hex
    if not (isinstance(given, str) and re.fullmatch(REQUEST_ID, given)):
        raise ProjectError(f"A request id is up to 100 letters, digits, '.', '_' and '-', no colon; found {given!r}.")
    return given


def moment(given: str | date) -> str:
    """Return a moment as `labelloop export --at` takes it."""
    return given.isoformat() if isinstance(given, date) else str(given)


def _number(given: SupportsIndex, wanted: str) -> int:
    if isinstance(given, bool) or not isinstance(given, SupportsIndex):
        raise ProjectError(f"{wanted}; found {given!r}.")
    try:
        return index(given)
    except TypeError as error:  # an array
        raise ProjectError(f"{wanted}; found {given!r}.") from error


def _whole(given: SupportsIndex, least: int, wanted: str) -> int:
    number = _number(given, wanted)
    if number < least:
        raise ProjectError(f"{wanted}; found {number}.")
    return min(number, LARGEST_ID)
