"""What scripts give a project: numbers as Python's own, names on one line, and all else refused in a sentence."""

from __future__ import annotations

from operator import index
from typing import SupportsIndex

from app.errors import ProjectError
from storage.names import person


def checked_count(count: SupportsIndex) -> int:
    """Return how many samples are wanted.

    Raises:
        ProjectError: It is no whole number from 1.
    """
    try:
        number = index(count)
    except TypeError as error:
        raise ProjectError(f"How many samples is a whole number from 1; found {count!r}.") from error
    if number < 1:
        raise ProjectError(f"How many samples is a whole number from 1; found {number}.")
    return number


def checked_id(sample_id: SupportsIndex) -> int:
    """Return a sample's number as Python's own, for a database finds nothing by one of an array's.

    Raises:
        ProjectError: It is no whole number, or none that a database holds.
    """
    try:
        number = index(sample_id)
    except TypeError as error:
        raise ProjectError(f"A sample has a whole number; found {sample_id!r}.") from error
    if not abs(number) < 2**63:
        raise ProjectError(f"There is no sample {number} in this project.")
    return number


def checked_name(annotator: str) -> str:
    """Return a person's name on one line.

    Raises:
        ProjectError: It is empty.
    """
    name = person(annotator)
    if not name:
        raise ProjectError("Say who decides: the annotator has no name.")
    return name
