"""Rows that come into a project whose rows have other columns: what nobody learns from is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from app.errors import ProjectError
from app.formats.source import Source, printable
from app.kinds.kind import kind_named
from storage.engine import Session
from storage.samples import list_samples

_SHOWN = 5  # names of columns


def with_other_columns_said(session: Session, source: Source, *, project_id: int) -> Source:
    """Return the source with a note on columns that it lacks, or that the project's rows have not.

    Raises:
        ProjectError: The rows share no column with those of the project.
    """
    if not kind_named(source.kind).HAS_COLUMNS or not source.entries:
        return source
    known = [*list_samples(session, project_id=project_id, split="pool", limit=1)]
    known = known or [*list_samples(session, project_id=project_id, split="test", limit=1)]
    theirs = json.loads(source.entries[0].text or "{}")
    ours = json.loads(known[0].content or "{}") if known else theirs
    lacking, foreign = [name for name in ours if name not in theirs], [name for name in theirs if name not in ours]
    if ours and theirs and not ours.keys() & theirs.keys():
        said = f"wanted {_listed(list(ours))}, found {_listed(list(theirs))}"
        raise ProjectError(f"The rows have none of the project's columns: {said}.")
    notes = [
        *([f"Columns of the project that the rows lack: {_listed(lacking)}."] if lacking else []),
        *([f"Columns that the project does not have, and learns nothing from: {_listed(foreign)}."] if foreign else []),
    ]
    return replace(source, notes=(*source.notes, *notes))


def _listed(names: Sequence[str]) -> str:
    shown = [printable(name) or '""' for name in names]
    more = len(shown) - _SHOWN
    return f"{', '.join(shown[:_SHOWN])} and {more:,} more" if more > 0 else ", ".join(shown)
