"""What comes in, whatever the format: files with what people and models said of them. Finds files, decodes none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from storage.names import one_name, written

Action = Literal["label", "skip", "flag"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person said of one sample, elsewhere or here."""

    action: Action
    class_name: str = ""  # of a label
    annotator: str = ""  # empty: not known
    created_at: datetime | None = None  # with a zone
    lead_time_s: float | None = None  # seconds from the sample's appearance to the decision
    purpose: str = ""  # why it was asked, where that is known; see `storage.events`


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model answered for a sample."""

    class_name: str
    probability: float | None = None  # of that class, 0 to 1
    model_version: str = ""


@dataclass(frozen=True, slots=True)  # a million of them at a time
class Entry:
    """One sample, before anybody looked at it."""

    root: Path  # of the source
    name: str  # as the person knows it: relative to the root
    class_name: str = ""  # from the manifest or the folder it lies in; empty: not known
    sha256: str = ""  # what its bytes must be, where the source says so; then it may lie outside the root
    decisions: tuple[Decision, ...] = ()  # oldest first; the last label or skip stands
    predictions: tuple[Prediction, ...] = ()
    text: str | None = None  # what it is, where that is in no file of its own
    is_outside: bool = False  # whether its file may lie outside the root

    @property
    def limit(self) -> Path:
        """The folder outside of which its file may not lie, all links followed."""
        return Path(self.root.anchor) if self.is_outside else self.root

    @property
    def path(self) -> Path:
        """Where the file is said to be; nobody has looked yet whether that is inside the root."""
        return self.root / self.name

    @property
    def given(self) -> tuple[Decision, ...]:
        """The decisions; a class name alone is a label of nobody known."""
        if self.decisions or not self.class_name:
            return self.decisions
        return (Decision("label", self.class_name),)


@dataclass(frozen=True)
class Refused:
    """One file that was not imported and why; both parts are one printable line."""

    name: str
    reason: str
    outside: Entry | None = None  # the file, where nothing speaks against it but that it lies outside the root


@dataclass(frozen=True)
class Source:
    """The samples of one import, before any of them was looked at."""

    root: Path  # nothing outside of it is read, unless its hash is known or a person lets it in
    entries: tuple[Entry, ...]
    refused: tuple[Refused, ...] = ()
    labels_given: int = 0  # entries with a label; a folder's name need not be one
    format: str = ""  # its name
    kind: str = "image"  # of its samples
    notes: tuple[str, ...] = field(default=())  # what the format's reader could not take over, as sentences
    listed_in: str = ""  # a list that names these files, and whose rows could be the samples themselves; empty: none

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes the source itself names, sorted; numbers by value. Of one in capitals and not, the commonest."""
        commonest: dict[str, str] = {}
        for name, _ in sorted(self.labels_per_class.items(), key=lambda counted: (-counted[1], counted[0])):
            commonest.setdefault(one_name(name), name)
        return tuple(sorted(commonest.values(), key=_by_value))

    @property
    def labels_per_class(self) -> Counter[str]:
        """How many files each class was given to, by anybody; names that look the same are one (NFC)."""
        named = [
            {alike(given.class_name) for given in entry.given if given.class_name} or {alike(entry.class_name)}
            for entry in self.entries
        ]
        return Counter(name for names in named for name in names if name)

    def with_outside(self) -> Source:
        """The same with files that lie outside the root, those that were refused for it too."""
        let_in = [one.outside for one in self.refused if one.outside is not None]
        entries = tuple(replace(entry, is_outside=True) for entry in [*self.entries, *let_in])
        return replace(self, entries=entries, refused=tuple(one for one in self.refused if one.outside is None))

    def with_classes_renamed(self, new_names: Mapping[str, str]) -> Source:
        """The same with other names for some classes; an empty name leaves the labels of that class out."""
        if not new_names:
            return self
        names = {alike(old): new for old, new in new_names.items()}
        return replace(self, entries=tuple(_renamed(entry, names) for entry in self.entries))

    def with_classes_of(self, classes: Sequence[str]) -> Source:
        """The same with a project's spelling of its classes; a note says what was written otherwise."""
        names = spelled_otherwise(self._names_said(), classes)
        if not names:
            return self
        told = ", ".join(f"{printable(name)} as {printable(known)}" for name, known in sorted(names.items()))
        matched = self.with_classes_renamed(names)
        return replace(
            matched, notes=(*self.notes, f"Classes of the project, written otherwise in the source: {told}.")
        )

    def _names_said(self) -> set[str]:
        given = {decision.class_name for entry in self.entries for decision in entry.given}
        told = {prediction.class_name for entry in self.entries for prediction in entry.predictions}
        return {alike(name) for name in given | told if name}


def spelled_otherwise(names: Iterable[str], classes: Sequence[str]) -> dict[str, str]:
    """Return the project's class for each name that is one of its classes but for capitals and signs nobody sees.

    A name that is a class as it stands is left out, and so is one that could be either of two classes.
    """
    exact = {alike(name) for name in classes}
    by_name: dict[str, list[str]] = {}
    for known in classes:
        by_name.setdefault(one_name(known), []).append(known)
    found = {name: by_name.get(one_name(name), []) for name in names if alike(name) not in exact}
    return {name: known[0] for name, known in found.items() if len(known) == 1}


def alike(name: str) -> str:
    """Return the one way to write what looks the same: an e with an accent is one character or two."""
    return written(name)


def printable(text: str) -> str:
    r"""Return one line that a terminal shows as it is: line ends and controls become `\n`, `\x1b`, ..."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _by_value(name: str) -> tuple[bool, int, str]:
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)


def _renamed(entry: Entry, names: Mapping[str, str]) -> Entry:
    def new(name: str) -> str:
        return names.get(alike(name), name)

    kept = [given for given in entry.decisions if given.action != "label" or new(given.class_name)]
    return replace(
        entry,
        class_name=new(entry.class_name),
        decisions=tuple(replace(given, class_name=new(given.class_name)) for given in kept),
        predictions=tuple(replace(told, class_name=new(told.class_name)) for told in entry.predictions),
    )
