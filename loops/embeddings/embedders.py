"""What embeds: the embedder of a backbone, what it must learn of the pool first, and what distorts its rows."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray

from loops.embeddings.backbone import Backbone, Distort
from loops.embeddings.embedder import Embedder
from loops.embeddings.kinds import embedders_of
from loops.embeddings.own_embedding import own_embedder

Load = Callable[[int], Any]  # sample id -> what the kind's embedders take


class Embedders(Protocol):
    """The module that embeds samples of a kind, see `loops.embeddings.kinds`."""

    FITTED: str  # name of the file in which `fit` keeps what it learned; empty: it learns nothing

    def fit(
        self, backbone: Backbone, folder: Path, pool: NDArray[np.int64], load: Load, check: Callable[[], None]
    ) -> None:
        """Learns from the pool, without labels, what the embedder must know; nothing where it did so before.

        Args:
            backbone: One of the kind's.
            folder: Keeps what was learned.
            pool: Ids of its samples.
            load: May raise for a broken sample.
            check: Called several times a second; what it raises breaks off.
        """
        ...

    def embedder(self, backbone: Backbone, folder: Path, device: torch.device) -> Embedder:
        """What turns samples into rows of this backbone.

        Args:
            backbone: One of the kind's.
            folder: Where `fit` kept what it learned.
            device: Where a network runs.
        """
        ...

    def distortion(self, backbone: Backbone) -> Distort | None:
        """What distorts stored rows so little that they keep their label; None where nothing is known to."""
        ...


def embedder_of(backbone: Backbone, folder: Path, accelerator: str = "auto") -> Embedder:
    """What turns samples into rows of a backbone; on the GPU when there is one and `accelerator` lets it.

    Args:
        backbone: The backbone.
        folder: Of its feature store.
        accelerator: `auto` or `cpu`.

    Raises:
        OwnEmbeddingError: If it is somebody's own and cannot be used.
    """
    on_gpu = accelerator != "cpu" and torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    if backbone.source:
        return own_embedder(backbone.source, device)
    return _module(backbone).embedder(backbone, folder, device)


def fit(
    backbone: Backbone, folder: Path, pool: NDArray[np.int64], load: Load, check: Callable[[], None] = lambda: None
) -> None:
    """Learns from the pool what the backbone's embedder must know before it embeds; see `Embedders.fit`."""
    if not backbone.source:
        _module(backbone).fit(backbone, folder, pool, load, check)


def fitted_file(backbone: Backbone) -> str:
    """Name of the file in a store's folder that holds what was learned from the pool; empty: nothing needs to be."""
    return "" if backbone.source else _module(backbone).FITTED


def distortion_of(backbone: Backbone) -> Distort | None:
    """What distorts stored rows so little that they keep their label; None where nothing is known to."""
    return None if backbone.source else _module(backbone).distortion(backbone)


def _module(backbone: Backbone) -> Embedders:
    return cast("Embedders", import_module(embedders_of(backbone)))
