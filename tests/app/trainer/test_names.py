"""A project whose embedding reads text: the classes' names answer before anybody has labeled anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.project.creation import make_project
from app.project.project import Project
from app.project.scores import read_scores, scores_path
from app.project.settings import ProjectSettings
from app.trainer.published import newest_published
from app.trainer.re_ranking import ReRanker
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from storage.metrics import list_metrics
from storage.rounds import list_queries, list_rounds
from storage.samples import list_samples
from tests.app.trainer.conftest import Annotator
from tests.loops.embeddings.named_libraries import weights, write_packages

CLASSES = ("blue", "green", "red")


@dataclass(frozen=True)
class Known:
    """What the test knows of the images."""

    folder: Path
    class_of: dict[str, int]


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """Squares of one color, each with noise of its own."""
    generator = np.random.default_rng(0)
    class_of = {}
    for split, count in (("pool", 60), ("test", 12)):
        (tmp_path / split).mkdir()
        for number in range(count):
            pixels = generator.integers(0, 120, (8, 8, 3), np.uint8)
            pixels[..., 2 - number % 3] += 100  # blue, green, red
            Image.fromarray(pixels).save(tmp_path / split / f"{split}{number}.png")
            class_of[f"{split}{number}.png"] = number % 3
    rows = [f"test/test{number}.png,{CLASSES[number % 3]}" for number in range(12)]
    (tmp_path / "test.csv").write_text("\n".join(["path,label", *rows]))
    return Known(tmp_path, class_of)


@pytest.fixture
def project(known: Known, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delitem(sys.modules, "open_clip", raising=False)
    (known.folder / "packages").mkdir()
    packages = write_packages(known.folder / "packages")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", str(packages))  # of the process in which an embedding is tried
    (known.folder / "once.pt").write_bytes(weights(scale=[1.0, 1.0, 1.0]))
    settings = ProjectSettings(
        "colors", query_size=4, mc_iterations=3, audit_share=0.0, embedding=f"open_clip:ViT={known.folder / 'once.pt'}"
    )
    yield make_project(
        known.folder / "project",
        settings=settings,
        classes=list(CLASSES),
        data=known.folder / "pool",
        test=known.folder / "test.csv",
    ).project
    sys.modules.pop("open_clip", None)


@pytest.fixture
def annotator(database, project_id, known: Known) -> Annotator:  # type: ignore[no-untyped-def]
    return Annotator(database, project_id, known.class_of)


def test_the_first_round_suggests_and_is_measured_and_labels_rank_on(
    make_bench, annotator: Annotator, known: Known
) -> None:  # type: ignore[no-untyped-def]
    bench: Workbench = make_bench()
    run_rounds(bench)

    with bench.database.read() as session:
        rounds = list_rounds(session, project_id=bench.project_id)
        queries = list_queries(session, round_id=rounds[0].id)
        metrics = list_metrics(session, project_id=bench.project_id)
        name_of = {
            one.id: Path(one.uri).name for one in list_samples(session, project_id=bench.project_id, split="pool")
        }
    assert [(one.number, one.labels, one.state) for one in rounds] == [(0, 0, "open")]
    assert [one.suggestion for one in queries] == [known.class_of[name_of[one.sample_id]] for one in queries]
    assert [(one.labels, one.value) for one in metrics if one.name == "accuracy_test"] == [(0, 1.0)]
    scores = read_scores(scores_path(bench.project.rounds_dir, 0))
    assert scores is not None
    assert len(scores.sample_ids) == 60

    ranker = ReRanker(bench)
    ranker.look()
    annotator.label(1)
    assert ranker.look() > 0, "the first label ranks the rest anew"
    assert newest_published(bench.project, bench.database).round_info.number == 0
    annotator.label(3)
    run_rounds(bench)
    with bench.database.read() as session:
        metrics = list_metrics(session, project_id=bench.project_id)
    assert [(one.labels, one.value) for one in metrics if one.name == "accuracy_test"] == [(0, 1.0), (4, 1.0)]
