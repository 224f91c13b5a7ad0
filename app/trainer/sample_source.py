"""Where samples come from when they are embedded: from their kind, or rows that somebody computed already."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.kinds.kind import Kind, kind_named
from app.project.given_rows import read_order
from app.project.project import Project
from app.trainer import embedding_pass
from app.trainer.devices import devices_of
from loops.devices.embedding import embed_on_devices, pays
from loops.embeddings.backbone import Backbone
from loops.embeddings.embedders import fit
from loops.embeddings.features import FeatureStore, embed
from loops.embeddings.own_source import kind_of, open_rows
from storage.engine import Database
from storage.projects import kind_of_samples
from storage.refusals import mark_broken
from storage.samples import SampleInfo, get_samples
from storage.trainer import record_error

SAMPLES_AT_ONCE = 1_000  # looked up in the database

Load = Callable[[int], Any]


@dataclass(frozen=True)
class SampleSource:
    """The samples of one project."""

    project: Project
    database: Database

    @property
    def kind(self) -> Kind:
        """What they are."""
        return kind_named(self._kind_name)

    @property
    def _kind_name(self) -> str:
        with self.database.read() as session:
            return kind_of_samples(session, project_id=self.project.project_id(self.database))

    def fit(self, store: FeatureStore, pool: NDArray[np.int64], check: Callable[[], None]) -> None:
        """Lets the store's backbone learn from the pool what it must know before it embeds; mostly nothing."""
        fit(store.backbone, store.folder, pool, self.reader(store.backbone, pool), check)

    def reader(self, backbone: Backbone, sample_ids: NDArray[np.int64]) -> Load:
        """Gives what the backbone's embedder takes for a sample; asked for in the order of `sample_ids`."""
        known = _Samples(self.database, sample_ids)
        if not self._has_rows(backbone):
            return _loader(self.kind, known)
        row_of, rows = read_order(self.project), open_rows(Path(backbone.source))

        def row(sample_id: int) -> NDArray[Any]:
            if known(sample_id).uri not in row_of:
                raise LookupError("the array file of this project has no row for this sample")
            return np.asarray(rows[row_of[known(sample_id).uri]])

        return row

    def embed(
        self,
        store: FeatureStore,
        sample_ids: NDArray[np.int64],
        *,
        enough: int,
        progress: Callable[[int, int], None],
        on_broken: Callable[[int, str], None],
        should_stop: Callable[[], bool],
    ) -> None:
        """Computes features, on all devices that the trainer was given where that pays.

        Args:
            store: Is filled.
            sample_ids: None of them in the store, in the order in which they are to be embedded.
            enough: So many are embedded on several devices before it returns.
            progress: Of `loops.embeddings.features.embed`.
            on_broken: Likewise.
            should_stop: Likewise; on one device.
        """
        devices, some = devices_of(self.project), sample_ids[: max(0, enough)]
        if devices is None or self._has_rows(store.backbone) or not pays(devices, store, len(some)):
            load = self.reader(store.backbone, sample_ids)
            embed(store, sample_ids, load, progress=progress, on_broken=on_broken, should_stop=should_stop)
            return
        known, kind = _Samples(self.database, some), self._kind_name
        sources = [(kind, known(sample_id).uri, known(sample_id).content) for sample_id in some.tolist()]
        module = embedding_pass.MODULE
        embed_on_devices(store, some, sources, devices, module=module, progress=progress, on_broken=on_broken)

    @staticmethod
    def _has_rows(backbone: Backbone) -> bool:
        """Whether somebody computed the features already, and they are only to be read."""
        return bool(backbone.source) and kind_of(backbone.source) == "rows"

    def leave_out(self, sample_id: int, reason: str) -> None:
        """Notes that a sample cannot be embedded; it is never asked."""
        with self.database.write() as session:
            mark_broken(session, sample_id=sample_id, reason=reason)

    def note_failure(self, step: str, error: Exception) -> None:
        """Notes what went wrong where nobody waits; the screen lists it."""
        with self.database.write() as session:
            record_error(
                session,
                project_id=self.project.project_id(self.database),
                round_number=None,
                step=step,
                message=str(error) or type(error).__name__,
                traceback="".join(traceback.format_exception(error)),
            )


def _loader(kind: Kind, known: _Samples) -> Load:
    return lambda sample_id: kind.load(known(sample_id).uri, known(sample_id).content)


class _Samples:
    """What the database says of samples, looked up so many at a time as they are asked for in their order."""

    def __init__(self, database: Database, sample_ids: NDArray[np.int64]) -> None:
        self._database, self._sample_ids, self._next = database, sample_ids, 0
        self._known: dict[int, SampleInfo] = {}

    def __call__(self, sample_id: int) -> SampleInfo:
        while sample_id not in self._known:
            piece = self._sample_ids[self._next : self._next + SAMPLES_AT_ONCE].tolist()
            self._next += SAMPLES_AT_ONCE
            with self._database.read() as session:
                self._known = get_samples(session, sample_ids=piece)
        return self._known[sample_id]
