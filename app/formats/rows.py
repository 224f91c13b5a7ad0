"""Rows of a table, whatever file they come from: which column is the file, the label, the person, the time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from app.formats.places import Places
from app.formats.source import Action, Decision, Entry, Prediction, Refused, Source, printable

Row = Mapping[str, Any]

FILE_COLUMNS = (
    "path", "uri", "file_name", "filename", "filepath", "file_path", "image", "image_path", "filenames",
)  # fmt: skip
NO_FILES = "If it holds texts, name their column (--text-column NAME); a table of one column needs --kind table."
ON_THE_WEB = "lies on the web; download the files and name them by their paths"
BEYOND = "\0"  # no column has this name: how many cells a row has that has more than its table has columns
LABEL_COLUMNS = ("label", "class", "class_name", "category", "labels")
_ACTIONS: tuple[Action, ...] = ("label", "skip", "flag")


def plain_names(columns: Iterable[object]) -> list[str]:
    """Return the names of columns as they are compared: small letters, no spaces around them."""
    return [str(name or "").strip().casefold() for name in columns]


def file_column(columns: Sequence[str], known: Sequence[str] = FILE_COLUMNS) -> str:
    """Return the column that names the file, of plain names; empty: there is none."""
    return next((name for name in known if name in columns), "")


def label_column(columns: Sequence[str]) -> str:
    """Return the column that holds the class, of plain names; empty: there is none."""
    return next((name for name in LABEL_COLUMNS if name in columns), "")


def source_of_rows(rows: Iterable[Row], root: Path, predictions: Iterable[Row] = ()) -> Source:
    """Make a source of the files that rows with plain column names name; a row of several labels has none."""
    rows = list(rows)
    several = sum(has_several(row.get(label_column(list(row)))) for row in rows)
    return placed(root, named_entries(rows, root, predictions), notes=notes_on_several(several))


def named_entries(rows: Iterable[Row], root: Path, predictions: Iterable[Row] = ()) -> list[tuple[str, Entry]]:
    """Return the entries of rows with plain column names, with how they are called; a row without a name is none.

    Our own exports' columns are understood: who, when, how long, why, the file's hash, and every event of a file.

    Args:
        rows: of the table.
        root: the table's folder.
        predictions: of a table beside it: a model's answer for a file that is known by its hash.
    """
    told: dict[str, list[Prediction]] = {}
    places: dict[str, str] = {}
    for row in predictions:
        sha256 = cell_text(row["sha256"])
        answer = Prediction(cell_text(row["label"]), number(row["probability"]), cell_text(row["model_version"]))
        told.setdefault(sha256, []).append(answer)
        places[sha256] = cell_text(row["uri"])
    listed = [row for row in rows if cell_text(row.get(file_column(list(row))))]
    events = [row for row in listed if "action" in row and "request_id" in row]
    if events:
        listed = list(_by_file(events))
    columns = list(listed[0]) if listed else []
    entries = [_entry(row, root, label_column(columns)) for row in listed]
    answered = [replace(entry, predictions=tuple(told.get(entry.sha256, ()))) for entry in entries]
    names = [cell_text(row[file_column(columns)]) for row in listed]
    undecided = told.keys() - {entry.sha256 for entry in entries}
    rest = [(places[one], Entry(root, "", "", one, (), tuple(told[one]))) for one in told if one in undecided]
    return [*zip(names, answered, strict=True), *rest]


def placed(root: Path, named: Sequence[tuple[str, Entry]], *, notes: tuple[str, ...] = ()) -> Source:
    """Make a source of entries and the names their files have in a manifest of some tool."""
    places = Places.of(root, (name for name, _ in named))
    entries: list[Entry] = []
    refused: list[Refused] = []
    for name, entry in named:
        found = places.find(name, sha256=entry.sha256)
        if found is None:
            refused.append(Refused(printable(name), ON_THE_WEB))
        else:
            entries.append(replace(entry, root=found[0], name=found[1]))
    labels = sum(any(given.class_name for given in entry.given) for entry in entries)
    return Source(root, tuple(entries), tuple(refused), labels_given=labels, notes=notes)


def _entry(row: Row, root: Path, label: str) -> Entry:
    """An entry that has no name yet."""
    class_name, sha256 = label_text(row.get(label)), cell_text(row.get("sha256"))
    if "decisions" in row:
        return Entry(root, "", _standing(row["decisions"]), sha256, row["decisions"])
    decision = Decision(
        "label" if class_name else "skip",
        class_name,
        annotator=cell_text(row.get("annotator")),
        created_at=moment(row.get("created_at")),
        lead_time_s=number(row.get("lead_time_s")),
        purpose=cell_text(row.get("purpose")),
    )
    told = bool(decision.annotator or decision.created_at or decision.lead_time_s is not None or decision.purpose)
    flags = (Decision("flag"),) if _is_true(row.get("flagged")) else ()
    decisions = (*flags, decision) if (told or flags) and (class_name or _is_true(row.get("skipped"))) else flags
    if decisions == (Decision("label", class_name),):
        decisions = ()
    return Entry(root, "", class_name, sha256, decisions)


def _standing(decisions: Sequence[Decision]) -> str:
    return next((given.class_name for given in reversed(decisions) if given.action != "flag"), "")


def _by_file(events: Sequence[Row]) -> Iterable[Row]:
    """One row per file with its decisions; what was undone is left out, and of a person's the last stands."""
    undone = {cell_text(row.get("supersedes")) for row in events if row["action"] == "undo"}
    standing = [row for row in events if row["action"] in _ACTIONS and cell_text(row.get("event_id")) not in undone]
    files: dict[str, list[Row]] = {cell_text(row.get("sha256")) or cell_text(row.get("uri")): [] for row in events}
    for row in standing:
        files[cell_text(row.get("sha256")) or cell_text(row.get("uri"))].append(row)
    first = {cell_text(row.get("sha256")) or cell_text(row.get("uri")): row for row in events}
    for key, given in files.items():
        latest = {(cell_text(row.get("annotator")), row["action"] == "flag"): row for row in given}
        kept = [row for row in given if latest[cell_text(row.get("annotator")), row["action"] == "flag"] is row]
        yield {**first[key], "decisions": tuple(_decision(row) for row in kept)}


def _decision(row: Row) -> Decision:
    action: Action = next(action for action in _ACTIONS if action == row["action"])
    return Decision(
        action,
        cell_text(row.get("label")),
        annotator=cell_text(row.get("annotator")),
        created_at=moment(row.get("created_at")),
        lead_time_s=number(row.get("lead_time_s")),
        purpose=cell_text(row.get("purpose")),
    )


def moment(value: object) -> datetime | None:
    """Return a time with a zone; one without is taken for UTC, and what is no time for none."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, timezone.utc)
        else:
            found = datetime.fromisoformat(cell_text(value).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def number(value: object) -> float | None:
    """Return a finite number; None for everything else."""
    try:
        found = float(cell_text(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def cell_text(value: object) -> str:
    """A cell as text; a list of one is that one."""
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    return "" if is_nothing(value) else str(value).strip()


def label_text(value: object) -> str:
    """A label as text, none of several; of class `1` data frames make `1.0` where another row has none."""
    if isinstance(value, (list, tuple)):
        return label_text(value[0]) if len(value) == 1 else ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return cell_text(json.dumps(value, ensure_ascii=False) if isinstance(value, (bool, dict)) else value)


def has_several(label: object) -> bool:
    """Whether a label is a list of several: a sample is of one class."""
    return isinstance(label, (list, tuple)) and len(label) > 1


def notes_on_several(count: int) -> tuple[str, ...]:
    """Return the note on so many rows that have several labels."""
    return (f"{count:,} of the rows have more than one label; they come in without one.",) if count else ()


def names_no_files(manifest: Path, columns: Iterable[object]) -> str:
    """Return the sentence on a table, typed or of JSON lines, none of whose columns names files."""
    shown, known = ", ".join(printable(str(name)) for name in columns) or "nothing", ", ".join(FILE_COLUMNS)
    return f"{printable(manifest.name)} names no files: wanted one of {known}, found {shown}. {NO_FILES}"


def is_nothing(value: object) -> bool:
    """Whether a cell of a typed table holds nothing: null, an empty list, or the NaN that data frames write for it."""
    is_nan = value != value  # it alone is not like itself
    return value is None or value in ([], ()) or is_nan


def _is_true(value: object) -> bool:
    return cell_text(value).casefold() in ("true", "1", "yes")
