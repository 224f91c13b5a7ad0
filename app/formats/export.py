"""What goes out, whatever the format: the labels of a project, freed of its database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.formats.source import Decision, Prediction
from app.kinds.kind import kind_named

EVENT_COLUMNS = (
    "sample_id", "uri", "sha256", "label", "action", "annotator", "created_at", "lead_time_s", "round", "purpose",
    "acquisition", "score", "acquisition_prob", "rank", "model_version", "predictor", "predictor_version",
    "predictor_labels", "suggestion_shown", "seeded_suggestion", "why_shown", "shown_together",
    "request_id", "supersedes", "event_id", "aside", "group", "group_draw", "group_bound",
)  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExportedSample:
    """One sample with what people and models said of it."""

    id: int
    uri: str
    sha256: str
    width: int  # pixels
    height: int  # pixels
    decisions: tuple[Decision, ...] = ()  # of each person what stands, oldest first; the last label or skip counts
    predictions: tuple[Prediction, ...] = ()
    score: float | None = None  # of the acquisition function in force; higher is asked first
    kind: str = "image"
    content: str | None = None  # of a sample that is in no file of its own
    file: str = ""  # where its file lies for now, if that is not its uri

    @property
    def standing(self) -> Decision | None:
        """The label or skip that counts."""
        return next((given for given in reversed(self.decisions) if given.action != "flag"), None)

    @property
    def label(self) -> str:
        """The class that counts; empty for a skip and for what nobody decided."""
        return self.standing.class_name if self.standing else ""

    @property
    def flagged(self) -> bool:
        """Somebody asked for a second look."""
        return any(given.action == "flag" for given in self.decisions)

    @property
    def columns(self) -> Mapping[str, str]:
        """What it holds, by name, where that is in no file of its own."""
        return kind_named(self.kind).columns(self)

    @property
    def name(self) -> str:
        """The file's own name."""
        return Path(self.uri).name


@dataclass(frozen=True)
class Export:
    """The labels of a project at one moment."""

    project: str  # its name
    classes: tuple[str, ...]  # by index
    samples: tuple[ExportedSample, ...]  # those somebody decided on or flagged, by id; with predictions all of the pool
    events: tuple[Row, ...] = ()  # every label event, as EVENT_COLUMNS
    metrics: tuple[Row, ...] = ()  # of the latest round that measured: name, value, low, high, n, round
    left_out: tuple[tuple[str, str], ...] = ()  # (file, reason) of samples that cannot go with their labels
    made_at: datetime | None = None
    kind: str = "image"  # of the samples
    for_spreadsheet: bool = False  # cells that a spreadsheet would run as a formula get an apostrophe

    @property
    def labeled(self) -> tuple[ExportedSample, ...]:
        """The samples with a label."""
        return tuple(sample for sample in self.samples if sample.label)


@dataclass(frozen=True)
class Written:
    """What an export holds."""

    folder: Path
    labels: int  # samples with a current label
    events: int  # label events written; none into folders
    left_out: tuple[tuple[str, str], ...] = ()  # (file, reason) of samples that could not be copied
    renamed: tuple[tuple[str, str], ...] = ()  # (class, folder) where a file system cannot hold the class's name
    lost: str = ""  # what the format cannot hold, as a sentence; empty when nothing is lost


HOLDABLE: Mapping[str, str] = {
    # what a format may hold: how it is said when it is lost
    "skips": "{} skips",
    "flags": "{} flags",
    "votes": "what several people said of {} samples",
    "annotators": "who labeled ({} names)",
    "times": "when",
    "lead times": "how long each decision took",
    "purposes": "which {} labels are audit labels",
    "predictions": "{} predictions",
}


def what_is_lost(export: Export, holds: Sequence[str]) -> str:
    """Say in one sentence what of an export a format cannot hold; empty when nothing is lost."""
    there = _content(export)
    lost = [said.format(f"{there[name]:,}") for name, said in HOLDABLE.items() if name not in holds and there[name]]
    alone = sum(sample.flagged and not sample.label for sample in export.samples)
    if alone and "flags" in holds and "skips" not in holds:  # it names samples by their labels alone
        lost.append(f"{alone:,} flags of samples without a label")
    return f"This format cannot hold {_listed(lost)}." if lost else ""


def _content(export: Export) -> dict[str, int]:
    """How much there is of each thing."""
    given = [decision for sample in export.samples for decision in sample.decisions]
    return {
        "skips": sum(decision.action == "skip" for decision in given),
        "flags": sum(sample.flagged for sample in export.samples),
        "votes": sum(sum(d.action != "flag" for d in sample.decisions) > 1 for sample in export.samples),
        "annotators": len({decision.annotator for decision in given if decision.annotator}),
        "times": sum(decision.created_at is not None for decision in given),
        "lead times": sum(decision.lead_time_s is not None for decision in given),
        "purposes": sum(decision.purpose == "audit" for decision in given),
        "predictions": sum(bool(sample.predictions) for sample in export.samples),
    }


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
