"""A project from Python: what the screens do, a script or a notebook can.

from app.client import Project

with Project("cats", annotator="ada") as project:
    for query in project.next(3):
        project.label(query.sample_id, "cat")
    print(project.rounds()[-1])
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from app.errors import ExportError, ProjectError
from app.formats.export import Written
from app.project.exporting import export
from app.project.project import open_project
from app.project.status import project_status
from storage.current import CurrentLabel, current_labels
from storage.events import LabelEventInfo
from storage.labels import record_decision, undo_request
from storage.metrics import MetricInfo, list_metrics
from storage.names import one_name
from storage.projects import ClassInfo, get_or_create_annotator, list_classes
from storage.queue import claim_batch
from storage.rounds import RoundInfo, list_rounds
from storage.samples import SampleInfo, list_samples
from storage.trainer import request_training


@dataclass(frozen=True)
class Question:
    """A sample that the project wants a label for."""

    sample_id: int
    uri: str  # its file, or its name
    content: str | None  # of a text or a row
    suggestion: str | None  # the model's answer
    probability: float | None  # of it
    purpose: str  # train | audit | recheck


class Project:
    """An open project; close it, or use it in a `with`.

    Args:
        folder: Of the project.
        annotator: Under whose name decisions are stored.

    Raises:
        ProjectError: It is no project.
    """

    def __init__(self, folder: Path | str, *, annotator: str = "python") -> None:
        self._project = open_project(folder)
        self._database = self._project.open_database()
        self._id = self._project.project_id(self._database)
        with self._database.write() as session:
            self._annotator_id = get_or_create_annotator(session, project_id=self._id, name=annotator)
        self._page = f"python-{uuid.uuid4().hex}"

    def __enter__(self) -> Project:
        """The project itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    @property
    def classes(self) -> list[ClassInfo]:
        """All classes by index, retired ones too."""
        with self._database.read() as session:
            return list_classes(session, project_id=self._id)

    def samples(self, *, split: str = "pool", limit: int = 1_000_000) -> list[SampleInfo]:
        """The samples of the pool, or of the test set."""
        with self._database.read() as session:
            return list_samples(session, project_id=self._id, split=split, limit=limit)

    def labels(self) -> list[CurrentLabel]:
        """What stands per sample, by sample id."""
        with self._database.read() as session:
            return current_labels(session, project_id=self._id)

    def next(self, count: int = 1) -> list[Question]:
        """The samples to be labeled next; nobody else is asked about them for some minutes."""
        names = [entry.name for entry in self.classes]
        with self._database.write() as session:
            claimed = claim_batch(
                session, project_id=self._id, annotator_id=self._annotator_id, page=self._page, count=count
            )
        return [
            Question(
                one.sample.id,
                one.sample.uri,
                one.sample.content,
                None if one.suggestion is None else names[one.suggestion],
                one.suggestion_probability,
                one.purpose,
            )
            for one in claimed
        ]

    def label(self, sample_id: int, class_name: str, *, request_id: str = "") -> LabelEventInfo:
        """Stores a label; the same request id again returns what was stored the first time.

        Raises:
            ProjectError: There is no such class.
            StorageError: The sample is none of the pool, or the request id belongs to another decision.
        """
        found = next((one for one in self.classes if one_name(one.name) == one_name(class_name)), None)
        if found is None:
            known = ", ".join(one.name for one in self.classes)
            raise ProjectError(f"There is no class {class_name!r}; the classes are {known}.")
        return self._decide(sample_id, "label", found.index, request_id)

    def skip(self, sample_id: int, *, request_id: str = "") -> LabelEventInfo:
        """Takes a sample out of the pool."""
        return self._decide(sample_id, "skip", None, request_id)

    def undo(self, request_id: str) -> LabelEventInfo:
        """Takes the decision of a request back."""
        with self._database.write() as session:
            return undo_request(
                session,
                project_id=self._id,
                annotator_id=self._annotator_id,
                request_id=request_id,
                undo_id=f"undo-of:{request_id}",
                page=self._page,
            )

    def train(self) -> None:
        """Asks the trainer to train now."""
        with self._database.write() as session:
            request_training(session, project_id=self._id, kind="train", annotator_id=self._annotator_id)

    def rounds(self) -> list[RoundInfo]:
        """All rounds by number."""
        with self._database.read() as session:
            return list_rounds(session, project_id=self._id)

    def metrics(self) -> list[MetricInfo]:
        """All that was measured, by round."""
        with self._database.read() as session:
            return list_metrics(session, project_id=self._id)

    def status(self) -> dict[str, Any]:
        """What `labelloop status --json` says."""
        return project_status(self._database, self._project)

    def export(
        self,
        format: str,  # noqa: A002 - the command line's word
        out: Path | str,
        *,
        with_predictions: bool = False,
        at: str | datetime = "",
    ) -> Written:
        """Writes the labels to a new folder.

        Args:
            format: any of `labelloop formats`.
            out: the folder to make.
            with_predictions: the model's answers for the rest of the pool too.
            at: the labels as they stood then: a time, or words as `labelloop export --at` takes them; empty: now.

        Raises:
            ExportError: It cannot be written, ``at`` is no moment, or comes with the predictions, which are of now.
            NoMomentError: Nothing was labeled by then.
        """
        if at and with_predictions:
            raise ExportError("'at' and 'with_predictions' exclude each other: the model's answers are those of now.")
        rounds_dir = self._project.rounds_dir if with_predictions else None
        name, moment = self._project.settings().name, at.isoformat() if isinstance(at, datetime) else at
        return export(self._database, self._id, format, Path(out), project=name, rounds_dir=rounds_dir, at=moment)

    def _decide(self, sample_id: int, action: str, class_index: int | None, request_id: str) -> LabelEventInfo:
        with self._database.write() as session:
            return record_decision(
                session,
                project_id=self._id,
                sample_id=sample_id,
                annotator_id=self._annotator_id,
                action=action,
                class_index=class_index,
                request_id=request_id or uuid.uuid4().hex,
            )
