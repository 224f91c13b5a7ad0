"""An embedding of one's own at work: samples, or rows that exist already, to rows of features. See `own_source`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.embedder import Embedder, Rows, checked_rows
from loops.embeddings.own_source import Kind, kind_of, load_function, named_network
from loops.errors import OwnEmbeddingError

if TYPE_CHECKING:
    import torch


def own_embedder(source: str, device: torch.device) -> Embedder:
    """Loads what a source names.

    Raises:
        OwnEmbeddingError: If it cannot be loaded.
    """
    from loops.embeddings import named_networks, own_networks  # torch only where something is to be embedded

    network = named_network(source)
    if network is not None:
        return named_networks.load(network, device)
    load: dict[Kind, Callable[[], Embedder]] = {
        "function": lambda: FunctionEmbedder(load_function(source)),
        "rows": GivenRows,
        "torchscript": lambda: own_networks.torchscript(Path(source), device),
        "onnx": lambda: own_networks.onnx(Path(source)),
    }
    return load[kind_of(source)]()


class FunctionEmbedder:
    """Somebody's function: from a list of RGB images, uint8 `[H, W, 3]` of any sizes, to an array `[N, D]`."""

    batch_size = 32

    def __init__(self, function: Callable[[list[NDArray[np.uint8]]], Any]) -> None:
        self._function = function

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The image in three channels."""
        return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image

    def embed(self, prepared: Sequence[NDArray[np.uint8]]) -> Rows:
        """Calls the function."""
        try:
            found = self._function(list(prepared))
        except (Exception, SystemExit) as error:  # somebody's code may raise anything, and call exit()
            raise OwnEmbeddingError(f"the embedding function failed: {type(error).__name__}: {error}") from error
        return checked_rows(np.asarray(found), len(prepared))


class GivenRows:
    """Rows that exist already; what is loaded for a sample is its row."""

    batch_size = 4096

    def prepare(self, row: Rows) -> Rows:
        """Refuses a row that is no row of numbers."""
        checked: Rows = checked_rows(row[None], 1)[0]
        return checked

    def embed(self, prepared: Sequence[Rows]) -> Rows:
        """The rows as they are."""
        rows: Rows = np.stack(prepared)
        return rows
