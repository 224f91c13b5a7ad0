"""A project from Python: what the screens do, a script or a notebook can.

from app.client import Project

with Project("cats", annotator="ada") as project:
    for query in project.next(3):
        project.label(query.sample_id, "cat")
    print(project.rounds()[-1])

`Project("http://...", token=...)` is the same over HTTP (`client_over_http`): this class answers what that one asks.
"""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

from app import client_arguments as checked
from app.errors import ExportError, ProjectError
from app.formats.export import Written
from app.kinds.kind import kind_named
from app.project.exporting import export
from app.project.pool_answers import Choice, PoolAnswers, Predictions
from app.project.project import open_project
from app.project.questions import Question, limits_of, questions
from app.project.status import project_status
from storage.current import CurrentLabel, current_labels
from storage.events import LabelEventInfo
from storage.finding import sample_of, search_samples
from storage.labels import record_decision, undo_request
from storage.metrics import MetricInfo, list_metrics
from storage.names import one_name
from storage.projects import ClassInfo, get_or_create_annotator, kind_of_samples, list_classes
from storage.queue import release_claims
from storage.rounds import RoundInfo, list_rounds
from storage.samples import SampleInfo, list_samples
from storage.trainer import request_training

__all__ = ["Predictions", "Project", "Question"]

ADDRESSES = ("http://", "https://")


class Project:
    """An open project; close it, or use it in a `with`.

    Args:
        folder: Of the project; or the address of a `labelloop serve` that has it.
        annotator: Under whose name decisions are stored.
        token: Of that server.

    Raises:
        ProjectError: It is no project, or the annotator has no name.
        ServerAwayError: Nothing answers at the address.
    """

    def __new__(cls, folder: Path | str, **_given: str) -> Project:
        """A project at an address is one of another class, as a `pathlib.Path` is that of the system it is on."""
        if isinstance(folder, str) and folder.lower().startswith(ADDRESSES):
            from app.client_over_http import ProjectOverHttp

            cls = ProjectOverHttp
        return object.__new__(cls)

    def __init__(self, folder: Path | str, *, annotator: str = "python", token: str = "") -> None:  # noqa: ARG002 - of an address
        self.annotator = checked.name(annotator)
        self._project = open_project(folder)
        self._database = self._project.open_database()
        self._id = self._project.project_id(self._database)
        self._annotator_id: int | None = None  # until it is needed
        self._page = f"python-{uuid.uuid4().hex}"
        self._answers = PoolAnswers(self._database, self._id, self._project.rounds_dir)

    def acting_as(self, annotator: str, *, page: str = "") -> Project:
        """The same open project under another name; closing this one closes both.

        Args:
            annotator: Under whose name decisions are stored.
            page: Tells places apart at which one person labels at the same time.
        """
        other = object.__new__(type(self))
        vars(other).update(vars(self), annotator=checked.name(annotator), _annotator_id=None, _page=f"http-{page}")
        return other

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
    def name(self) -> str:
        """The project's name."""
        return self._project.settings().name

    @property
    def kind(self) -> str:
        """Of its samples: image, text or table."""
        with self._database.read() as session:
            return kind_of_samples(session, project_id=self._id)

    @property
    def classes(self) -> list[ClassInfo]:
        """All classes by index, retired ones too."""
        with self._database.read() as session:
            return list_classes(session, project_id=self._id)

    def samples(
        self, *, split: str = "pool", search: str = "", after: int = 0, limit: int = 1_000_000
    ) -> list[SampleInfo]:
        """The samples of the pool, or of the test set, by id.

        Args:
            split: `pool` or `test`.
            search: A part of the file's name or of the text, or the sample's number; empty: all.
            after: Only those with a larger id: the next page.
            limit: How many at most.
        """
        page = {"split": checked.split(split), "after_id": checked.place(after), "limit": checked.place(limit)}
        which: dict[str, Any] = {"project_id": self._id, **page}
        with self._database.read() as session:
            return search_samples(session, wanted=str(search), **which) if search else list_samples(session, **which)

    def content(self, sample_id: int) -> bytes:
        """The file of an image as it is, a text, or a row as JSON.

        Raises:
            UnknownSampleError: There is no such sample.
            RefusedSampleError: It cannot be read, or is another file by now.
        """
        with self._database.read() as session:
            sample = sample_of(session, project_id=self._id, sample_id=checked.sample_id(sample_id))
        return kind_named(self.kind).copy(sample).content

    def labels(self, *, after: int = 0, limit: int = 1_000_000) -> list[CurrentLabel]:
        """What stands per sample, by sample id; only samples with a larger id than ``after``."""
        page = {"after_sample_id": checked.place(after), "limit": checked.place(limit)}
        with self._database.read() as session:
            return current_labels(session, project_id=self._id, **page)

    def next(self, count: int = 1) -> list[Question]:
        """The samples to be labeled next; nobody else is asked about them for some minutes.

        Where a round has no more, samples of the rest follow at random, as on the Label screen. None once the budget
        or the target is reached, and before the trainer has chosen the first.
        """
        return questions(self._database, self._project.settings(), count=checked.count(count), **self._whose())

    def finish(self) -> None:
        """Let go of what was asked and not decided: others are asked about it at once."""
        whose = self._whose()
        with self._database.write() as session:
            release_claims(session, **whose)

    def label(self, sample_id: int, class_name: str, *, request_id: str = "") -> LabelEventInfo:
        """Stores a label; the same request id again returns what was stored the first time.

        Raises:
            ProjectError: There is no such class.
            StorageError: The sample is none of the pool, the request id belongs to another decision or person, or the
                budget is used up.
        """
        return self._decide(sample_id, "label", self._class_index(class_name), request_id)

    def skip(self, sample_id: int, *, request_id: str = "") -> LabelEventInfo:
        """Takes a sample out of the pool."""
        return self._decide(sample_id, "skip", None, request_id)

    def flag(self, sample_id: int, *, request_id: str = "") -> LabelEventInfo:
        """Ask for a second look at a sample; it stays where it is."""
        return self._decide(sample_id, "flag", None, request_id)

    def undo(self, request_id: str) -> LabelEventInfo:
        """Takes the decision of a request back."""
        whose = self._whose()
        with self._database.write() as session:
            return undo_request(session, **whose, request_id=request_id, undo_id=f"undo-of:{request_id}")

    def train(self) -> None:
        """Asks the trainer to train now."""
        person_id = self._person()
        with self._database.write() as session:
            request_training(session, project_id=self._id, kind="train", annotator_id=person_id)

    def rounds(self) -> list[RoundInfo]:
        """All rounds by number."""
        with self._database.read() as session:
            return list_rounds(session, project_id=self._id)

    def metrics(self) -> list[MetricInfo]:
        """All that was measured, by round."""
        with self._database.read() as session:
            return list_metrics(session, project_id=self._id)

    def predictions(
        self,
        *,
        class_name: str = "",
        low: float = 0.0,
        high: float = 1.0,
        order: str = "least sure first",
        search: str = "",
        offset: int = 0,
        limit: int = 100,
    ) -> Predictions:
        """What the newest model that scored the pool answers for it: one page.

        Args:
            class_name: Of the answer; empty: all.
            low: Probability of the answer, at least.
            high: At most.
            order: "least sure first", "surest first" or "by sample".
            search: A part of the file's path; empty: all.
            offset: Answers to pass over.
            limit: How many at most.

        Raises:
            NoModelError: No model has scored the pool yet.
            ProjectError: There is no such class, order, probability or page.
        """
        index = self._class_index(class_name) if class_name else None
        choice = Choice(index, checked.share(low), checked.share(high), order)
        page = {"offset": checked.place(offset), "limit": checked.place(limit)}
        return self._answers.page(choice, search=str(search), **page, classes=self.classes)

    def status(self) -> dict[str, Any]:
        """What `labelloop status --json` says."""
        return project_status(self._database, self._project)

    def export(
        self,
        format: str,  # noqa: A002 - the command line's word
        out: Path | str,
        *,
        with_predictions: bool = False,
        at: str | date = "",
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
        told: dict[str, Any] = {"rounds_dir": rounds_dir, "at": checked.moment(at)}
        return export(self._database, self._id, format, Path(out), project=self._project.settings().name, **told)

    def _class_index(self, name: str) -> int:
        classes, name = self.classes, str(name)
        found = next((one for one in classes if one_name(one.name) == one_name(name)), None)
        if found is None:
            known = ", ".join(one.name for one in classes)
            raise ProjectError(f"There is no class {name!r}; the classes are {known}.")
        return found.index

    def _person(self) -> int:
        """The annotator's id, in a transaction of its own where it is a new one: not to be asked within another."""
        if self._annotator_id is None:
            with self._database.write() as session:
                self._annotator_id = get_or_create_annotator(session, project_id=self._id, name=self.annotator)
        return self._annotator_id

    def _whose(self) -> dict[str, Any]:
        return {"project_id": self._id, "annotator_id": self._person(), "page": self._page}

    def _decide(self, sample_id: int, action: str, class_index: int | None, request_id: str) -> LabelEventInfo:
        person_id, request_id = self._person(), checked.request_id(request_id)
        with self._database.write() as session:
            return record_decision(
                session,
                project_id=self._id,
                sample_id=checked.sample_id(sample_id),
                annotator_id=person_id,
                action=action,
                class_index=class_index,
                request_id=request_id,
                limits=limits_of(self._project.settings()),
            )
