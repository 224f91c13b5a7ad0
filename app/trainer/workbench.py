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
from storage.engine import Database, Session
from storage.projects import list_classes
from storage.samples import SampleInfo, list_samples, mark_broken

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
    samples: Sequence[SampleInfo]  # pool, then test
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
        samples = _all_samples(session, project_id)
        num_classes = len(list_classes(session, project_id=project_id))
    spec = choose_learner(settings.learner, [(s.width, s.height) for s in samples[:SIZES_LOOKED_AT]])
    store = FeatureStore(project.features_dir / spec.backbone, spec.backbone)
    _embed(store, samples, database, heartbeat)
    return Workbench(project, database, project_id, generation, heartbeat, settings, samples, num_classes, spec, store)


def _embed(store: FeatureStore, samples: Sequence[SampleInfo], database: Database, heartbeat: Heartbeat) -> None:
    """Computes the features that are missing; a file that cannot be read is marked broken and left out."""
    uri_of = {sample.id: sample.uri for sample in samples}
    if len(store.missing(list(uri_of))) == 0:
        return

    def on_broken(sample_id: int, reason: str) -> None:
        with database.write() as session:
            mark_broken(session, sample_id=sample_id, reason=reason)

    def load(sample_id: int) -> NDArray[np.uint8]:
        return load_image(Path(uri_of[sample_id]))

    heartbeat.show("embedding", store.backbone.name)
    embed(
        store,
        list(uri_of),
        load,
        progress=heartbeat.progress,
        on_broken=on_broken,
        should_stop=lambda: False,  # `progress` ends it
    )


def _all_samples(session: Session, project_id: int) -> list[SampleInfo]:
    return [
        *list_samples(session, project_id=project_id, split="pool"),
        *list_samples(session, project_id=project_id, split="test"),
    ]
