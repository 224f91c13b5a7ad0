"""The frozen networks by ONNX Runtime: as torch has them, made once on a machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from loops.embeddings import processor
from loops.embeddings.lite_networks import PooledFeatures

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 3, 224, 224), dtype=np.uint8)


@pytest.fixture(scope="module")
def by_torch() -> NDArray[np.float32]:
    with torch.inference_mode():
        found: NDArray[np.float32] = PooledFeatures()(torch.from_numpy(IMAGES)).numpy()
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def in_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "cache_folder", lambda: cache)


def test_features_are_those_of_torch_and_what_was_exported_is_used_again(
    by_torch: NDArray[np.float32], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert processor.on_processor()(IMAGES) == pytest.approx(by_torch, abs=1e-4)
    assert len(list(cache.iterdir())) == 1

    monkeypatch.setattr(processor, "_exported", lambda: pytest.fail("exported again"))
    assert processor.on_processor()(IMAGES) == pytest.approx(by_torch, abs=1e-4)


def test_a_torn_file_is_made_anew(by_torch: NDArray[np.float32], cache: Path) -> None:
    processor.on_processor()
    (kept,) = cache.iterdir()
    whole = kept.stat().st_size
    kept.write_bytes(kept.read_bytes()[: whole // 2])

    assert processor.on_processor()(IMAGES) == pytest.approx(by_torch, abs=1e-4)
    assert kept.stat().st_size == whole


def test_where_nothing_can_be_kept_it_is_made_for_this_start(
    by_torch: NDArray[np.float32], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setattr(processor, "cache_folder", lambda: tmp_path / "a file")
    assert processor.on_processor()(IMAGES) == pytest.approx(by_torch, abs=1e-4)
