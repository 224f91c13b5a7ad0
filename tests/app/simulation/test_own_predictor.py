"""`labelloop simulate` with somebody's own predictor and acquisition function, as it is typed."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from tests.forks import TRAINING, run

DIGITS = Path(__file__).parents[3] / "sample_data" / "digits"


def simulate(tmp_path: Path, *options: str, pool: int = 120, test: int = 60) -> dict[str, object]:
    """Runs it on the first sample digits; returns the JSON of its last line."""
    for name, split, count in (("labels", "pool", pool), ("test", "test", test)):
        with (DIGITS / f"{name}.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{split}/")][:count]
        lines = ["path,label", *(f"{row['path']},{row['label']}" for row in rows)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    command = [
        *("-m", "app.command.main", "simulate", "--out", str(tmp_path / "out")),
        *("--images", str(DIGITS), "--labels", str(tmp_path / "labels.csv"), "--test", str(tmp_path / "test.csv")),
        *("--query-size", "6", *options),
    ]
    said = run(command, TRAINING)
    assert said.returncode == 0, said.stderr
    found: dict[str, object] = json.loads(said.stdout.splitlines()[-1])
    return found


def test_a_random_forest_labels_the_sample_digits_by_bald_over_its_bagged_draws(tmp_path: Path) -> None:
    small = "tests.app.trainer.small_forest:forest"
    found = simulate(tmp_path, "--predictor", small, "--acquisition", "bald", "--budget", "12", pool=60, test=40)

    assert (found["learner"], found["acquisition"]) == (small, "bald")
    assert found["answered_by"] == [small] * 2
    curve = found["curve"]
    assert isinstance(curve, list)
    assert [labels for labels, _ in curve] == [6, 12]
    assert curve[-1][1] > 0.2, "of ten classes, a guess is right on a tenth"


def test_a_lightning_module_labels_the_sample_digits(tmp_path: Path) -> None:
    made = "tests.app.trainer.small_module:make"
    found = simulate(tmp_path, "--model", made, "--acquisition", "bald", "--budget", "12", pool=60, test=40)

    assert (found["learner"], found["answered_by"]) == (made, [made] * 2)
    curve = found["curve"]
    assert isinstance(curve, list)
    assert [labels for labels, _ in curve] == [6, 12]
    assert curve[-1][1] > 0.2, "of ten classes, a guess is right on a tenth"


def test_a_heuristic_of_baals_and_its_study_by_several_processes(tmp_path: Path) -> None:
    own = "tests.loops.acquisition.own_functions:bald_object"
    options = ["--predictor", "tests.app.trainer.small_forest:forest", "--budget", "6", "--processes", "1"]
    found = simulate(tmp_path, *options, "--acquisition", own, "--acquisition", "random", pool=40, test=20)

    runs = found["runs"]
    assert isinstance(runs, list)
    assert [run["asked_for"] for run in runs] == [own, "random"]
    assert (tmp_path / "out" / f"{own.replace(':', '-')}-seed-0" / "curve.csv").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--acquisition", "entropy"], "package.module:name"),
        (["--acquisition", "no_such_package:score"], "no_such_package cannot be imported"),
        (["--predictor", "sklearn.ensemble:Forest"], "sklearn.ensemble has no Forest"),
        (["--predictor", "forest"], "must be one of auto, cnn, features, package.module:name"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_slow(tmp_path: Path, options: list[str], said: str) -> None:
    command = ["-m", "app.command.main", "simulate", "--out", str(tmp_path), *options]
    refused = run(command, TRAINING, env={**os.environ, "COLUMNS": "400"})

    assert refused.returncode == 2
    assert said in refused.stderr
