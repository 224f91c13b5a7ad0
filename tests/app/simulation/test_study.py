from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from app.errors import SimulationError
from app.simulation import study as study_module
from app.simulation.config import SimulationConfig, StudyConfig
from app.simulation.study import read_result, run_study, simulate_once
from loops.predictors.network_spec import NetworkSpec


@pytest.fixture(autouse=True)
def quick_network(monkeypatch):
    # Children that need not load everything anew. What a fork could wait for, torch's threads, the tests have none of.
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr(study_module.multiprocessing, "get_context", lambda _method: fork)
    spec = NetworkSpec("cnn", "pixels-16", "bald", 2, 8, 2e-3, 0.01, 2, 2)
    monkeypatch.setattr(study_module, "choose_network", lambda _name, _sizes: spec)


@pytest.fixture
def config(tmp_path):
    """Thirty bright squares left or right of the middle, and ten to test with."""
    generator = np.random.default_rng(0)
    classes = np.arange(40) % 2
    images = generator.integers(0, 60, size=(40, 16, 16)).astype(np.uint8)
    for image, class_index in zip(images, classes, strict=True):
        image[4:12, 8 * class_index : 8 * class_index + 8] += 180
    path = tmp_path / "squares.npz"
    np.savez(path, x_train=images[:30], y_train=classes[:30], x_test=images[30:], y_test=classes[30:])
    return SimulationConfig(out=tmp_path / "out", npz=path, predictor="cnn", query_size=4, budget=4, mc_iterations=2)


def test_a_study_runs_everything_writes_it_down_and_repeats_nothing(config, monkeypatch, capsys):
    study = StudyConfig(config, ("margin", "random"), seeds=1, processes=2)
    summary = run_study(study)
    assert [(run["asked_for"], run["seed"]) for run in summary["runs"]] == [("margin", 0), ("random", 0)]
    assert [labels for labels, _ in summary["runs"][0]["curve"]] == [4]
    written = {path.name for path in config.out.iterdir()}
    assert written == {"margin-seed-0", "random-seed-0", "table.csv", "table.md", "curves.png", "study.json"}
    assert json.loads((config.out / "study.json").read_text()) == json.loads(json.dumps(summary))
    assert "margin-seed-0 is finished" in capsys.readouterr().err
    monkeypatch.setattr(study_module, "load_data", None)
    assert run_study(study)["runs"] == summary["runs"]


def test_a_result_of_other_settings_or_data_is_none(config):
    config.out.mkdir()
    content = json.dumps({"fingerprint": study_module.fingerprint(config), "result": {"seed": 0}})
    (config.out / "result.json").write_text(content)
    assert read_result(config) == {"seed": 0}
    assert read_result(replace(config, budget=9)) is None
    with config.npz.open("ab") as file:
        file.write(b"x")
    assert read_result(config) is None
    (config.out / "result.json").write_text(content[:-5])
    assert read_result(config) is None


def test_a_run_that_fails_is_named_and_the_others_are_finished(config):
    good, bad = StudyConfig(config, ("random", "margin")).runs()
    (bad.out / "curve.csv").mkdir(parents=True)
    with pytest.raises(SimulationError, match="1 of 2 runs failed, the first margin-seed-0"):
        run_study(StudyConfig(config, ("random", "margin"), processes=1))
    assert read_result(good) is not None


def test_one_run_counts_audit_labels_and_gives_advice(config):
    found = simulate_once(replace(config, audit=0.5, budget=8))
    assert [labels for labels, _ in found["curve"]] == sorted(labels for labels, _ in found["curve"])
    assert found["audit_curve"], "half of what is asked is for the audit"
    audited = found["audit_curve"][-1]
    assert 0 <= audited[2] <= audited[1] <= audited[3] <= 1
    assert found["curve"][-1][0] > 4, "the budget counts them"
    assert found["labels_saved"] is None, "too few audit labels to say anything"
    assert found["answered_by"] == ["graph"] * len(found["curve"])
    assert found["advice"]["verdict"] in ("too early", "go on", "measure", "stop")
    assert (config.out / "curve.csv").read_text().startswith("round,labels,accuracy")
