from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.screens.shared.likeness import most_like, nearest, not_like
from loops.embeddings.features import FeatureStore

DIRECTIONS = {1: [1, 2, 3], 2: [2, 4, 6], 3: [3, 2, 1], 4: [5, 5, 5]}  # 2 as 1, 3 the reverse, 4 without contrast


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    made = FeatureStore(tmp_path / "efficientnet_lite", "efficientnet_lite")
    rows = np.zeros((4, 2560), np.float32)
    rows[:] = np.resize(np.array(list(DIRECTIONS.values()), np.float32), (4, 3))[:, np.arange(2560) % 3]
    made.append(list(DIRECTIONS), rows)
    return made


def test_likeness_is_the_correlation_of_rows_and_nobody_is_its_own_neighbor(store: FeatureStore) -> None:
    ids, alike = nearest(store, np.array([1]), np.array([1, 2, 3, 4]), count=4)
    assert ids.tolist() == [[2, 4, 3, 1]]
    assert alike[0] == pytest.approx([1.0, 0.0, -1.0, -2.0], abs=1e-2)  # 1,280 is no multiple of 3


def test_the_most_alike_come_first_and_the_sample_itself_is_the_first_of_them(store: FeatureStore) -> None:
    assert most_like(store, 1, np.array([3, 4, 2, 1]), count=3).tolist() == [2, 1, 4]


def test_those_whose_closest_judged_sample_is_wrong_are_not_kept(store: FeatureStore) -> None:
    assert not_like(store, np.array([2, 4]), right=np.array([3]), wrong=np.array([1])).tolist() == [4]
    assert not_like(store, np.array([2, 4]), right=np.array([1]), wrong=np.array([3])).tolist() == [2, 4]


def test_of_what_nothing_is_known_all_stays(store: FeatureStore) -> None:
    assert not_like(store, np.array([2, 99]), right=np.array([3]), wrong=np.array([98])).tolist() == [2, 99]
    assert not_like(store, np.array([2, 99]), right=np.array([3]), wrong=np.array([1])).tolist() == [99]


def test_many_are_compared_a_chunk_at_a_time(store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.screens.shared.likeness._CHUNK", 1)
    ids, _ = nearest(store, np.array([1, 2]), np.array([3, 1, 2]), count=1)
    assert ids.tolist() == [[2], [1]]
