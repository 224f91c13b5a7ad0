from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from loops.devices import embedding as spread_embedding
from loops.devices.embedding import embed_on_devices, embed_share, pays
from loops.devices.processes import Devices, Job
from loops.embeddings.features import FeatureStore
from loops.errors import TrainingInterruptedError

IDS = np.array([7, 3, 5, 1])


def load(source: str) -> NDArray[np.uint8]:
    """A square as bright as its source says."""
    if source == "gone":
        raise FileNotFoundError("no such file")
    return np.full((16, 16, 1), int(source), np.uint8)


class InThisProcess(Devices):
    """What the processes do, without the processes; those are tested with a pass of a predictor."""

    def run(self, folder: Path, module: str, job: Job, look: Callable[[], None]) -> None:
        assert module == "a.module"
        on = {"devices": 1, "num_nodes": 1, "accelerator": "cpu"}
        (folder / "job.json").write_text(json.dumps({**job, **on}))
        embed_share(folder, load)
        look()


def embedded(tmp_path: Path, sources: list[str], **more: Any) -> FeatureStore:
    store = FeatureStore(tmp_path / "features", "pixels-16")
    said = {"progress": lambda _done, _total: None, "on_broken": pytest.fail, **more}
    embed_on_devices(store, IDS, sources, InThisProcess(2, 1, tmp_path / "passes"), module="a.module", **said)
    return store


def test_each_sample_gets_the_row_of_its_own_image(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    store = embedded(tmp_path, ["70", "30", "50", "10"], progress=lambda done, total: seen.append((done, total)))
    assert store.rows([1, 3, 5, 7])[:, 0, 0, 0].tolist() == [10, 30, 50, 70]
    assert seen[-1] == (4, 4)
    assert list((tmp_path / "passes").iterdir()) == []


def test_an_image_that_cannot_be_read_is_told_of_and_left_out(tmp_path: Path) -> None:
    broken: dict[int, str] = {}
    store = embedded(tmp_path, ["gone", "30", "gone", "gone"], on_broken=broken.__setitem__)
    assert store.missing(IDS).tolist() == [7, 5, 1]
    assert broken == dict.fromkeys([7, 5, 1], "FileNotFoundError: no such file")


def test_what_was_stored_before_the_pass_was_ended_stays(tmp_path: Path) -> None:
    def end(done: int, _total: int) -> None:
        raise TrainingInterruptedError(steps=done, wanted=4)

    with pytest.raises(TrainingInterruptedError):
        embedded(tmp_path, ["70", "30", "50", "10"], progress=end)
    assert len(FeatureStore(tmp_path / "features", "pixels-16")) == 4
    assert list((tmp_path / "passes").iterdir()) == []


def test_tiles_are_as_many_as_processes_at_least(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiles: list[str] = []
    monkeypatch.setattr(spread_embedding, "_write", lambda _tile, path: (tiles.append(path.name), path.touch()))
    with pytest.raises(EOFError):  # an empty file is no tile
        embedded(tmp_path, ["70", "30", "50", "10"])
    assert tiles == ["0.part", "1.part"]


@pytest.mark.parametrize(("backbone", "samples", "answer"), [("pixels-16", 99, False), ("pixels-16", 100, True)])
def test_processes_are_started_where_they_are_sooner_done(
    tmp_path: Path, backbone: str, samples: int, answer: bool
) -> None:
    devices = Devices(2, 1, tmp_path, least=100)
    assert pays(devices, FeatureStore(tmp_path, backbone), samples) is answer


def test_a_network_pays_from_a_tenth_of_the_samples(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, "efficientnet_lite")
    assert [pays(Devices(2, 1, tmp_path, least=100), store, samples) for samples in (9, 10)] == [False, True]
