"""Answers for whole sources: sample by sample onto the disk, so that a killed run goes on, then in any format.

What was answered so far lies beside the place of the export, in `.NAME.answers.jsonl`: a line that says who answers,
and one for each sample. The same command reads it and asks only about the rest; with another model it begins anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from app.answering.answerer import About, Answerer, Floats
from app.errors import AnsweringError
from app.formats.errors import RefusedSampleError, SourceError
from app.formats.export import Export, ExportedSample, Written, what_is_lost
from app.formats.places import called
from app.formats.reading import Reading
from app.formats.registry import format_to_write, open_source
from app.formats.source import Decision, Entry, Prediction, Refused, Source, printable
from app.formats.whole_folder import new_target, whole_folder
from app.kinds.kind import Admitted, Kind, kind_named

Progress = Callable[[int, int], None]

_FIELDS = {"key", "uri", "sha256", "width", "height", "content", "probs"}  # of a line


@dataclass(frozen=True)
class Answered:
    """What a run wrote."""

    folder: Path
    samples: int
    known_before: int  # of them, answered by a run that was broken off
    refused: tuple[Refused, ...]
    as_labels: bool  # the format holds no predictions: the answers stand as labels of the model
    lost: str  # what the format cannot hold besides, as a sentence


@dataclass(frozen=True)
class _Given:
    """A sample of a source."""

    entry: Entry
    key: str  # where it lies and what is there now: one that changed since is another
    place: str  # where a person finds it


@dataclass
class _Kept:
    """The answers that lie on the disk."""

    path: Path
    about: About
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)  # by key of the sample

    def read(self) -> None:
        """Takes over what a run of the same model left; a line that is cut off or damaged counts for nothing."""
        with suppress(OSError, UnicodeDecodeError):
            head, *lines = self.path.read_text(encoding="utf-8").split("\n")
            if head == self._head:
                self.lines = {told["key"]: told for told in map(self._told, lines) if told is not None}
        if not self.lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self._head + "\n", encoding="utf-8")
            return
        whole = [self._head, *(json.dumps(told, ensure_ascii=False) for told in self.lines.values()), ""]
        self.path.write_text("\n".join(whole), encoding="utf-8")

    def add(self, told: Sequence[dict[str, Any]]) -> None:
        """Appends answers; they are on disk when it returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in told)
            file.flush()
            os.fsync(file.fileno())
        self.lines.update({one["key"]: one for one in told})

    def _told(self, line: str) -> dict[str, Any] | None:
        with suppress(ValueError, TypeError, RecursionError):
            told = json.loads(line)
            if isinstance(told, dict) and told.keys() == _FIELDS and len(told["probs"]) == len(self.about.classes):
                return told
        return None

    @property
    def _head(self) -> str:
        said = {"name": self.about.name, "version": self.about.version, "classes": list(self.about.classes)}
        return json.dumps(said, ensure_ascii=False)


def predict(
    answerer: Answerer,
    sources: Sequence[Path],
    out: Path,
    *,
    format: str,  # noqa: A002 - the option's own word
    reading: Reading,
    progress: Progress | None = None,
) -> Answered:
    """Answer for every sample of the sources and write an export.

    Args:
        answerer: who answers.
        sources: folders, files of samples, or lists of them in any format that is read.
        out: the folder to make.
        format: one of `writable_formats`.
        reading: what the person says of the sources.
        progress: called with (samples done, samples in all).

    Raises:
        ExportError: when ``out`` exists, the format is unknown or cannot hold such samples, or it cannot be written.
        SourceError: when a source cannot be read, or is of another kind than the model.
        AnsweringError: when there is not one sample that could be answered.
    """
    about = answerer.about
    chosen = format_to_write(format, about.kind)
    assert chosen.write is not None
    target = new_target(out)
    kept = _Kept(target.with_name(f".{target.name}.answers.jsonl"), about)
    with tempfile.TemporaryDirectory() as unpacked:
        given, refused = _entries(sources, Path(unpacked).resolve(), reading, about.kind)
        kept.read()
        known = kept.lines.keys() & given.keys()
        refused += _answer(answerer, given, kept, progress)
        answered = [kept.lines[key] | {"file": one.entry.path} for key, one in given.items() if key in kept.lines]
        if not answered:
            said = f"the first: {refused[0].name} {refused[0].reason}" if refused else "the sources are empty"
            raise AnsweringError(f"There is not one sample that could be answered; {said}.")
        as_labels = "predictions" not in chosen.holds
        export = _export(answered, about, as_labels=as_labels)
        with whole_folder(target) as folder:
            written: Written = chosen.write(export, folder)
    kept.path.unlink(missing_ok=True)
    refused += [Refused(printable(name), reason) for name, reason in written.left_out]
    lost = what_is_lost(export, (*chosen.holds, "annotators", "times") if as_labels else chosen.holds)
    return Answered(target, len(answered), len(known), tuple(refused), as_labels, lost)


def _entries(
    sources: Sequence[Path], unpacked: Path, reading: Reading, kind: str
) -> tuple[dict[str, _Given], list[Refused]]:
    """All samples of the sources by key, each once, and what no sample is."""
    given: dict[str, _Given] = {}
    refused: list[Refused] = []
    for source in sources:
        try:
            found = open_source(source, uploads=unpacked, reading=replace(reading, kind=kind))
        except SourceError:
            if not source.is_file() or not _is_one_sample(source, kind):
                raise
            named = Entry(source.parent.resolve(), source.name, is_outside=True)  # though it be a link
            found = Source(source.parent, (named,), kind=kind)
        if found.kind != kind:
            nouns = kind_named(kind).NOUNS
            raise SourceError(f"{source} holds {kind_named(found.kind).NOUNS}; this model answers for {nouns}.")
        given |= {one.key: one for one in (_given(entry, source, unpacked) for entry in found.entries)}
        refused += found.refused
    return given, refused


def _given(entry: Entry, source: Path, unpacked: Path) -> _Given:
    """What lay in an archive is named in it: the folder that it was unpacked into is gone in the end."""
    is_packed = entry.path.is_relative_to(unpacked)
    inside = entry.path.relative_to(unpacked).parts[1:] if is_packed else ()
    place = str(called(source).joinpath(*inside) if is_packed else called(entry.path))
    return _Given(entry, f"{place}#{_now(entry, source if is_packed else entry.path)}", place)


def _now(entry: Entry, file: Path) -> str:
    """What tells a sample from what lay in its place before."""
    if entry.text is not None:
        return hashlib.sha256(entry.text.encode(errors="surrogatepass")).hexdigest()[:16]
    try:
        about = file.stat()
    except (OSError, ValueError):  # it will be refused, with the reason
        return ""
    return f"{about.st_size}-{about.st_mtime_ns}"


def _is_one_sample(path: Path, kind: str) -> bool:
    try:
        kind_named(kind).admit(Entry(path.parent.resolve(), path.name))
    except RefusedSampleError:
        return False
    return True


def _answer(answerer: Answerer, given: Mapping[str, _Given], kept: _Kept, progress: Progress | None) -> list[Refused]:
    """Ask about what is not answered yet, batch by batch; return what cannot be."""
    refused: list[Refused] = []
    todo = [one for key, one in given.items() if key not in kept.lines]
    done = len(given) - len(todo)
    kind, size = kind_named(answerer.about.kind), min(answerer.about.batch_size, 256)
    for start in range(0, len(todo), size):
        batch = todo[start : start + size]
        samples, told = _loaded(kind, batch, refused)
        probs_N_C, bad = answerer.probs(samples) if samples else (np.empty((0, 0)), {})
        refused += [Refused(printable(told[place][0].entry.name), reason) for place, reason in bad.items()]
        answered = [(place, *pair) for place, pair in enumerate(told) if place not in bad]
        kept.add([_line(one, admitted, kind, probs_N_C[place]) for place, one, admitted in answered])
        done += len(batch)
        if progress is not None:
            progress(done, len(given))
    return refused


def _loaded(
    kind: Kind, batch: Sequence[_Given], refused: list[Refused]
) -> tuple[list[Any], list[tuple[_Given, Admitted]]]:
    """The samples of a batch, and what was admitted of each; the others are added to the list of the refused."""
    samples, told = [], []
    for one in batch:
        try:
            admitted = kind.admit(one.entry)
            samples.append(kind.load(admitted.uri, admitted.content))
            told.append((one, admitted))
        except RefusedSampleError as refusal:  # noqa: PERF203 - one sample, the others go on
            refused.append(Refused(printable(one.entry.name), printable(refusal.reason)))
    return samples, told


def _line(given: _Given, admitted: Admitted, kind: Kind, probs_C: Floats) -> dict[str, Any]:
    return {
        "key": given.key,
        "uri": given.place if kind.IN_FILES else admitted.uri,
        "sha256": admitted.sha256,
        "width": admitted.width,
        "height": admitted.height,
        "content": admitted.content,
        "probs": [round(float(one), 6) for one in probs_C],
    }


def _export(answered: Iterable[dict[str, Any]], about: About, *, as_labels: bool) -> Export:
    return Export(
        project=about.name,
        kind=about.kind,
        classes=about.classes,
        samples=tuple(_samples(answered, about, as_labels=as_labels)),
        made_at=datetime.now(timezone.utc),
    )


def _samples(answered: Iterable[dict[str, Any]], about: About, *, as_labels: bool) -> Iterator[ExportedSample]:
    now = datetime.now(timezone.utc)
    for number, told in enumerate(answered, start=1):
        best = int(np.argmax(told["probs"]))
        name, probability = about.classes[best], told["probs"][best]
        label = Decision("label", name, annotator=f"{about.name} {about.version}", created_at=now)
        yield ExportedSample(
            number,
            told["uri"],
            told["sha256"],
            told["width"],
            told["height"],
            (label,) if as_labels else (),
            () if as_labels else (Prediction(name, probability, about.version),),
            score=1.0 - probability,
            kind=about.kind,
            content=told["content"],
            file=str(told["file"]) if kind_named(about.kind).IN_FILES else "",
        )
