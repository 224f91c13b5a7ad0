"""Export: every label event, and what is current, as CSV or JSON lines; or copies of the samples by class.

An export is a new folder. It is written beside its place under another name and moved there when it is whole, so that
a reader never sees half of one, and nothing is ever overwritten.

========  =====================================================================
csv       ``labels.csv`` (``uri,label``, what is current), ``events.csv``
jsonl     ``labels.jsonl``, ``events.jsonl``
folders   ``<class>/<file>``, ImageNet style
========  =====================================================================
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.errors import ExportError
from app.formats.errors import RefusedSampleError
from app.kinds.kind import Kind, kind_named
from storage.engine import Database
from storage.labels import CurrentLabel, LabelEventInfo, current_labels, list_events
from storage.projects import kind_of_samples, list_classes
from storage.samples import SampleInfo, get_samples

EVENT_COLUMNS = (
    "sample_id", "uri", "sha256", "label", "action", "annotator", "created_at", "lead_time_s", "round", "purpose",
    "acquisition", "score", "acquisition_prob", "rank", "model_version", "suggestion_shown", "why_shown",
    "shown_together", "request_id", "supersedes",
)  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """What an export holds."""

    folder: Path
    labels: int  # samples with a current label
    events: int  # label events written; none into folders
    left_out: tuple[tuple[str, str], ...] = ()  # (name, reason) of samples that could not be copied


@dataclass(frozen=True)
class _Content:
    """Everything an export needs, read in one transaction."""

    kind: Kind
    classes: Sequence[str]
    samples: Mapping[int, SampleInfo]
    current: Sequence[CurrentLabel]  # labels only, no skips
    events: Sequence[LabelEventInfo]


def export(database: Database, project_id: int, format: str, out: Path) -> Written:  # noqa: A002 - the option's own word
    """Write an export.

    Args:
        database: the project's.
        project_id: of the project.
        format: ``csv``, ``jsonl`` or ``folders``.
        out: the folder to make.

    Raises:
        ExportError: When ``out`` exists, the format is unknown, or it cannot be written.
    """
    if format not in _WRITERS:
        raise ExportError(f"There is no export format {format!r}; known are {', '.join(_WRITERS)}.")
    target = new_target(out)
    content = _read(database, project_id)
    with whole_folder(target) as temporary:
        written = _WRITERS[format](content, temporary)
    return replace(written, folder=target)


def new_target(out: Path) -> Path:
    """Return the absolute path of an export's folder.

    Raises:
        ExportError: When something is there.
    """
    target = out.expanduser().absolute()
    if target.exists() or target.is_symlink():
        raise ExportError(f"{target} is there already; an export needs a new folder, nothing is overwritten.")
    return target


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write to, which becomes ``target`` when all went well and is gone when not.

    Raises:
        ExportError: When it cannot be written.
    """
    try:
        with _renamed_when_whole(target) as temporary:
            yield temporary
    except OSError as error:
        raise ExportError(
            f"The export to {target} failed: {error.strerror or error}; nothing was left there."
        ) from error


@contextmanager
def _renamed_when_whole(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp's 0700 would lock out whoever the export is for
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _read(database: Database, project_id: int) -> _Content:
    with database.read() as session:
        events = list_events(session, project_id=project_id)
        return _Content(
            kind=kind_named(kind_of_samples(session, project_id=project_id)),
            classes=[entry.name for entry in list_classes(session, project_id=project_id)],
            samples=get_samples(session, sample_ids=sorted({event.sample_id for event in events})),
            current=[row for row in current_labels(session, project_id=project_id) if row.action == "label"],
            events=events,
        )


def _event_row(event: LabelEventInfo, content: _Content) -> Row:
    sample = content.samples[event.sample_id]
    return {
        "sample_id": event.sample_id,
        "uri": sample.uri,
        "sha256": sample.sha256,
        "label": None if event.class_index is None else content.classes[event.class_index],
        "action": event.action,
        "annotator": event.annotator,
        "created_at": event.created_at.isoformat(),
        "lead_time_s": event.lead_time_s,
        "round": event.round_number,
        "purpose": event.purpose,
        "acquisition": event.acquisition,
        "score": event.score,
        "acquisition_prob": event.acquisition_probability,
        "rank": event.rank,
        "model_version": event.model_version,
        "suggestion_shown": event.suggestion_shown,
        "why_shown": event.why_shown,
        "shown_together": event.shown_together,
        "request_id": event.request_id,
        "supersedes": event.supersedes,
    }


def _label_row(current: CurrentLabel, content: _Content) -> Row:
    sample = content.samples[current.sample_id]
    return {"uri": sample.uri, **content.kind.columns(sample), "label": _class_of(current, content)}


def _label_columns(content: _Content) -> list[str]:
    """The name, whatever the kind says of any of the samples, and the label."""
    said = (content.kind.columns(content.samples[row.sample_id]) for row in content.current)
    return ["uri", *dict.fromkeys(column for columns in said for column in columns), "label"]


def _class_of(current: CurrentLabel, content: _Content) -> str:
    assert current.class_index is not None  # a label event always has one; the database checks it
    return content.classes[current.class_index]


def _write_csv(content: _Content, folder: Path) -> Written:
    _csv_file(folder / "labels.csv", _label_columns(content), (_label_row(row, content) for row in content.current))
    _csv_file(folder / "events.csv", EVENT_COLUMNS, (_event_row(event, content) for event in content.events))
    return Written(folder, len(content.current), len(content.events))


def _csv_file(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
        _sync(file.fileno(), file.flush)


def _cell(value: object) -> object:
    """A spreadsheet would run text that begins like a formula: a class named ``=HYPERLINK(...)``, say."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _write_jsonl(content: _Content, folder: Path) -> Written:
    _jsonl_file(folder / "labels.jsonl", (_label_row(row, content) for row in content.current))
    _jsonl_file(folder / "events.jsonl", (_event_row(event, content) for event in content.events))
    return Written(folder, len(content.current), len(content.events))


def _jsonl_file(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        _sync(file.fileno(), file.flush)


def _sync(descriptor: int, flush: Callable[[], None]) -> None:
    flush()
    os.fsync(descriptor)


def _write_folders(content: _Content, folder: Path) -> Written:
    names = safe_names(content.classes)
    taken: set[Path] = set()
    left_out: list[tuple[str, str]] = []
    for current in content.current:
        assert current.class_index is not None  # as in _class_of
        sample = content.samples[current.sample_id]
        class_folder = folder / names[current.class_index]
        class_folder.mkdir(exist_ok=True)
        try:
            _copy(sample, content.kind, class_folder, taken)
        except RefusedSampleError as refused:
            left_out.append((sample.uri, refused.reason))
    return Written(folder, len(content.current) - len(left_out), 0, tuple(left_out))


def _copy(sample: SampleInfo, kind: Kind, folder: Path, taken: set[Path]) -> None:
    """Copy one sample.

    Raises:
        RefusedSampleError: it cannot be read, which is no reason to leave the others out.
    """
    copied = kind.copy(sample)
    target = folder / copied.name
    suffix = target.suffix
    while _folded(target) in taken:  # two folders of the person's may hold the same file name
        target = folder / f"{target.stem}-{sample.id}{suffix}"
    taken.add(_folded(target))
    target.write_bytes(copied.content)


def _folded(path: Path) -> Path:
    """Macs and Windows take ``A.png`` and ``a.png`` for one file."""
    return path.with_name(path.name.casefold())


def safe_names(classes: Sequence[str]) -> list[str]:
    """Turn class names into folder names that differ, stay inside the export and exist on every system."""
    names: list[str] = []
    for index, name in enumerate(classes):
        safe = re.sub(r"[^\w .-]", "_", name).encode()[:200].decode(errors="ignore").strip(" .") or f"class-{index}"
        if _RESERVED.fullmatch(safe) or safe.startswith("-") or safe.casefold() in {made.casefold() for made in names}:
            safe = f"class-{index}-{safe.lstrip('-')}"
        names.append(safe)
    return names


_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows' devices

_WRITERS: Mapping[str, Callable[[_Content, Path], Written]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
    "folders": _write_folders,
}
