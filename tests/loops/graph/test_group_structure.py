from __future__ import annotations

import numpy as np
import pytest

from loops.graph import group_structure
from loops.graph.group_structure import doubts_between_groups


@pytest.fixture(autouse=True)
def four_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_structure, "FEWEST_GROUPS", 4)
    monkeypatch.setattr(group_structure, "MOST_GROUPS", 4)


def test_islands_leave_hardly_a_doubt_and_a_cloud_leaves_much() -> None:
    islands = np.repeat(np.eye(4, dtype=np.float32), 25, axis=0)
    cloud = np.random.default_rng(0).normal(size=(100, 20)).astype(np.float32)
    clear = doubts_between_groups(islands, np.ones(4, np.float32), seed=0)
    unclear = doubts_between_groups(cloud, np.ones(20, np.float32), seed=0)
    assert clear.max() < 0.2 < unclear.min()


def test_more_groups_than_samples_are_as_many_as_samples() -> None:
    assert doubts_between_groups(np.eye(3, dtype=np.float32), np.ones(3, np.float32), seed=0).max() < 0.2


def test_it_can_be_stopped() -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        doubts_between_groups(np.eye(5, dtype=np.float32), np.ones(5, np.float32), seed=0, check=stop)
