from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import SettingsError
from app.formats.errors import SourceError
from app.simulation.config import SimulationConfig
from app.simulation.data import embed_all, load_data
from loops.embeddings.features import FeatureStore


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def config(folder: Path, **options: object) -> SimulationConfig:
    return SimulationConfig(out=folder / "out", labels=folder / "pool.csv", test=folder / "test.csv", **options)


@pytest.fixture
def images(tmp_path):
    for number in range(4):
        Image.new("L", (8, 8), 60 * number).save(tmp_path / f"{number}.png")
    table(tmp_path / "pool.csv", "path,label", "0.png,dark", "1.png,dark", "2.png,bright", "3.png,")
    table(tmp_path / "test.csv", "path,label", "3.png,bright", "1.png,dark")
    return tmp_path


@pytest.fixture
def texts(tmp_path):
    table(tmp_path / "pool.csv", "text,label", "good,yes", "bad,no", "very good,yes", "no label,", "very bad,no")
    table(tmp_path / "test.csv", "text,label", "so good,yes", "bad,no")
    return tmp_path


def test_images_are_read_from_the_tables_own_folder_or_from_the_one_that_is_given(images):
    found = load_data(config(images))
    assert (found.classes, found.pool, found.test) == (("bright", "dark"), {0: 1, 1: 0}, {2: 0, 3: 1})
    assert found.candidates[0] == "pixels-16"
    assert [int(found.load(sample_id)[0, 0, 0]) for sample_id in range(4)] == [0, 120, 180, 60]
    (images / "lists").mkdir()
    for name in ("pool.csv", "test.csv"):
        (images / name).rename(images / "lists" / name)
    assert load_data(config(images / "lists", images=images)).pool == {0: 1, 1: 0}


def test_images_named_by_whole_paths_that_lie_elsewhere_are_looked_at_as_in_a_project(images):
    """They were taken for images of an unknown size, and embedded as larger ones."""
    (images / "lists").mkdir()
    for name, *rows in (("pool", "0.png,dark", "2.png,bright"), ("test", "3.png,bright")):
        table(images / "lists" / f"{name}.csv", "path,label", *(f"{images}/{row}" for row in rows))
    assert load_data(config(images / "lists")).candidates[0] == "pixels-16"


def test_a_copy_in_another_folder_tests_and_is_not_asked_about(tmp_path, capsys):
    for place, shade in (("pool/a/0", 0), ("pool/b/1", 90), ("test/a/copy", 0), ("test/b/2", 180)):
        path = tmp_path / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (shade, shade, shade)).save(path)
    found = load_data(SimulationConfig(labels=tmp_path / "pool", test=tmp_path / "test", out=tmp_path / "out"))
    assert (list(found.pool.values()), list(found.test.values())) == ([1], [0, 1])
    assert "1 samples are in --labels and in --test" in capsys.readouterr().err


def test_texts_are_told_by_their_column_and_one_that_is_in_both_lists_tests(texts, capsys):
    found = load_data(config(texts))
    assert (found.classes, found.candidates) == (("no", "yes"), ("sentences", "tfidf"))
    assert [found.load(sample_id) for sample_id in (*found.pool, *found.test)] == [
        "good", "very good", "very bad", "so good", "bad",
    ]  # fmt: skip
    assert (list(found.pool.values()), list(found.test.values())) == ([1, 1, 0], [1, 0])
    assert "1 samples are in --labels and in --test" in capsys.readouterr().err


def test_texts_are_embedded_as_the_pool_is_and_the_test_set_has_no_part_in_it(texts, tmp_path):
    store = FeatureStore(tmp_path / "features", "tfidf")
    embed_all(store, load_data(config(texts)))
    assert np.linalg.norm(store.rows(np.arange(5)), axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert "so" not in (tmp_path / "features" / "fitted.npz").read_bytes().decode("latin-1").split('"')


def test_rows_of_a_table_are_embedded_by_their_columns(tmp_path):
    table(tmp_path / "pool.csv", "age,city,label", *(f"{number},Ulm,{number % 2}" for number in range(20)))
    table(tmp_path / "test.csv", "age,city,label", "3,Bonn,1")
    found = load_data(config(tmp_path))
    store = FeatureStore(tmp_path / "features", found.candidates[0])
    embed_all(store, found)
    assert found.candidates == ("columns",)
    assert len(store) == 21


def test_columns_can_be_named(tmp_path):
    for name in ("pool.csv", "test.csv"):
        table(tmp_path / name, "body,stars", f"text of {name},5", f"other of {name},1")
    found = load_data(config(tmp_path, text_column="body", label_column="stars"))
    assert (found.classes, found.load(0)) == (("1", "5"), "text of pool.csv")


def test_what_cannot_be_used_is_refused_with_a_sentence(texts):
    with pytest.raises(SourceError, match="has no column `path`: wanted path,label, found text, label"):
        load_data(config(texts, kind="image"))
    table(texts / "test.csv", "text,label", "good,")
    with pytest.raises(SettingsError, match=r"test\.csv names no labeled sample"):
        load_data(config(texts))
    with pytest.raises(SettingsError, match="--kind must be one of image, text, table"):
        config(texts, kind="audio")
