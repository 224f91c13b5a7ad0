from __future__ import annotations

import threading

import numpy as np
import pytest

from app.project.project import Project
from app.trainer import background as background_module
from app.trainer.background import BackgroundEmbedding
from app.trainer.embedding_request import EmbeddingRequest
from app.trainer.sample_source import SampleSource
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.kinds import backbone_of
from storage.engine import Database

FIRST, ALL, TEST = 20, 50, 5


def test_a_killed_trainer_goes_on_with_the_graph_there_is_while_a_larger_one_is_built(
    project: Project, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, test = np.arange(ALL), ALL + np.arange(TEST)
    folder, backbone = project.features_dir / "pixels-16", backbone_of("pixels-16")
    wanted = EmbeddingRequest(folder, backbone, pool, test, first=10, graphed=True, num_classes=2, seed=0)
    store = FeatureStore(folder, backbone)
    rows = np.random.default_rng(0).integers(0, 256, (ALL + TEST, 1, 16, 16), np.uint8)
    store.append(np.concatenate([test, pool]), rows)
    GraphOfPool(store, num_classes=2, seed=0).hold(pool[:FIRST])

    may_build, build = threading.Event(), GraphOfPool.hold
    monkeypatch.setattr(GraphOfPool, "hold", lambda self, *given: may_build.wait(60) and build(self, *given))
    monkeypatch.setattr(background_module, "learn", lambda *_, **__: False)
    with BackgroundEmbedding(SampleSource(project, database), threading.Event()) as background:
        background.want(wanted)
        wait_until_grown(background)
        assert len(background.take()) == TEST + FIRST, "nobody waits for the larger graph"
        may_build.set()
        wait_until_grown(background)
        assert len(background.take()) == TEST + ALL


def wait_until_grown(background: BackgroundEmbedding) -> None:
    for _ in range(1_200):
        if background.grew:
            return
        threading.Event().wait(0.05)
    raise AssertionError("nothing was released")
