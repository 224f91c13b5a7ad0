"""The reader of a feature store, on stores that the writer made and on folders that hold something else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from loops.embeddings.features import FeatureStore
from loops.embeddings.stored_rows import fullest_folder, open_rows
from loops.errors import FeatureStoreError, MissingFeaturesError

GRAY = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 16, 16), np.uint8)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    made = FeatureStore(tmp_path / "pixels-16", "pixels-16")
    made.append([30, 10, 20], GRAY)
    return made


def test_what_the_store_wrote_is_read_by_sample_id_without_knowing_the_backbone(store: FeatureStore) -> None:
    stored = open_rows(store.folder)
    assert stored.row_shape == (1, 16, 16)
    assert stored.ids.tolist() == [30, 10, 20]
    assert stored.missing([20, 99]).tolist() == [99]
    assert stored.rows([20, 30])[:, 0, 0, 0].tolist() == [2, 0]
    with pytest.raises(MissingFeaturesError):
        stored.rows([99])


def test_features_are_floats(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "efficientnet_lite", "efficientnet_lite")
    store.append([1], np.full((1, 2560), 0.5, np.float32))
    assert open_rows(store.folder).rows([1])[0, :2].tolist() == [0.5, 0.5]


def test_reading_changes_nothing_on_disk(store: FeatureStore) -> None:
    """Of rows made by other weights the writer throws the ids away; a reader must not."""
    meta = json.loads((store.folder / "meta.json").read_text())
    (store.folder / "meta.json").write_text(json.dumps({**meta, "made_by": "something older"}))
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    assert len(open_rows(store.folder)) == 3
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before


def test_a_reader_keeps_its_rows_while_the_writer_goes_on_to_colors(store: FeatureStore) -> None:
    stored = open_rows(store.folder)
    store.append([40], np.full((1, 3, 16, 16), 9, np.uint8))
    assert len(stored) == 3
    assert stored.rows([20])[0, :, 0, 0].tolist() == [2, 2, 2]


@pytest.mark.parametrize("meta", ["", "[]", '{"backbone": "pixels-16"}', '{"backbone": "pixels-16", "row_shape": [0]}'])
def test_a_folder_of_something_else_is_refused_with_its_name(store: FeatureStore, meta: str) -> None:
    (store.folder / "meta.json").write_text(meta)
    with pytest.raises(FeatureStoreError, match="pixels-16"):
        open_rows(store.folder)


def test_rows_that_were_taken_away_meanwhile_are_told_of(store: FeatureStore) -> None:
    stored = open_rows(store.folder)
    (store.folder / "rows-1.bin").unlink()
    with pytest.raises(FeatureStoreError, match="cannot be read"):
        stored.rows([10])


def test_the_fullest_folder_is_taken_and_of_equals_the_newest(tmp_path: Path, store: FeatureStore) -> None:
    assert fullest_folder(tmp_path / "nowhere") is None
    other = FeatureStore(tmp_path / "pixels-28", "pixels-28")
    other.append([1], np.zeros((1, 1, 28, 28), np.uint8))
    os.utime(store.folder / "ids.bin", ns=(0, 0))
    assert fullest_folder(tmp_path) == store.folder, "a sample that was looked at in passing is no embedding"
    more = len(store.ids) - 1
    other.append(range(2, 2 + more), np.zeros((more, 1, 28, 28), np.uint8))
    assert fullest_folder(tmp_path) == other.folder
