"""Which predictor fits the data, and how it is fitted. See docs/decisions/0003-predictors.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loops.acquisition.catalog import EPISTEMIC, MARGIN
from loops.embeddings.backbone import is_pixels
from loops.errors import UnknownPredictorError

NETWORKS = ("auto", "cnn", "features")


@dataclass(frozen=True)
class NetworkSpec:
    """A kind of predictor with its settings."""

    name: str  # cnn | features
    backbone: str  # what the feature store holds, by its name
    acquisition: str  # the default for this kind of predictor
    epochs: int
    batch_size: int  # samples per optimizer step
    learning_rate: float  # the highest, AdamW
    weight_decay: float
    min_steps_per_epoch: int  # with few labels each is seen several times an epoch
    max_steps_per_epoch: int  # with many labels an epoch is a part of them
    score_batch_size: int = 512  # samples


def base_name(predictor: str) -> str:
    """Which network's rows a predictor is given: those of the network it names, or that suits the samples."""
    return predictor if predictor in NETWORKS else "auto"


def choose_network(name: str, candidates: Sequence[str]) -> NetworkSpec:
    """Chooses a predictor for samples that may be embedded so.

    Args:
        name: `cnn`, which learns from pixels; `features`, which learns from anything else; or `auto`, which takes what
            the first candidate is made for.
        candidates: Names of backbones, the one to begin with first; see `loops.embeddings.kinds`.

    Raises:
        UnknownPredictorError: If there is none of that name, or it has nothing to learn from.
    """
    fitting = {
        "auto": list(candidates),
        "cnn": [backbone for backbone in candidates if is_pixels(backbone)],
        "features": [backbone for backbone in candidates if not is_pixels(backbone)],
    }
    if not fitting.get(name):
        raise UnknownPredictorError(name, [known for known, backbones in fitting.items() if backbones])
    backbone = fitting[name][0]
    return _cnn(backbone) if is_pixels(backbone) else _features(backbone)


def _cnn(backbone: str) -> NetworkSpec:
    return NetworkSpec(
        name="cnn",
        backbone=backbone,
        acquisition=EPISTEMIC,
        epochs=20,
        batch_size=32,
        learning_rate=5e-3,
        weight_decay=0.01,
        min_steps_per_epoch=25,
        max_steps_per_epoch=100,
    )


def _features(backbone: str) -> NetworkSpec:
    return NetworkSpec(
        name="features",
        backbone=backbone,
        acquisition=MARGIN,
        epochs=20,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=0.05,
        min_steps_per_epoch=10,
        max_steps_per_epoch=100,
        score_batch_size=4096,
    )
