"""Distorted copies of a small pool's samples, which stand on its graph too.

Ways from image to image of a class lead over short steps, and in a pool of some hundreds there are no images to step
on. A distortion that keeps the class, as the small network's training takes for granted, gives them.
See docs/decisions/0022-copies.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from loops.embeddings.backbone import Distort
from loops.predictors.layers import RandomAffine
from loops.seeding import seed_of

POINTS = 20_000  # of a graph, copies among them: some seconds of a processor core
MOST = 9  # copies of an image: one less than a point has neighbors, or it would be connected to its own copies alone
_TILE = 512  # images

Ids = NDArray[np.int64]
Rows = NDArray[np.generic]
Floats = NDArray[np.float32]


def copies_for(samples: int) -> int:
    """How many copies each image of a pool of this size gets; 0 from half of `POINTS` on."""
    return max(0, min(MOST, POINTS // max(1, samples) - 1))


def distorted(rows: Rows, generator: torch.Generator) -> Rows:
    """A copy of each image, turned, scaled, sheared and shifted a little: uint8 `[N, C, S, S]`."""
    images = torch.from_numpy(np.asarray(rows)).float()
    copied: Rows = RandomAffine(generator=generator).train()(images).round().clamp(0, 255).byte().numpy()
    return copied


def points_of_copies(
    distort: Distort,
    points: Callable[[Rows], Floats],
    rows: Callable[[Ids], Rows],
    sample_ids: Ids,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> list[Floats]:
    """Where the copies of a pool's samples lie, in tiles `[n, P]`: one copy of each, then another of each.

    Args:
        distort: From rows to rows that keep their label.
        points: From rows to points.
        rows: From sample ids to stored rows.
        sample_ids: The whole pool.
        seed: Of the distortions.
        check: Called every tenth of a second or so; may raise.
    """
    # A generator of its own: a round may be in training in another thread, on the one of all.
    generator = torch.Generator().manual_seed(seed_of(seed, "copies"))
    tiles = []
    for _ in range(copies_for(len(sample_ids))):
        for start in range(0, len(sample_ids), _TILE):
            check()
            tiles.append(points(distort(rows(sample_ids[start : start + _TILE]), generator)))
    return tiles
