"""A graph as it lies on disk: who is on it, where, and the embedding by which new samples are hung on it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.computed_embedding import ComputedEmbedding, Embedding
from loops.embeddings.encoder import LearnedEmbedding
from loops.files import replace_file
from loops.graph.graph import Graph

VERSION = 4  # of what is stored, and how it is computed

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class StoredGraph:
    """A graph of a pool."""

    ids: Ids  # ascending
    coordinates: Floats  # of each id
    landmarks: Ids  # the samples of which the graph was built, ascending; its first points
    built_for: int  # samples
    graph: Graph
    embedding: Embedding
    row_shape: tuple[int, ...]  # of what was embedded: a store of gray images may grow colors

    @property
    def copies(self) -> int:
        """Of each landmark, which stand on the graph behind the landmarks themselves; see `loops.embeddings.copies`."""
        return len(self.graph.points_L_D) // len(self.landmarks) - 1

    def write(self, path: Path) -> None:
        """Writes atomically, plain arrays only, each with its checksum."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            ids=self.ids,
            coordinates=self.coordinates,
            landmarks=self.landmarks,
            built_for=np.int64(self.built_for),
            points=self.graph.points_L_D,
            eigenvalues=self.graph.eigenvalues_M,
            vectors=self.graph.vectors_L_M,
            neighbors=self.graph.neighbors_L_k,
            name=np.str_(self.embedding.name),
            row_shape=np.array(self.row_shape, np.int64),
            **self.embedding.arrays(),
        )
        replace_file(path, buffer.getvalue())


def path_of_graph(folder: Path, seed: int, *, learned: bool) -> Path:
    """Where a graph is kept."""
    return folder / f"graph-{VERSION}-{seed}{'-learned' if learned else ''}.npz"


def read_graph(path: Path, row_shape: tuple[int, ...]) -> StoredGraph | None:
    """Takes a graph from disk; None where there is none that is whole and fits, and it is to be built anew.

    Args:
        path: Of the file.
        row_shape: Of the rows that it is to be used with.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        held = _of_arrays(arrays)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):  # KeyError: another version wrote it
        return None
    return held if held.row_shape == row_shape else None


def _of_arrays(arrays: dict[str, NDArray[Any]]) -> StoredGraph:
    learned = "prepared" in arrays
    embedding: Embedding = (
        LearnedEmbedding.of_arrays(arrays) if learned else ComputedEmbedding.of_arrays(str(arrays["name"]), arrays)
    )
    return StoredGraph(
        ids=arrays["ids"],
        coordinates=arrays["coordinates"],
        landmarks=arrays["landmarks"],
        built_for=int(arrays["built_for"]),
        graph=Graph(arrays["points"], arrays["eigenvalues"], arrays["vectors"], arrays["neighbors"]),
        embedding=embedding,
        row_shape=tuple(arrays["row_shape"].tolist()),
    )
