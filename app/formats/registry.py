"""All formats, found by looking: a module of this package that has a `FORMAT` is one.

Command line, screens, docs and tests read this list; nothing else names formats.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from dataclasses import replace
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path

import app.formats
from app.errors import ExportError
from app.formats.connection import is_address
from app.formats.errors import SourceError
from app.formats.exported_rows import has_contents, source_of_export
from app.formats.fetched_files import Progress
from app.formats.format import Format, Rows
from app.formats.in_rows import folder_of, source_in_rows
from app.formats.reading import AS_IT_IS, Reading
from app.formats.remote import open_remote
from app.formats.source import Source, printable


@cache
def all_formats() -> dict[str, Format]:
    """Return every format by its name; those that take nearly anything come last."""
    modules = (importlib.import_module(f"app.formats.{found.name}") for found in pkgutil.iter_modules(_folders()))
    found = [module.FORMAT for module in modules if isinstance(getattr(module, "FORMAT", None), Format)]
    return {format_.name: format_ for format_ in sorted(found, key=lambda f: (f.generality, f.name))}


def readable_formats() -> dict[str, Format]:
    """Return the formats that samples can be read from, by name."""
    return {name: found for name, found in all_formats().items() if found.read is not None}


def writable_formats() -> dict[str, Format]:
    """Return the formats that labels can be written to, by name; those of no other tool first."""
    found = sorted(all_formats().values(), key=lambda one: (not one.generality, one.generality, one.name))
    return {one.name: one for one in found if one.write is not None}


def open_source(
    path: Path | str,
    *,
    uploads: Path,
    format: str = "",  # noqa: A002 - the option's own word
    reading: Reading = AS_IT_IS,
    progress: Progress | None = None,
) -> Source:
    """Read what a person named, by what it is.

    Args:
        path: what the person named; as text it may be an address (`app.formats.remote`).
        uploads: the project's folder for what has to be unpacked.
        format: its name, where the person says so.
        reading: what the person says of its samples.
        progress: called with (files fetched, files in all) of an address.

    Raises:
        SourceError: no format reads it, or it cannot be read.
    """
    if isinstance(path, str) and is_address(path):
        _refuse_outside(reading)
        open_copy = partial(open_source, uploads=uploads, format=format, reading=reading)
        return open_remote(path, uploads, open_copy, progress)
    path = Path(path)
    if not path.exists():
        raise SourceError(f"{printable(str(path))}: there is no such file or folder.")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{printable(str(path))} cannot be read: its rights do not let you.")
    chosen = _named(format) if format else format_of(path, reading)
    try:
        found = replace(_read(chosen, path, uploads, reading), format=chosen.name)
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # what a list of another shape ends in
        said = f"{printable(str(path))} is not as the format {chosen.name} has it"
        raise SourceError(f"{said}: {type(error).__name__}: {printable(str(error))[:200]}") from error
    if found.root.is_relative_to(uploads.resolve()):
        _refuse_outside(reading)
    return found.with_outside() if reading.outside else found


def _refuse_outside(reading: Reading) -> None:
    """A list that came from elsewhere must not name the files of this machine."""
    if reading.outside:
        raise SourceError("--outside is for a folder or list on this machine, not for what is fetched or unpacked.")


def _read(chosen: Format, path: Path, uploads: Path, reading: Reading) -> Source:
    assert chosen.read is not None
    found = None if chosen.rows is None else _in_rows(chosen.rows, path, reading, chosen.first_row)
    if found is not None:
        return found
    column = reading.text_column or reading.label_column
    if column:
        said = f"{printable(str(path))} holds no texts or rows, so it has no column `{printable(column)}`"
        raise SourceError(f"{said}; --text-column and --label-column are for lists of those.")
    source = chosen.read(path, uploads)
    if chosen.rows is not None and not path.is_dir():
        source = replace(source, listed_in=path.name)
    return replace(source, kind=reading.kind) if reading.kind else source


def _in_rows(read_rows: Rows, path: Path, reading: Reading, first: int) -> Source | None:
    """The source of samples that a table itself holds, or an own export of such; None where they are in files."""
    rows = iter(read_rows(path))
    head = list(islice(rows, 1))
    if head and has_contents(head[0]) and not (reading.text_column or reading.label_column):
        return source_of_export([*head, *rows], folder_of(path))
    return source_in_rows(path, chain(head, rows), reading, first=first)


def format_of(path: Path, reading: Reading = AS_IT_IS) -> Format:
    """Return the format that reads a path; where a person names columns, one of tables.

    Raises:
        SourceError: none does.
    """
    of_columns = bool(reading.text_column or reading.label_column)
    formats = sorted(readable_formats().values(), key=lambda found: of_columns and found.rows is None)
    for found in formats:
        if found.reads is not None and found.reads(path):
            return found
    known = ", ".join(readable_formats())
    raise SourceError(f"{printable(str(path))}: no format reads this; known are {known}.")


def format_to_write(name: str, kind: str) -> Format:
    """Return a format that samples of a kind can be written in.

    Raises:
        ExportError: There is none of that name, or it cannot hold such samples.
    """
    found = writable_formats().get(name)
    if found is None:
        raise ExportError(f"There is no export format {name!r}; known are {', '.join(writable_formats())}.")
    if refusal := found.refusal(kind):
        raise ExportError(refusal)
    return found


def _named(name: str) -> Format:
    found = readable_formats().get(name)
    if found is None:
        raise SourceError(f"There is no format {name!r} to read; known are {', '.join(readable_formats())}.")
    return found


def _folders() -> list[str]:
    return list(app.formats.__path__)
