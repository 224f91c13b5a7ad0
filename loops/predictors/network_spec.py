"""Which predictor fits the data, and how it is fitted. See docs/decisions/0003-predictors.md."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from loops.acquisition.catalog import EPISTEMIC, MARGIN
from loops.embeddings.backbone import EFFICIENTNET
from loops.errors import UnknownPredictorError

NETWORKS = ("auto", "cnn", "features")
_SMALL = 64  # pixels: the largest median shorter side for which a small network is trained end to end


@dataclass(frozen=True)
class NetworkSpec:
    """A kind of predictor with its settings."""

    name: str  # cnn | features
    backbone: str  # what the feature store holds: pixels-S | efficientnet_lite0
    acquisition: str  # the default for this kind of predictor
    epochs: int
    batch_size: int  # samples per optimizer step
    learning_rate: float  # the highest, AdamW
    weight_decay: float
    min_steps_per_epoch: int  # with few labels each is seen several times an epoch
    max_steps_per_epoch: int  # with many labels an epoch is a part of them
    score_batch_size: int = 512  # samples


def base_name(predictor: str) -> str:
    """Which network's rows a predictor is given: those of the network it names, or that suits the images."""
    return predictor if predictor in NETWORKS else "auto"


def choose_network(name: str, sizes: Sequence[tuple[int, int]]) -> NetworkSpec:
    """Chooses a predictor for images of these sizes.

    Args:
        name: `cnn`, `features`, or `auto`: `cnn` where the median shorter side is at most 64 pixels.
        sizes: (width, height) of the images.

    Raises:
        UnknownPredictorError: If there is none of that name.
    """
    if name not in NETWORKS:
        raise UnknownPredictorError(name, NETWORKS)
    shorter = statistics.median_low([min(size) for size in sizes]) if sizes else _SMALL
    if name == "features" or (name == "auto" and shorter > _SMALL):
        return _features()
    return _cnn(side=min(_SMALL, max(16, 4 * -(-shorter // 4))))


def _cnn(side: int) -> NetworkSpec:
    return NetworkSpec(
        name="cnn",
        backbone=f"pixels-{side}",
        acquisition=EPISTEMIC,
        epochs=20,
        batch_size=32,
        learning_rate=5e-3,
        weight_decay=0.01,
        min_steps_per_epoch=25,
        max_steps_per_epoch=100,
    )


def _features() -> NetworkSpec:
    return NetworkSpec(
        name="features",
        backbone=EFFICIENTNET,
        acquisition=MARGIN,
        epochs=20,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=0.05,
        min_steps_per_epoch=10,
        max_steps_per_epoch=100,
        score_batch_size=4096,
    )
