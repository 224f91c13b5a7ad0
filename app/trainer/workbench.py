"""What every step of the trainer works with, built anew from database and settings for each resumption."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.project.hub import refuse_other_weights
from app.project.own_code import check_own_code
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.project.simplest import latest_gain, settings_in_force
from app.trainer.background import BackgroundEmbedding
from app.trainer.devices import devices_of
from app.trainer.embedding_request import EmbeddingRequest
from app.trainer.heartbeat import Heartbeat
from loops.acquisition import catalog
from loops.acquisition.catalog import AcquisitionFunction
from loops.devices.network import DistributedNetwork
from loops.embeddings.backbone import Backbone
from loops.embeddings.embedding_choice import read_embedding_choice
from loops.embeddings.features import FeatureStore
from loops.embeddings.kinds import backbone_of, candidates_of, rivals_of
from loops.embeddings.names import ClassName, name_rows
from loops.embeddings.own_source import own_backbone
from loops.predictors.making import champion_answers, own_predictor, predictor_for
from loops.predictors.network import Callbacks, Network
from loops.predictors.network_spec import NetworkSpec, base_name, choose_network
from loops.predictors.predictor import Predictor
from loops.settings import LoopSettings
from storage.current import decided_ids
from storage.engine import Database
from storage.projects import ClassInfo, kind_of_samples, list_classes
from storage.sample_columns import SampleColumns, read_columns
from storage.samples import list_samples

FIRST = 125  # samples that are embedded before the first questions; drawn at random, so they are typical
SIZES_LOOKED_AT = 500  # samples; the first ones, so that what is imported later does not change the predictor


@dataclass(frozen=True)
class Workbench:
    """The project as it is now, with its predictor chosen and its samples embedded."""

    project: Project
    database: Database
    project_id: int
    generation: int
    heartbeat: Heartbeat
    settings: ProjectSettings  # in force: a default that was worse than the simplest thing has given way to it
    pool: SampleColumns
    test: SampleColumns
    classes: tuple[ClassName, ...]  # by index
    spec: NetworkSpec
    store: FeatureStore
    candidates: tuple[str, ...] = ()  # embeddings that may take its place; none where a person chose
    structure_tells: bool = False  # whether they are compared before there are labels

    @property
    def num_classes(self) -> int:
        """Of all classes, those that are retired too."""
        return len(self.classes)

    @property
    def acquisition(self) -> AcquisitionFunction:
        """The acquisition function that was chosen."""
        return catalog.find(self.settings.acquisition)

    @property
    def predictor_name(self) -> str:
        """What the predictor is called: somebody's own as it was given, otherwise the network that was chosen."""
        return self.settings.predictor if catalog.is_own(self.settings.predictor) else self.spec.name

    @property
    def enough(self) -> int:
        """Samples to choose a round among, at least, while others are still to be embedded."""
        return 2 * self.loop_settings.ranking_size

    @property
    def loop_settings(self) -> LoopSettings:
        """The part of the project's settings that the loop knows."""
        return LoopSettings(
            acquisition=self.settings.acquisition,
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

    @property
    def share_embedded(self) -> float:
        """Of the pool, 0..1; below 1 while samples are still to be looked at."""
        return len(self.embedded_pool) / max(1, len(self.pool))

    def predictor(self, callbacks: Callbacks = lambda _fold: ()) -> Predictor:
        """A new predictor, as the acquisition function needs it.

        Args:
            callbacks: Of each fold: they join fits and passes over samples.
        """
        named, names = self.settings.predictor, name_rows(self.store, self.classes)
        return predictor_for(self.acquisition, self._base(callbacks), self.store, predictor=named, names=names)

    def _base(self, callbacks: Callbacks) -> Predictor:
        """The predictor that the settings name."""
        settings = self.settings
        if catalog.is_own(settings.predictor):
            return own_predictor(
                settings.predictor,
                self.store,
                num_classes=self.num_classes,
                seed=settings.seed,
                mc_iterations=settings.mc_iterations,
                callbacks=callbacks,
                trainer=settings.trainer,
            )
        return self.network(callbacks)

    def network(self, callbacks: Callbacks = lambda _fold: ()) -> Network:
        """A new network on the project's rows, on the devices that the trainer was given."""
        devices = devices_of(self.project)
        make = Network if devices is None else partial(DistributedNetwork, devices=devices)
        return make(
            self.spec,
            self.store,
            num_classes=self.num_classes,
            seed=self.settings.seed,
            mc_iterations=self.settings.mc_iterations,
            callbacks=callbacks,
            reset_weights=self.settings.reset_weights,
        )


def set_up(
    project: Project,
    database: Database,
    project_id: int,
    generation: int,
    heartbeat: Heartbeat,
    background: BackgroundEmbedding,
) -> Workbench:
    """Reads settings and samples, chooses the predictor, and waits until enough samples are embedded to ask about."""
    # An acquisition function of one's own is asked only after the first labels; an embedding is looked for below, once.
    check_own_code(replace(project.settings(), embedding=""))
    with database.read() as session:
        settings = settings_in_force(project.settings(), latest_gain(session, project_id=project_id))
        pool, test = (read_columns(session, project_id=project_id, split=split) for split in ("pool", "test"))
        first = list_samples(session, project_id=project_id, split="pool", limit=SIZES_LOOKED_AT)
        decided = np.array(sorted(decided_ids(session, project_id=project_id)), np.int64)
        classes = as_names(list_classes(session, project_id=project_id))
        kind = kind_of_samples(session, project_id=project_id)
    candidates = candidates_of(kind, [(sample.width, sample.height) for sample in first])
    spec, backbone = _chosen(project, settings, candidates)
    bench = Workbench(
        project, database, project_id, generation, heartbeat, settings, pool, test, classes, spec,
        FeatureStore(project.features_dir / spec.backbone, backbone, first=0),
        candidates=() if _is_decided(settings) else candidates, structure_tells=bool(rivals_of(kind, candidates)),
    )  # fmt: skip
    background.want(
        EmbeddingRequest(
            folder=bench.store.folder,
            backbone=backbone,
            pool=pool.ids,
            test=test.ids,
            first=max(FIRST, bench.enough * 5 // 4),  # some are decided meanwhile
            graphed=champion_answers(bench.acquisition, settings.predictor),
            num_classes=len(classes),
            seed=settings.seed,
            rivals=_rivals(project, settings, rivals_of(kind, candidates)),
        )
    )
    return replace(bench, store=_released(background, heartbeat, pool.without(decided).ids, bench.enough))


def at_rest(project: Project, database: Database) -> Workbench:
    """The workbench of a project in which nothing runs: all that is embedded, for a look or an export."""
    project_id = project.project_id(database)
    with database.read() as session:
        settings = settings_in_force(project.settings(), latest_gain(session, project_id=project_id))
        pool, test = (read_columns(session, project_id=project_id, split=split) for split in ("pool", "test"))
        first = list_samples(session, project_id=project_id, split="pool", limit=SIZES_LOOKED_AT)
        classes = as_names(list_classes(session, project_id=project_id))
        kind = kind_of_samples(session, project_id=project_id)
    candidates = candidates_of(kind, [(sample.width, sample.height) for sample in first])
    spec, backbone = _chosen(project, settings, candidates)
    heartbeat = Heartbeat(database, project_id, 0, "", threading.Event())  # never beats
    store = FeatureStore(project.features_dir / spec.backbone, backbone)
    return Workbench(project, database, project_id, 0, heartbeat, settings, pool, test, classes, spec, store)


def as_names(classes: Iterable[ClassInfo]) -> tuple[ClassName, ...]:
    """The classes as an embedding reads them, by index."""
    in_order = sorted(classes, key=lambda one: one.index)
    return tuple(ClassName(one.name, one.description, one.retired) for one in in_order)


def _chosen(project: Project, settings: ProjectSettings, candidates: Sequence[str]) -> tuple[NetworkSpec, Backbone]:
    """Predictor and backbone; somebody's own embedding has the head of pretrained features."""
    if not settings.embedding:
        choice = read_embedding_choice(project.features_dir)
        spec = choose_network(
            base_name(settings.predictor), candidates if choice is None else choice.in_order(candidates)
        )
        return spec, backbone_of(spec.backbone)
    refuse_other_weights(project, settings)
    backbone = own_backbone(settings.embedding)
    return replace(choose_network("features", candidates), backbone=backbone.name), backbone


def _is_decided(settings: ProjectSettings) -> bool:
    """Whether a person said in which embedding samples are looked at."""
    return bool(settings.embedding) or base_name(settings.predictor) != "auto"


def _rivals(project: Project, settings: ProjectSettings, rivals: Sequence[str]) -> tuple[FeatureStore, ...]:
    """Stores of the embeddings among which the pool's structure is still to decide; none where a person did."""
    if _is_decided(settings) or read_embedding_choice(project.features_dir) is not None:
        return ()
    return tuple(FeatureStore(project.features_dir / name, name) for name in rivals)


def _released(
    background: BackgroundEmbedding, heartbeat: Heartbeat, undecided: NDArray[np.int64], enough: int
) -> FeatureStore:
    """The features that are there, once so many undecided samples have some or nothing more is to come."""
    while True:
        is_busy, store = background.is_busy, background.take()
        if not is_busy or len(undecided) - len(store.missing(undecided)) >= enough:
            return store
        background.wait(heartbeat)
