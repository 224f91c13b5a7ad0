"""What every step of the trainer works with, built anew from database and settings for each resumption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray

from app.importing.images import load_image
from app.project import Project
from app.settings import ProjectSettings
from app.trainer.heartbeat import Heartbeat
from loops.active_learning import LoopSettings
from loops.features import FeatureStore, embed
from loops.learner import Learner, LearnerSpec, choose_learner
from loops.seeding import seed_of
from storage.engine import Database
from storage.projects import list_classes
from storage.sample_columns import SampleColumns, read_columns
from storage.samples import get_samples, list_samples, mark_broken

URIS_AT_ONCE = 1_000
SIZES_LOOKED_AT = 500  # samples; the first ones, so that what is imported later does not change the learner


@dataclass(frozen=True)
class Workbench:
    """The project as it is now, with its learner chosen and its samples embedded."""

    project: Project
    database: Database
    project_id: int
    generation: int
    heartbeat: Heartbeat
    settings: ProjectSettings
    pool: SampleColumns
    test: SampleColumns
    num_classes: int
    spec: LearnerSpec
    store: FeatureStore

    @property
    def acquisition(self) -> str:
        """The acquisition function that was chosen; what `auto` asks by, the evidence says in each round."""
        return self.settings.acquisition

    @property
    def loop_settings(self) -> LoopSettings:
        """The part of the project's settings that the loop knows."""
        return LoopSettings(
            acquisition=self.acquisition,
            query_size=self.settings.query_size,
            labeling_budget=self.settings.labeling_budget,
            target_accuracy=self.settings.target_accuracy,
            audit_share=self.settings.audit_share,
            cold_start=self.settings.cold_start,
            seed=self.settings.seed,
        )

    @property
    def embedded_pool(self) -> SampleColumns:
        """The samples of the pool that have features."""
        return self.pool.without(self.store.missing(self.pool.ids))

    def learner(self, callbacks: Sequence[pl.Callback] = (), *, fold: int | None = None) -> Learner:
        """A new learner.

        Args:
            callbacks: Join its fits and passes.
            fold: Of a cross-validation, whose weights start elsewhere; None: the round's own learner.
        """
        return Learner(
            self.spec,
            self.store,
            num_classes=self.num_classes,
            seed=self.settings.seed if fold is None else seed_of(self.settings.seed, "fold", fold),
            mc_iterations=self.settings.mc_iterations,
            callbacks=callbacks,
            reset_weights=self.settings.reset_weights,
        )


def set_up(project: Project, database: Database, project_id: int, generation: int, heartbeat: Heartbeat) -> Workbench:
    """Reads settings and samples, chooses the learner, and embeds what is new."""
    settings = project.settings()
    with database.read() as session:
        pool, test = (read_columns(session, project_id=project_id, split=split) for split in ("pool", "test"))
        first = list_samples(session, project_id=project_id, split="pool", limit=SIZES_LOOKED_AT)
        num_classes = len(list_classes(session, project_id=project_id))
    spec = choose_learner(settings.learner, [(s.width, s.height) for s in first])
    store = FeatureStore(project.features_dir / spec.backbone, spec.backbone)
    _embed(store, np.concatenate([pool.ids, test.ids]), database, heartbeat)
    return Workbench(
        project, database, project_id, generation, heartbeat, settings, pool, test, num_classes, spec, store
    )


def _embed(store: FeatureStore, sample_ids: NDArray[np.int64], database: Database, heartbeat: Heartbeat) -> None:
    """Computes the features that are missing; a file that cannot be read is marked broken and left out."""
    missing = store.missing(sample_ids).tolist()
    if not missing:
        return
    uri_of = _Uris(database, missing)

    def on_broken(sample_id: int, reason: str) -> None:
        with database.write() as session:
            mark_broken(session, sample_id=sample_id, reason=reason)

    def load(sample_id: int) -> NDArray[np.uint8]:
        return load_image(Path(uri_of(sample_id)))

    heartbeat.show("embedding", store.backbone.name)
    embed(
        store,
        missing,
        load,
        progress=heartbeat.progress,
        on_broken=on_broken,
        should_stop=lambda: False,  # `progress` ends it
    )


class _Uris:
    """Where the images of samples lie, looked up so many at a time as they are asked for in their order."""

    def __init__(self, database: Database, sample_ids: Sequence[int]) -> None:
        self._database, self._sample_ids, self._next = database, sample_ids, 0
        self._known: dict[int, str] = {}

    def __call__(self, sample_id: int) -> str:
        if sample_id not in self._known:
            piece = self._sample_ids[self._next : self._next + URIS_AT_ONCE]
            self._next += len(piece)
            with self._database.read() as session:
                self._known = {s.id: s.uri for s in get_samples(session, sample_ids=piece).values()}
        return self._known[sample_id]
