from __future__ import annotations

import json
import shutil
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.errors import ExportError, NoModelError
from app.project.project import Project
from app.project.settings import save_settings
from app.trainer.model_export import export_model
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from storage.engine import Database
from storage.projects import add_classes
from storage.rounds import RoundInfo, latest_round
from storage.samples import get_sample
from tests.app.trainer.conftest import QUERY_SIZE, Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")

DIGITS = [str(digit) for digit in range(10)]
Train = Callable[..., tuple[Workbench, RoundInfo]]


@pytest.fixture
def train(project: Project, database: Database, make_bench: Callable[[], Workbench], annotator: Annotator) -> Train:
    """Runs a cold start and one round, whose model and predictor it returns."""

    def run(acquisition: str = "bald", labels: int = QUERY_SIZE) -> tuple[Workbench, RoundInfo]:
        save_settings(project.settings_path, replace(project.settings(), acquisition=acquisition))
        bench = make_bench()
        run_rounds(bench)
        annotator.label(labels)
        run_rounds(bench)
        with database.read() as session:
            latest = latest_round(session, project_id=bench.project_id)
        assert latest is not None
        return bench, latest

    return run


def rgba(rows: NDArray[np.generic]) -> torch.Tensor:
    """Stored pixels as images."""
    colors = np.broadcast_to(rows, (len(rows), 3, *rows.shape[2:])).transpose(0, 2, 3, 1)
    return torch.from_numpy(np.concatenate([colors, np.full((*colors.shape[:3], 1), 255, np.uint8)], axis=3))


def predictions(bench: Workbench, latest: RoundInfo, sample_ids: list[int]) -> NDArray[np.float32]:
    """What the predictor of the round says, from its checkpoint."""
    predictor = bench.predictor()
    checkpoint = bench.project.folder / str(latest.checkpoint)
    predictor.load(checkpoint, sha256=str(latest.checkpoint_sha256), size=latest.checkpoint_bytes or 0)
    return predictor.predict(sample_ids)


@pytest.mark.parametrize(("acquisition", "name"), [("bald", "network"), ("committee_bald", "committee")])
def test_the_reloaded_model_says_of_digits_what_the_predictor_says(
    train: Train, tmp_path: Path, acquisition: str, name: str
) -> None:
    bench, latest = train(acquisition)
    written = export_model(bench.database, bench.project, tmp_path / "out")
    sample_ids = [*bench.pool.ids.tolist(), *bench.test.ids.tolist()]
    images = rgba(bench.store.rows(sample_ids))
    found = torch.export.load(tmp_path / "out" / "model.pt2").module()(images).numpy()
    assert found == pytest.approx(predictions(bench, latest, sample_ids), abs=1e-5)
    assert (written.folder, written.round_number, written.classes) == (tmp_path / "out", 1, 10)
    assert json.loads((tmp_path / "out" / "classes.json").read_text())["answers"] == name


def test_the_classes_say_how_good_the_model_is_and_on_what(train: Train, project_id: int, tmp_path: Path) -> None:
    bench, _ = train()
    with bench.database.write() as session:
        add_classes(session, project_id=project_id, names=["no digit"])  # the model has never heard of it
    export_model(bench.database, bench.project, tmp_path / "out")
    about = json.loads((tmp_path / "out" / "classes.json").read_text())
    assert about["classes"] == DIGITS
    assert (about["side"], about["channels"], about["round"], about["labels"]) == (16, 1, 1, QUERY_SIZE)
    assert (about["learner"], about["acquisition"]) == ("cnn", "bald")
    accuracy = about["accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert (accuracy["n"], accuracy["measured_on"]) == (10, "the labeled test set")


def test_the_champion_is_handed_on_with_its_accuracy_for_it_is_he_who_answers(train: Train, tmp_path: Path) -> None:
    bench, latest = train("auto")
    export_model(bench.database, bench.project, tmp_path / "out")
    about = json.loads((tmp_path / "out" / "classes.json").read_text())
    assert (about["answers"], about["student"]) == ("champion", None)
    assert about["accuracy"]["measured_on"] == "the labeled test set"
    images = rgba(bench.store.rows(bench.test.ids))
    found = torch.export.load(tmp_path / "out" / "model.pt2").module()(images).numpy()
    assert found == pytest.approx(predictions(bench, latest, bench.test.ids.tolist()), abs=1e-5)


def test_the_lines_of_the_card_run_where_there_is_no_labelloop(train: Train, tmp_path: Path) -> None:
    bench, latest = train()
    folder = export_model(bench.database, bench.project, tmp_path / "out").folder
    sample_id = int(bench.pool.ids[0])
    with bench.database.read() as session:
        shutil.copy(get_sample(session, sample_id=sample_id).uri, folder / "image.png")
    lines = (folder / "README.md").read_text().split("```python\n")[1].split("\n```")[0]
    without_us = "import sys; sys.modules.update(dict.fromkeys(['app', 'loops', 'storage']))"  # None: not to be found
    isolated = [sys.executable, "-I", "-W", "error::UserWarning", "-c", f"{without_us}\n{lines}"]
    said = subprocess.run(isolated, cwd=folder, capture_output=True, text=True, check=True).stdout
    expected = predictions(bench, latest, [sample_id])[0]
    assert literal_eval(said) == pytest.approx(dict(zip(DIGITS, expected.tolist(), strict=True)), abs=1e-5)


def test_nothing_is_overwritten(train: Train, tmp_path: Path) -> None:
    bench, _ = train()
    export_model(bench.database, bench.project, tmp_path / "out")
    with pytest.raises(ExportError, match="is there already"):
        export_model(bench.database, bench.project, tmp_path / "out")


def test_a_cold_start_has_no_model(
    project: Project, database: Database, make_bench: Callable[[], Workbench], tmp_path: Path
) -> None:
    run_rounds(make_bench())
    with pytest.raises(NoModelError, match="No round of this project was trained yet"):
        export_model(database, project, tmp_path / "out")


def test_a_damaged_checkpoint_is_refused_and_leaves_nothing(train: Train, tmp_path: Path) -> None:
    bench, latest = train()
    checkpoint = bench.project.folder / str(latest.checkpoint)
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content)
    with pytest.raises(NoModelError, match=r"round 1 cannot be used: the checkpoint model\.ckpt cannot be used"):
        export_model(bench.database, bench.project, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_a_model_over_somebodys_own_embedding_is_refused(project: Project, database: Database, tmp_path: Path) -> None:
    save_settings(project.settings_path, replace(project.settings(), predictor="auto", embedding="timm:resnet18"))
    with pytest.raises(ExportError, match="stands on the embedding timm:resnet18"):
        export_model(database, project, tmp_path / "model")
