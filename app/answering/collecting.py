"""Keeping what the model was least sure of, and adding it to the project's pool, where whoever serves it said so."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Sequence

from app.errors import AppError
from app.formats.errors import ImportingError
from app.formats.source import Entry, Source
from app.project.creation import add_to_pool
from app.project.project import Project
from app.project.settings import write_atomically
from storage.errors import StorageError

FOLDER = "collected"
COMPARED_WITH = 1_000  # answers; what is among the least sure of them is kept
MOST = 20_000  # samples that one server keeps

Given = tuple[bytes, str | None, str, float]  # bytes of a file, or a text; SHA-256; how sure the model was

logger = logging.getLogger(__name__)


class Collector:
    """Keeps the least sure of what was asked.

    Args:
        project: Gets them into its pool.
        share: Of all that is asked, 0..1.
    """

    def __init__(self, project: Project, share: float) -> None:
        self.share = share
        self._project, self._folder = project, project.folder / FOLDER
        self._sure: deque[float] = deque(maxlen=COMPARED_WITH)
        self._one_at_a_time, self._kept = threading.Lock(), 0

    def consider(self, given: Sequence[Given]) -> int:
        """Keep those that are less sure than nearly all before; return how many.

        What goes wrong is logged: whoever asked gets the answer all the same.
        """
        with self._one_at_a_time:
            chosen = [one for one in given if self._is_unsure(one[3])][: MOST - self._kept]
            if not chosen:
                return 0
            try:
                self._add(chosen)
            except (AppError, ImportingError, StorageError, OSError) as error:
                logger.warning("%d samples could not be kept: %s", len(chosen), error)
                return 0
            self._kept += len(chosen)
            return len(chosen)

    def _is_unsure(self, sure: float) -> bool:
        less = sum((one < sure) + 0.5 * (one == sure) for one in self._sure)
        is_unsure = less < self.share * (len(self._sure) + 1)
        self._sure.append(sure)
        return is_unsure

    def _add(self, chosen: Sequence[Given]) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        entries = [self._entry(*one[:3]) for one in chosen]
        source = Source(self._folder.resolve(), tuple(entries), kind=self._kind)
        add_to_pool(self._project, source, given_as=FOLDER)

    def _entry(self, content: bytes, text: str | None, sha256: str) -> Entry:
        name = f"{sha256[:32]}{'.json' if text is not None else ''}"
        kept = content if text is None else json.dumps(text, ensure_ascii=False).encode()
        write_atomically(self._folder / name, kept)
        return Entry(self._folder.resolve(), name, text=text)

    @property
    def _kind(self) -> str:
        from storage.projects import kind_of_samples

        with self._project.opened_to_read(settle=False) as database, database.read() as session:
            return kind_of_samples(session, project_id=self._project.project_id(database))
