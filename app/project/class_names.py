"""Names of classes as people type them: what is refused, and what is left of the signs that nobody sees."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import category

from app.errors import ProjectError
from storage.names import ALIKE, one_name, visible

LEAST_CLASSES = 2  # of one there is nothing to tell apart

# Unicode's categories of controls, line and paragraph ends, half characters; Persian and emoji need what joins letters.
_UNUSABLE = frozenset({"Cc", "Zl", "Zp", "Cs"})


def check_name(name: str) -> str:
    """Return the name of a class as it is seen.

    Raises:
        ProjectError: it is blank, or cannot be printed.
    """
    stripped = name.strip()
    if any(category(char) in _UNUSABLE for char in stripped):
        raise ProjectError(f"A class name is one line of text; found {stripped!r}.")
    seen = visible(stripped).strip()
    if not seen:
        raise ProjectError("A class name is blank; every class needs a name.")
    return seen


def check_classes(classes: Sequence[str]) -> list[str]:
    """Return the names of a new project's classes as they are seen.

    Raises:
        ProjectError: one is blank, cannot be printed or is given twice, or there are fewer than two.
    """
    if not all(visible(name).strip() for name in classes):
        raise ProjectError("A class name is blank; give the classes like --classes cat,dog.")
    names = [check_name(name) for name in classes]
    first: dict[str, str] = {}
    for name in names:
        if one_name(name) in first:
            raise ProjectError(given_twice(first[one_name(name)], name))
        first[one_name(name)] = name
    if len(names) < LEAST_CLASSES:
        raise ProjectError(f"A project needs at least {LEAST_CLASSES} classes; {len(names)} given.")
    return names


def given_twice(first: str, second: str) -> str:
    """Say that two classes are one name."""
    if first == second:
        return f"The class {first!r} is given twice; every class needs a name of its own."
    return f"The class {second!r} is given twice, once as {first!r}: {ALIKE}"
