"""After a round the trainer looks whether labels contradict the embedding in force, and takes up another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from app.project.project import Project
from app.project.settings import save_settings
from app.trainer.embedding_review import review_embedding
from app.trainer.workbench import Workbench
from loops.cross_validation import CrossValidation
from loops.embeddings.embedding_choice import EmbeddingChoice, read_embedding_choice, write_embedding_choice
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.evaluation.comparison import Comparison
from loops.predictors import rival


def fitted(bench: Workbench, labels: int) -> SimpleNamespace:
    """A predictor that held out so many labels; what it answered is up to whoever compares."""
    ids = np.sort(bench.pool.ids)[:labels]
    half = np.full((labels, 10), 0.1, np.float32)
    return SimpleNamespace(held_out=CrossValidation(ids, ids % 10, ids % 5, half))


@pytest.fixture(autouse=True)
def nobody_named_a_predictor(project: Project) -> None:
    save_settings(project.settings_path, replace(project.settings(), predictor="auto"))


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[FeatureStore]:
    """Stores of the rivals that were compared; each of them was better."""
    seen: list[FeatureStore] = []

    def compare(_predictor: object, store: FeatureStore, _labels: object) -> Comparison:
        seen.append(store)
        return Comparison(True, 0.25, 0.75)

    monkeypatch.setattr(rival, "compare_embedding", compare)
    return seen


def test_the_next_workbench_stands_on_the_embedding_that_labels_speak_for(
    make_bench: Callable[[], Workbench], project: Project, compared: list[FeatureStore]
) -> None:
    bench = make_bench()
    begun_in = bench.spec.backbone
    write_embedding_choice(EmbeddingChoice(begun_in, {}), project.features_dir)

    assert review_embedding(bench, fitted(bench, 20))  # type: ignore[arg-type]
    assert not len(compared[0].missing(np.sort(bench.pool.ids)[:20])), "the labeled samples have rows in it"
    assert (begun_in, make_bench().spec.backbone) == ("pixels-16", EFFICIENTNET)
    assert read_embedding_choice(project.features_dir) == EmbeddingChoice(
        EFFICIENTNET, {}, 20, {"pixels-16": 0.25, EFFICIENTNET: 0.75}
    )


@pytest.mark.parametrize(("labels", "reviewed_at"), [(19, 0), (29, 20)])
def test_below_twenty_labels_and_before_there_are_half_as_many_more_nothing_is_compared(
    make_bench: Callable[[], Workbench], project: Project, compared: list[FeatureStore], labels: int, reviewed_at: int
) -> None:
    bench = make_bench()
    write_embedding_choice(EmbeddingChoice(bench.spec.backbone, {}, reviewed_at), project.features_dir)

    assert not review_embedding(bench, fitted(bench, labels))  # type: ignore[arg-type]
    assert not compared


def test_while_structure_is_still_to_decide_labels_wait(
    make_bench: Callable[[], Workbench], compared: list[FeatureStore]
) -> None:
    bench = make_bench()

    assert bench.structure_tells
    assert not review_embedding(bench, fitted(bench, 25))  # type: ignore[arg-type]
    assert not compared


def test_a_person_who_chose_the_network_is_not_contradicted(
    make_bench: Callable[[], Workbench], project: Project, compared: list[FeatureStore]
) -> None:
    save_settings(project.settings_path, replace(project.settings(), predictor="cnn"))
    bench = make_bench()
    write_embedding_choice(EmbeddingChoice(bench.spec.backbone, {}), project.features_dir)

    assert not review_embedding(bench, fitted(bench, 25))  # type: ignore[arg-type]
    assert not compared
