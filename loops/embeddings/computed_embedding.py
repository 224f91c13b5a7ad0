"""An embedding that no label had a part in: from stored rows to points whose neighbors tend to be of one class.

Which embedding, is decided without labels: a copy of an image, distorted as little as the small network's training
takes for granted that it keeps its class, should be found again among all the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, normalize

from loops.embeddings.copies import distorted
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.named_classes import named_classes, tells_something
from loops.graph.nearest import nearest
from loops.seeding import seed_of

DIMENSIONS = 64  # after PCA
BLUR = 1.0 / 28  # width of the blur, as a share of the side: a stroke's neighbor is nearly a stroke
COPIES = 512  # distorted images that are looked for
_TILE = 4_096  # images
MOST_NUMBERS = 4_096  # of an image; the covariance of 12,288, colors of 64 x 64, took 3.8 GB and the solver more
_NO_VARIANCE = 1e-10  # of the largest one
_FEWEST_FOR_A_TEST = 50  # images
NAMED = "features and named classes"

Rows = NDArray[np.generic]
Doubles = NDArray[np.float64]
Prepare = Callable[[Tensor], Tensor]  # images [B, C, S, S], 0..1, to images or features of any shape


class Embedding(Protocol):
    """From stored rows to points, the same for a row whatever else is asked."""

    @property
    def name(self) -> str:
        """What it makes of a row."""
        ...

    def points(self, rows: Rows) -> NDArray[np.float32]:
        """Points of stored rows: `[N, P]`."""
        ...

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All that it takes to make it again."""
        ...


@dataclass(frozen=True)
class ComputedEmbedding:
    """Prepared images, or features, and their principal components, fitted to the pool."""

    name: str
    found: dict[str, float]  # of each candidate, the share of distorted copies that it found again; empty: no test
    mean_D: NDArray[np.float32]
    components_D_P: NDArray[np.float32]

    def points(self, rows: Rows) -> NDArray[np.float32]:
        """Points of stored rows: `[N, P]`."""
        tiles = [rows[start : start + _TILE] for start in range(0, max(1, len(rows)), _TILE)]
        return np.concatenate([self._project(_features(self.name, tile)) for tile in tiles])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All that it takes to make it again."""
        return {
            "found": np.array(list(self.found.values()), np.float64),
            "candidates": np.array(list(self.found), np.str_),
            "mean": self.mean_D,
            "components": self.components_D_P,
        }

    @staticmethod
    def of_arrays(name: str, arrays: Mapping[str, NDArray[np.generic]]) -> ComputedEmbedding:
        """Makes again what `arrays` tells."""
        found = dict(zip(arrays["candidates"].tolist(), arrays["found"].tolist(), strict=True))
        return ComputedEmbedding(name, found, arrays["mean"], arrays["components"])  # type: ignore[arg-type]

    def _project(self, features_N_D: NDArray[np.float32]) -> NDArray[np.float32]:
        return (features_N_D - self.mean_D) @ self.components_D_P


def choose_embedding(
    rows: Rows, seed: int, check: Callable[[], None] = lambda: None, *, backbone: str = ""
) -> ComputedEmbedding:
    """Chooses among the candidates that fit these rows, and fits it.

    Args:
        rows: Of the landmarks, `[L, C, S, S]` pixels (uint8) or `[L, D]` features.
        seed: Of the distortions.
        check: Called every tenth of a second or so; may raise.
        backbone: Name of what made the rows.
    """
    if rows.ndim == 2:
        return _fit(_prepared_features(rows, backbone), rows, check)
    fitted = {name: _fit(name, rows, check) for name in PREPARATIONS}
    if len(rows) < _FEWEST_FOR_A_TEST:
        return fitted["pixels"]
    check()
    found = {name: _share_found(embedding, rows, seed) for name, embedding in fitted.items()}
    best = max(found, key=lambda name: found[name])  # of equals the first: the one that does less
    return ComputedEmbedding(best, found, fitted[best].mean_D, fitted[best].components_D_P)


def upright(images: Tensor) -> Tensor:
    """Moves what is in each image to the middle and takes its slant out, by the moments of all that is not background.

    Args:
        images: `[B, C, S, S]`, 0..1.
    """
    mass = (images - _background(images)).abs().mean(1)
    side = images.shape[-1]
    axis = (torch.arange(side, dtype=mass.dtype) * 2 + 1) / side - 1  # as `affine_grid` counts
    total = mass.sum((1, 2)).clamp_min(1e-6)
    center_x, center_y = (mass.sum(1) @ axis) / total, (mass.sum(2) @ axis) / total
    dx, dy = axis[None, None, :] - center_x[:, None, None], axis[None, :, None] - center_y[:, None, None]
    slant = (mass * dx * dy).sum((1, 2)) / (mass * dy.square()).sum((1, 2)).clamp_min(1e-6)
    one, zero = torch.ones_like(slant), torch.zeros_like(slant)
    rows = torch.stack([one, slant.clamp(-1.0, 1.0), center_x, zero, one, center_y], dim=1)
    grid = affine_grid(rows.reshape(-1, 2, 3), list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def blurred(images: Tensor) -> Tensor:
    """Blurs by a Gaussian whose width is a share of the side; `[B, C, S, S]`.

    By two products with a banded matrix: convolution with one channel takes ten times as long.
    """
    side = images.shape[-1]
    width = BLUR * side
    reach = max(1, round(3 * width))
    apart = torch.arange(side)[:, None] - torch.arange(side)
    banded = torch.exp(-0.5 * (apart / width).square()) * (apart.abs() <= reach)
    banded /= banded.sum(dim=1, keepdim=True)  # at the border too, or a light background would end in a dark frame
    return banded @ images @ banded.T


PREPARATIONS: dict[str, Prepare] = {"pixels": blurred, "upright pixels": lambda images: blurred(upright(images))}


def _prepared_features(rows: Rows, backbone: str) -> str:
    """Features alone, or beside them what the network takes an image for, where it recognizes these images."""
    some = np.asarray(rows[:COPIES], np.float32)
    return NAMED if backbone == EFFICIENTNET and tells_something(named_classes(some)) else "features"


def _background(images: Tensor) -> Tensor:
    """The median of each image's border, of each channel: `[B, C, 1, 1]`."""
    border = torch.cat([images[:, :, 0], images[:, :, -1], images[:, :, :, 0], images[:, :, :, -1]], dim=2)
    # The lower median, as `median` has it, by what an exported model can do too.
    return border.sort(dim=2).values[:, :, (border.shape[2] - 1) // 2][:, :, None, None]


@torch.inference_mode()
def _features(name: str, rows: Rows) -> NDArray[np.float32]:
    if rows.ndim == 2:
        features = np.asarray(rows, np.float32)
        unit: NDArray[np.float32] = normalize(torch.from_numpy(features), dim=1).numpy()
        return np.concatenate([unit, named_classes(features)], axis=1) if name == NAMED else unit
    images = torch.from_numpy(np.asarray(rows)).float() / 255
    prepared = PREPARATIONS[name](images)
    while prepared[0].numel() > MOST_NUMBERS:  # the blur left no detail that the mean of four neighbors would lose
        prepared = avg_pool2d(prepared, 2)
    flat: NDArray[np.float32] = prepared.flatten(1).numpy()
    return flat


def _fit(name: str, rows: Rows, check: Callable[[], None]) -> ComputedEmbedding:
    """PCA, by whichever is the smaller: the covariance `[D, D]`, or the products of the rows among themselves."""
    width = _features(name, rows[:1]).shape[1]
    check()
    few = len(rows) < width
    mean, components = _components_of_few(name, rows) if few else _components(name, rows, width, check)
    signs = np.sign(components[np.abs(components).argmax(axis=0), np.arange(components.shape[1])])
    return ComputedEmbedding(name, {}, mean.astype(np.float32), (components * signs).astype(np.float32))


def _components(name: str, rows: Rows, width: int, check: Callable[[], None]) -> tuple[Doubles, Doubles]:
    """Mean `[D]` and components `[D, P]`, the first of which vary most."""
    mean, covariance = np.zeros(width), np.zeros((width, width))
    for start in range(0, len(rows), _TILE):
        check()
        tile = _features(name, rows[start : start + _TILE])
        mean += tile.sum(0, dtype=np.float64)
        covariance += tile.T @ tile
    mean /= len(rows)
    covariance /= len(rows)
    covariance -= np.outer(mean, mean)
    return mean, _leading(covariance)[1]


def _components_of_few(name: str, rows: Rows) -> tuple[Doubles, Doubles]:
    """The same; of 300 colored images of 64 x 64 five seconds sooner, and the first question waits for it."""
    features = _features(name, rows).astype(np.float64)
    mean = features.mean(axis=0)
    centered = features - mean
    variances, vectors = _leading(centered @ centered.T)
    varies = variances > _NO_VARIANCE * variances[0]  # as many as rows, less one: they lie around their mean
    return mean, centered.T @ (vectors[:, varies] / np.sqrt(variances[varies])) if varies.any() else centered.T[:, :1]


def _leading(symmetric: Doubles) -> tuple[Doubles, Doubles]:
    """Its largest eigenvalues, as many as there are dimensions of a point, largest first, and their vectors."""
    last = len(symmetric) - 1
    values, vectors = eigh(symmetric, subset_by_index=(max(0, last - DIMENSIONS + 1), last), overwrite_a=True)
    return values[::-1], vectors[:, ::-1]


def _share_found(embedding: ComputedEmbedding, rows: Rows, seed: int) -> float:
    """The share of distorted copies whose nearest image is the one they were made of."""
    some = rows[: 4 * COPIES]
    # A generator of its own: a round may be in training in another thread, on the one of all.
    copied = distorted(some[:COPIES], torch.Generator().manual_seed(seed_of(seed, "distorted copies")))
    found = nearest(embedding.points(copied), embedding.points(some), 1).positions_Q_k[:, 0]
    return float((found == np.arange(len(copied))).mean())
