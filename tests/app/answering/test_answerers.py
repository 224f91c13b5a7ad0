from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.answering.answerer import open_answerer
from app.errors import AnsweringError
from app.kinds.image import load_image
from app.trainer.model_export import export_model
from tests.app.conftest import Hostile

WORDS = {"good": ("fine", "great", "lovely"), "bad": ("awful", "poor", "sad")}


@pytest.fixture
def digits_source(digits: Path, tmp_path: Path) -> Path:
    source = tmp_path / "source"
    shutil.copytree(digits / "pool", source / "pool")
    rows = (digits / "labels.csv").read_text().splitlines()[:61]
    (source / "labels.csv").write_text("\n".join(rows))
    return source / "labels.csv"


def texts_source(folder: Path) -> Path:
    rows = [[f"it was {word} number {k}", name] for name, words in WORDS.items() for word in words for k in range(7)]
    with (folder / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *rows])
    return folder / "texts.csv"


def rows_source(folder: Path) -> Path:
    random = np.random.default_rng(0)
    rows = [[f"{x:.3f}", random.choice(["red", "blue"]), "high" if x > 0 else "low"] for x in random.normal(size=60)]
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["size", "color", "label"], *rows])
    return folder / "rows.csv"


def three_answers(project, samples, tmp_path: Path) -> list[np.ndarray]:
    """Of the project, of its exported model, and of that as ONNX."""
    with project.opened_to_read() as database:
        export_model(database, project, tmp_path / "model")
        export_model(database, project, tmp_path / "onnx", as_onnx=True)
    return [
        open_answerer(path)[0].probs(samples)[0] for path in (project.folder, tmp_path / "model", tmp_path / "onnx")
    ]


def test_images_of_twenty_kinds_get_one_answer_from_project_model_and_onnx(
    trained, digits_source: Path, hostile: Hostile, tmp_path: Path
) -> None:
    samples = [load_image(hostile.folder / name) for name in sorted(hostile.good)]
    assert len(samples) >= 20
    own, model, onnx = three_answers(trained("digits", str(digits_source)), samples, tmp_path)
    assert own.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert model == pytest.approx(own, abs=1e-5)
    assert onnx == pytest.approx(own, abs=1e-5)


def test_texts_get_one_answer_and_it_is_right(trained, tmp_path: Path) -> None:
    samples = ["what a great day", "it was awful", "so sad", "lovely", "a fine one"]
    own, model, onnx = three_answers(trained("texts", str(texts_source(tmp_path))), samples, tmp_path)
    assert model == pytest.approx(own, abs=1e-5)
    assert onnx == pytest.approx(own, abs=1e-5)
    about = json.loads((tmp_path / "model" / "classes.json").read_text())
    said = [about["classes"][best] for best in own.argmax(axis=1)]
    assert said == ["good", "bad", "bad", "good", "good"]


def test_rows_get_one_answer_also_where_the_project_is_gone(trained, tmp_path: Path) -> None:
    samples = [{"size": "2.0", "color": "red"}, {"size": "-2.0", "color": "blue"}, {"size": "", "color": ""}]
    samples += [{"size": "1.5"}, {"color": "green", "size": "-1"}]
    own, model, onnx = three_answers(trained("rows", str(rows_source(tmp_path))), samples, tmp_path)
    assert model == pytest.approx(own, abs=1e-5)
    assert onnx == pytest.approx(own, abs=1e-5)
    moved = shutil.move(tmp_path / "model", tmp_path / "elsewhere")
    assert open_answerer(Path(moved))[0].probs(samples)[0] == pytest.approx(own, abs=1e-5)


def test_the_models_card_says_what_it_learned_from(trained, tmp_path: Path) -> None:
    project = trained("rows", str(rows_source(tmp_path)))
    with project.opened_to_read() as database:
        export_model(database, project, tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "It tells 2 classes of tables apart: `high`, `low`." in card
    assert "60 labels that people gave in a pool of 60 samples" in card


def test_what_is_neither_project_nor_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnsweringError, match="neither a project nor a model"):
        open_answerer(tmp_path)
    (tmp_path / "classes.json").write_text("{}")
    (tmp_path / "model.pt2").write_bytes(b"no model")
    with pytest.raises(AnsweringError, match="another version"):
        open_answerer(tmp_path)
