"""The code of the recipes in docs/extending.md does what the page says. (The format's: tests/app/formats.)"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.formats.errors import RefusedSampleError
from app.formats.source import Entry
from app.kinds.kind import Kind
from app.project.project import create_project
from app.project.settings import ProjectSettings
from loops.acquisition import catalog
from loops.acquisition.choosing import scorer
from loops.active_learning import ActiveLearningLoop
from loops.embeddings.features import FeatureStore
from loops.embeddings.kinds import SampleKind
from loops.errors import NotFittedError
from loops.oracle import KnownLabels
from loops.predictors.making import own_predictor
from loops.settings import LoopSettings

Recipe = Callable[[str, str], ModuleType]


@pytest.fixture
def recipe_text(repository: Path) -> Callable[[str], str]:
    page = (repository / "docs" / "extending.md").read_text(encoding="utf-8")
    return lambda name: page.partition(f"<!-- recipe: {name} -->\n```python\n")[2].partition("```")[0]


@pytest.fixture
def recipe(recipe_text: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Puts a recipe where its reader would: into a module of their own."""

    def put(name: str, module: str) -> ModuleType:
        (tmp_path / f"{module}.py").write_text(recipe_text(name), encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.import_module(module)

    return put


def test_an_acquisition_function_scores_a_torn_sample_above_a_sure_one(recipe: Recipe) -> None:
    recipe("acquisition", "my_functions")
    torn, sure = [[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.9], [0.1, 0.1]]

    scores_N = scorer(catalog.find("my_functions:least_confident"))(np.array([torn, sure], np.float32))

    assert scores_N.tolist() == pytest.approx([0.5, 0.1])


def test_a_predictor_of_four_verbs_runs_in_the_loop_and_comes_back_from_a_file(recipe: Recipe, tmp_path: Path) -> None:
    """Two blobs, ids 0 to 19 and 20 to 39; round 1 has labels of both."""
    recipe("predictor", "my_predictors")
    store = FeatureStore(tmp_path / "features", "efficientnet_lite")
    rows = np.random.default_rng(0).normal(0, 0.1, (40, 2560)).astype(np.float32)
    rows[20:] += 1.0
    store.append(range(40), rows)
    make = {"num_classes": 2, "seed": 0, "mc_iterations": 4}
    predictor = own_predictor("my_predictors:NearestMean", store, **make)
    with pytest.raises(NotFittedError):
        predictor.predict([0])
    oracle = KnownLabels({i: int(i >= 20) for i in range(40)}, query_size=8)
    settings = LoopSettings("bald", query_size=8, labeling_budget=16)
    ActiveLearningLoop(predictor=predictor, oracle=oracle, settings=settings).run()

    probs_N_C = predictor.predict(range(40))
    assert (probs_N_C.argmax(axis=1) == (np.arange(40) >= 20)).all()
    assert probs_N_C.sum(axis=1) == pytest.approx(np.ones(40))
    saved = predictor.save(tmp_path / "model.ckpt", {"progress": 1})
    again = own_predictor("my_predictors:NearestMean", store, **make)
    assert again.load(saved.path, sha256=saved.sha256, size=saved.size) == {"progress": 1}
    assert again.predict(range(40)).tobytes() == probs_N_C.tobytes()


def test_a_kind_admits_shows_and_copies_its_samples_and_names_its_embeddings(recipe: Recipe, tmp_path: Path) -> None:
    lines = recipe("kind", "recipe_of_a_kind")

    def entry(said: str) -> Entry:
        return Entry(tmp_path, "log:1", text=lines.text_of({"line": said}, None))

    first, second = (lines.admit(entry(f"disk {number} full")) for number in (7, 12))
    assert first.sha256 == second.sha256, "only the number differs"
    assert first.sha256 != lines.admit(entry("disk 7 fine")).sha256
    with pytest.raises(RefusedSampleError, match="is more than one line"):
        lines.admit(entry("disk 7\nfull"))

    sample = SimpleNamespace(id=1, uri=first.uri, content=first.content)
    assert lines.load(first.uri, first.content) == "disk 7 full"
    assert lines.show(sample, large=True, kept=tmp_path) == {"kind": "text", "text": "disk 7 full", "left_out": 0}
    assert (lines.copy(sample).content, lines.columns(sample)) == (b"disk 7 full", {"line": "disk 7 full"})
    # All that is asked of a kind.
    assert set(protocol_names(Kind)) <= set(dir(lines))

    embeddings = recipe("kind-embeddings", "recipe_of_its_embeddings")
    assert set(protocol_names(SampleKind)) <= set(dir(embeddings))
    assert all(embeddings.backbone(name) is not None for name in embeddings.candidates([]))


def protocol_names(protocol: type) -> list[str]:
    return [name for name in {**protocol.__annotations__, **vars(protocol)} if not name.startswith("_")]


def test_a_screen_is_a_flat_script(
    recipe_text: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create_project(tmp_path / "p", settings=ProjectSettings("p"), classes=["cat", "dog"])
    monkeypatch.setenv("LABELLOOP_PROJECT", str(project.folder))

    screen = AppTest.from_string(recipe_text("screen")).run()

    assert not screen.exception
    assert [info.value for info in screen.info] == ["Nobody has decided anything yet; press a key on the Label screen."]
