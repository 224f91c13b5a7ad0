"""A simulated annotator whose project began in the wrong embedding, and what its labels say of that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.simulation import study
from app.simulation.config import SimulationConfig
from loops.embeddings.embedding_choice import EmbeddingChoice
from loops.embeddings.images import EFFICIENTNET


@pytest.fixture
def striped(tmp_path: Path) -> SimulationConfig:
    """Stripes across or down, of any color, width and place: to a network they differ at a glance, by pixels not."""
    generator = np.random.default_rng(0)
    rows = {"pool": ["path,label"], "test": ["path,label"]}
    for number in range(160):
        name = ("across", "down")[number % 2]
        width, start, colors = generator.integers(3, 8), generator.integers(8), generator.integers(0, 256, (2, 3))
        band = ((np.arange(32) + start) // width) % 2
        image = colors[np.broadcast_to(band[:, None] if name == "across" else band, (32, 32))].astype(np.uint8)
        path = tmp_path / f"{number:03d}.png"
        Image.fromarray(image).save(path)
        rows["pool" if number < 120 else "test"].append(f"{path},{name}")
    for part, lines in rows.items():
        (tmp_path / f"{part}.csv").write_text("\n".join(lines))
    return SimulationConfig(
        labels=tmp_path / "pool.csv", test=tmp_path / "test.csv", out=tmp_path / "out", budget=20, mc_iterations=4
    )


def test_labels_take_back_an_embedding_in_which_the_classes_are_not_told_apart(
    striped: SimulationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "choose_by_structure", lambda *_, **__: EmbeddingChoice("pixels-32", {}))
    result = study.simulate_once(striped)

    assert result["learner"] == "features", f"begun in pixels, ended in {EFFICIENTNET}"
    assert [labels for labels, _ in result["curve"]] == [10, 20], "each budget once"
    before, after = dict(result["curve"])[10], dict(result["curve"])[20]
    assert before < 0.8 < after
