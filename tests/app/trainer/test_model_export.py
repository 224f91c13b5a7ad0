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

from app.errors import ExportError
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

pytestmark = pytest.mark.usefixtures("quick_learner")

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


def predictions(bench: Workbench, latest: RoundInfo, sample_ids: list[int]) -> NDArray[np.float32]:
    """What the predictor of the round says, from its checkpoint."""
    predictor = bench.predictor()
    checkpoint = bench.project.folder / str(latest.checkpoint)
    predictor.load(checkpoint, sha256=str(latest.checkpoint_sha256), size=latest.checkpoint_bytes or 0)
    return predictor.predict(sample_ids)


@pytest.mark.parametrize(("acquisition", "members"), [("bald", 1), ("committee_bald", 5)])
def test_the_reloaded_model_says_of_digits_what_the_predictor_says(
    train: Train, tmp_path: Path, acquisition: str, members: int
) -> None:
    bench, latest = train(acquisition)
    written = export_model(bench.database, bench.project, tmp_path / "out")
    sample_ids = [*bench.pool.ids.tolist(), *bench.test.ids.tolist()]
    images = torch.from_numpy(bench.store.rows(sample_ids))
    found = torch.export.load(tmp_path / "out" / "model.pt2").module()(images).numpy()
    assert found == pytest.approx(predictions(bench, latest, sample_ids), abs=1e-5)
    assert (written.folder, written.round_number, written.classes) == (tmp_path / "out", 1, 10)
    assert json.loads((tmp_path / "out" / "classes.json").read_text())["members"] == members


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


def test_the_graphs_accuracy_is_not_told_of_the_network_that_it_taught(train: Train, tmp_path: Path) -> None:
    bench, _ = train("auto")
    export_model(bench.database, bench.project, tmp_path / "out")
    about = json.loads((tmp_path / "out" / "classes.json").read_text())
    assert about["accuracy"] is None
    assert 0 <= about["student"]["agree"] <= 1
    assert about["student"]["n"] > 0, "samples that it was not taught"
    assert about["student"]["teacher"]["measured_on"] == "the labeled test set"


def test_the_five_lines_of_the_readme_run_where_there_is_no_labelloop(train: Train, tmp_path: Path) -> None:
    bench, latest = train()
    folder = export_model(bench.database, bench.project, tmp_path / "out").folder
    sample_id = int(bench.pool.ids[0])
    with bench.database.read() as session:
        shutil.copy(get_sample(session, sample_id=sample_id).uri, folder / "image.png")
    lines = (folder / "README.txt").read_text().split("\n\n")[1]
    assert lines.count("\n") == 5
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
    with pytest.raises(ExportError, match="No round of this project was trained yet"):
        export_model(database, project, tmp_path / "out")


def test_a_damaged_checkpoint_is_refused_and_leaves_nothing(train: Train, tmp_path: Path) -> None:
    bench, latest = train()
    checkpoint = bench.project.folder / str(latest.checkpoint)
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content)
    with pytest.raises(ExportError, match=r"round 1 cannot be exported: the checkpoint model\.ckpt cannot be used"):
        export_model(bench.database, bench.project, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_a_model_over_somebodys_own_embedding_is_refused(project: Project, database: Database, tmp_path: Path) -> None:
    save_settings(project.settings_path, replace(project.settings(), embedding="timm:resnet18"))
    with pytest.raises(ExportError, match="stands on the embedding timm:resnet18"):
        export_model(database, project, tmp_path / "model")
