"""What a server answers with: a model or a project, whose newer rounds take over by themselves."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.answering.answerer import About, Answerer, open_answerer
from app.answering.collecting import Collector
from app.errors import AnsweringError, AppError, NoModelError
from app.formats.errors import RefusedSampleError
from app.formats.records import kept
from app.formats.source import Entry
from app.kinds.image import decode
from app.kinds.kind import kind_named
from app.project.project import Project, open_project
from storage.engine import Database
from storage.errors import StorageError
from storage.projects import kind_of_samples, list_classes

LOOKED_EVERY_S = 2.0  # for a newer round

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """A sample of a request, ready to be answered."""

    sample: Any  # as the kind loads it
    sha256: str
    text: str | None  # of what is in no file
    content: bytes = b""  # of a file


class Served:
    """What answers, and for a project what came of it since.

    Args:
        path: Of a project, or a model.
        collect: Share of the samples, the most uncertain ones, that are kept and added to the project's pool.
    """

    def __init__(self, path: Path, *, collect: float = 0.0) -> None:
        self.path = path
        self._answerer: Answerer | None = None
        self._why_none = ""
        self.project: Project | None
        try:
            self._answerer, self.project = open_answerer(path)
        except (NoModelError, AnsweringError) as error:
            self.project, self._why_none = _project_without_model(path, error), str(error)
        self.collector = Collector(self.project, collect) if self.project is not None and collect else None
        self._looked_at, self._loading = time.monotonic(), threading.Lock()

    @property
    def about(self) -> About:
        """The model that answers now.

        Raises:
            NoModelError: There is none yet.
        """
        return self._at_work().about

    @property
    def version(self) -> str:
        """The version of the model that answers now; empty as long as there is none."""
        return self._answerer.about.version if self._answerer is not None else ""

    def newest_version(self) -> str:
        """Of the newest round, which takes over with the next question: whoever asks here first is answered by it."""
        if self.project is not None:
            try:
                with self.project.opened_to_read(settle=False) as database:
                    newest = _version_of_newest(database, self.project)
            except (NoModelError, StorageError):
                return self.version
            if newest != self.version:
                self._looked_at = -math.inf
            return newest
        return self.version

    @property
    def kind(self) -> str:
        """The kind of the samples, whether or not a model answers for them yet."""
        if self._answerer is not None or self.project is None:
            return self.about.kind
        with self.project.opened_to_read(settle=False) as database, database.read() as session:
            return kind_of_samples(session, project_id=self.project.project_id(database))

    @property
    def words(self) -> str:
        """What is served, as the beginning of a sentence that ends with an address."""
        if self._answerer is not None:
            return f"{self._answerer.about.name}, {self.version}, answers at"
        return f"{self._why_none} The project can be labeled at"

    @property
    def answerer(self) -> Answerer:
        """What answers; the model of a newer round, once it is published, from the next request on.

        Raises:
            NoModelError: Nothing does yet.
        """
        self._look_for_newer()
        return self._at_work()

    def _at_work(self) -> Answerer:
        if self._answerer is None:
            self._look_for_newer()
        if self._answerer is None:
            raise NoModelError(self._why_none)
        return self._answerer

    def _look_for_newer(self) -> None:
        if self.project is None or time.monotonic() - self._looked_at < LOOKED_EVERY_S:
            return
        if not self._loading.acquire(blocking=False):
            return
        try:
            self._looked_at = time.monotonic()
            if self._is_behind(self.project):
                self._answerer = open_answerer(self.path)[0]
        except (AppError, StorageError) as error:
            if self._answerer is not None:
                logger.warning("the model that was loaded goes on answering: %s", error)
            self._why_none = str(error)
        finally:
            self._loading.release()

    def _is_behind(self, project: Project) -> bool:
        """Whether a newer round was published or a class renamed: of two that swapped names one would be the other."""
        known = self._answerer.about.classes if self._answerer is not None else ()
        with project.opened_to_read(settle=False) as database:
            newest = _version_of_newest(database, project)
            with database.read() as session:
                classes = list_classes(session, project_id=project.project_id(database))
        return newest != self.version or known != tuple(entry.name for entry in classes[: len(known)])

    def text(self, text: str) -> Asked:
        """A text, or a row of a table as JSON.

        Raises:
            RefusedSampleError: It is none.
        """
        kind = kind_named(self.kind)
        admitted = kind.admit(Entry(Path(), "request", text=text))
        return Asked(kind.load(admitted.uri, admitted.content), admitted.sha256, text)

    def row(self, values: dict[str, Any]) -> Asked:
        """A row of a table; numbers as they are written."""
        return self.text(kept(values, self.kind))

    def file(self, content: bytes) -> Asked:
        """A file's bytes.

        Raises:
            RefusedSampleError: They hold no sample of the model's kind.
        """
        if kind_named(self.kind).IN_FILES:
            if not content:
                raise RefusedSampleError("is empty")
            return Asked(decode(content, verify=True), hashlib.sha256(content).hexdigest(), None, content)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise RefusedSampleError("is not UTF-8 text") from None
        return self.row(_row_in(text)) if kind_named(self.kind).HAS_COLUMNS else self.text(text)

    def answers(self, asked: Sequence[Asked | str], *, collect: bool = True) -> list[dict[str, Any]]:
        """Answer for each sample in its place.

        Args:
            asked: Samples; a string says why there is none.
            collect: Whether the caller lets them be kept.
        """
        answerer = self.answerer
        good = [(place, one) for place, one in enumerate(asked) if isinstance(one, Asked)]
        probs_N_C, bad = answerer.probs([one.sample for _, one in good]) if good else (np.empty((0, 0)), {})
        found: list[dict[str, Any]] = [{"error": one} if isinstance(one, str) else {} for one in asked]
        kept: list[tuple[Asked, float]] = []
        for row, (place, one) in enumerate(good):
            found[place] = {"error": bad[row]} if row in bad else answer_of(probs_N_C[row], answerer.about)
            if row not in bad:
                kept.append((one, found[place]["probability"]))
        if self.collector is not None and collect:
            self.collector.consider([(one.content, one.text, one.sha256, sure) for one, sure in kept])
        return found

    def answers_of_pool(self, sample_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """By id, the answers for samples of the project, as its screens show them; a new one may have none yet."""
        answerer = self.answerer
        return {i: answer_of(probs_C, answerer.about) for i, probs_C in answerer.probs_of_pool(sample_ids).items()}


def answer_of(probs_C: Any, about: About) -> dict[str, Any]:  # noqa: ANN401 - an array
    """The class, its probability, and those of all classes."""
    best = int(np.argmax(probs_C))
    named = {name: float(one) for name, one in zip(about.classes, probs_C, strict=True)}
    return {"label": about.classes[best], "probability": float(probs_C[best]), "probabilities": named}


def _row_in(text: str) -> dict[str, Any]:
    """The values of a row by name, in the JSON that an export writes of one."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise RefusedSampleError('is no row: wanted is JSON with its values by name, such as {"width": 3}')
    return values


def _project_without_model(path: Path, error: AppError) -> Project:
    """The project that has no model yet: it can be labeled all the same."""
    folder = path.expanduser()
    if not (folder / "settings.toml").is_file():
        raise error
    return open_project(folder)


def _version_of_newest(database: Database, project: Project) -> str:
    from app.trainer.published import newest_round

    return f"round-{newest_round(database, project.project_id(database)).number}"


def bytes_of(encoded: str) -> bytes:
    """What base64 says, also behind `data:image/png;base64,`.

    Raises:
        RefusedSampleError: It is no base64.
    """
    try:
        return base64.b64decode(encoded.partition("base64,")[2] or encoded, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedSampleError("is not base64") from None
