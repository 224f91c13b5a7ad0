"""One resumption of the loop: embed what is new, build loop and learner from the settings of today, run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.importing.images import load_image
from app.project import Project
from app.settings import ProjectSettings
from app.trainer.heartbeat import Heartbeat, ProgressCallback
from app.trainer.map import write_map
from app.trainer.oracle import DatabaseOracle
from app.trainer.resuming import prune, restore
from loops.active_learning import ActiveLearningLoop, LoopSettings
from loops.features import FeatureStore, embed
from loops.learner import Learner, LearnerSpec, SavedCheckpoint, choose_learner
from storage.engine import Database, Session
from storage.projects import list_classes
from storage.rounds import latest_round, mark_scoring
from storage.samples import SampleInfo, list_samples, mark_broken

SIZES_LOOKED_AT = 500  # samples; the first ones, so that what is imported later does not change the learner


def run_rounds(project: Project, database: Database, project_id: int, generation: int, heartbeat: Heartbeat) -> None:
    """Runs the loop until no finished round is waiting.

    Everything is built anew from database, settings and checkpoint, so that resuming after a round and resuming after
    a kill are the same code.
    """
    settings = project.settings()
    with database.read() as session:
        samples = _all_samples(session, project_id)
        num_classes = len(list_classes(session, project_id=project_id))
    spec = choose_learner(settings.learner, [(s.width, s.height) for s in samples[:SIZES_LOOKED_AT]])
    store = FeatureStore(project.features_dir / spec.backbone, spec.backbone)
    embed_samples(store, samples, database, heartbeat)
    learner = Learner(
        spec,
        store,
        num_classes=num_classes,
        seed=settings.seed,
        mc_iterations=settings.mc_iterations,
        callbacks=[ProgressCallback(heartbeat)],
        reset_weights=settings.reset_weights,
    )
    loop_settings = settings_of_loop(settings, spec)
    loop = ActiveLearningLoop(
        learner=learner,
        oracle=DatabaseOracle(project, database, project_id, generation, loop_settings, store, spec.name, heartbeat),
        settings=loop_settings,
        rounds_folder=project.rounds_dir,
        on_checkpoint=_list_checkpoint(project, database, project_id, generation),
    )
    restore(loop, learner, project, database, project_id=project_id)
    loop.run()
    prune(project, database, project_id=project_id)
    heartbeat.show("idle", "drawing the map of the samples")
    write_map(project, store, [sample.id for sample in samples if sample.split == "pool"])


def embed_samples(store: FeatureStore, samples: Sequence[SampleInfo], database: Database, heartbeat: Heartbeat) -> None:
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


def settings_of_loop(settings: ProjectSettings, spec: LearnerSpec) -> LoopSettings:
    """The part of the project's settings that the loop knows."""
    return LoopSettings(
        acquisition=spec.acquisition if settings.acquisition == "auto" else settings.acquisition,
        query_size=settings.query_size,
        labeling_budget=settings.labeling_budget,
        target_accuracy=settings.target_accuracy,
        audit_share=settings.audit_share,
        cold_start=settings.cold_start,
        seed=settings.seed,
    )


def _all_samples(session: Session, project_id: int) -> list[SampleInfo]:
    return [
        *list_samples(session, project_id=project_id, split="pool"),
        *list_samples(session, project_id=project_id, split="test"),
    ]


def _list_checkpoint(
    project: Project, database: Database, project_id: int, generation: int
) -> Callable[[int, SavedCheckpoint], None]:
    def list_checkpoint(round_number: int, saved: SavedCheckpoint) -> None:
        with database.write() as session:
            latest = latest_round(session, project_id=project_id)
            assert latest is not None
            assert latest.number == round_number
            mark_scoring(
                session,
                round_id=latest.id,
                generation=generation,
                checkpoint=saved.path.relative_to(project.folder).as_posix(),
                sha256=saved.sha256,
                size=saved.size,
            )

    return list_checkpoint
