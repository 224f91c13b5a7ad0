"""The graph of a project's pool: built once from the stored rows, kept on disk beside them, by sample id."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loops.checkpoint import replace_file
from loops.features import FeatureStore
from loops.graph import Graph, build_graph, choose_landmarks
from loops.points import Embedding, choose_embedding
from loops.propagation import Propagation

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

_TILE = 8_192  # rows read at once
_VERSION = 1  # of what is stored, and how it is computed
_REBUILD_AT = 1.5  # times as many samples as the graph was built for


class GraphOfPool:
    """Labels by sample id, spread over a graph of all samples it holds.

    Args:
        store: Gives the rows, and the folder in which the graph is kept.
        num_classes: C.
        adaptive: Whether questions follow doubt, see `Propagation`.
        seed: Of landmarks, embedding and ties.
    """

    def __init__(self, store: FeatureStore, *, num_classes: int, adaptive: bool = True, seed: int = 0) -> None:
        self._store, self._num_classes, self._adaptive, self._seed = store, num_classes, adaptive, seed
        self._ids: Ids = np.empty(0, np.int64)  # ascending
        self._propagation: Propagation | None = None
        self._coordinates: Floats = np.empty((0, 0), np.float32)
        self._elsewhere = self._ids, self._coordinates
        self._read()

    @property
    def embedding(self) -> Embedding:
        """In which neighbors were looked for."""
        return self._embedding

    @property
    def doubt(self) -> float:
        """How undecided the pool is, 0..1."""
        return float(self._filled().doubt_N.mean())

    def hold(self, sample_ids: Iterable[int]) -> None:
        """Makes sure that these samples are on the graph: builds it, or hangs new samples on it."""
        wanted = np.unique(np.fromiter(sample_ids, np.int64))
        new = wanted[~np.isin(wanted, self._ids, assume_unique=True)]
        if not len(new):
            return
        if len(self._ids) + len(new) > _REBUILD_AT * self._built_for:
            self._build(np.union1d(self._ids, new))
        else:
            self._extend(new, self._coordinates_of(new))
        self._write()

    def refit(self, labels: Mapping[int, int]) -> None:
        """Spreads these labels, sample id -> class index, and no others."""
        if self._propagation is None:
            self._propagation = Propagation(
                self._coordinates,
                self._graph.eigenvalues_M,
                num_classes=self._num_classes,
                adaptive=self._adaptive,
                seed=self._seed,
            )
        rows = self._rows(np.fromiter(labels, np.int64, len(labels)))
        self._propagation.refit(dict(zip(rows.tolist(), labels.values(), strict=True)))

    def probs(self, sample_ids: Ids) -> Floats:
        """Class probabilities `probs_N_C`; of samples that are not on the graph, a test set's, by what is near them."""
        held = np.isin(sample_ids, self._ids)
        probs = np.empty((len(sample_ids), self._num_classes), np.float32)
        probs[held] = self._filled().probs(self._rows(sample_ids[held]))
        if not held.all():
            probs[~held] = self._filled().probs_at(self._coordinates_elsewhere(sample_ids[~held]))
        return probs

    def scores(self, sample_ids: Ids) -> Floats:
        """How much a label of each sample is expected to settle, `scores_N`."""
        return self._filled().scores()[self._rows(sample_ids)]

    def rank(self, sample_ids: Ids, size: int) -> tuple[Ids, Floats]:
        """Sample ids in the order in which they should be asked, and scores."""
        rows, scores = self._filled().rank(np.sort(self._rows(sample_ids)), size)
        return self._ids[rows], scores

    def shares(self, sample_ids: list[int], labeled: list[int]) -> Floats:
        """The share of the pool that is nearer, on the graph, to each of these samples than to other labeled ones."""
        nearest_of_pool = self._filled().nearest_of(self._rows(np.array(labeled)))
        count = dict(zip(labeled, np.bincount(nearest_of_pool, minlength=len(labeled)).tolist(), strict=True))
        return np.array([count[sample_id] for sample_id in sample_ids], np.float32) / len(self._ids)

    @property
    def _path(self) -> Path:
        return self._store.folder / f"graph-{_VERSION}-{self._seed}.npz"

    def _filled(self) -> Propagation:
        if self._propagation is None:
            self.refit({})
        assert self._propagation is not None
        return self._propagation

    def _rows(self, sample_ids: Ids) -> Ids:
        return np.searchsorted(self._ids, sample_ids)

    def _build(self, sample_ids: Ids) -> None:
        landmarks = choose_landmarks(sample_ids, self._seed)
        self._embedding = choose_embedding(self._store.rows(landmarks), self._seed)
        self._graph = build_graph(self._points(landmarks), self._seed)
        self._ids, self._built_for, self._propagation = np.empty(0, np.int64), len(sample_ids), None
        self._elsewhere = self._ids, self._coordinates
        self._extend(landmarks, self._graph.vectors_L_M)
        others = np.setdiff1d(sample_ids, landmarks)
        if len(others):
            self._extend(others, self._coordinates_of(others))

    def _extend(self, sample_ids: Ids, coordinates: Floats) -> None:
        ids = np.concatenate([self._ids, sample_ids])
        stacked = np.concatenate([self._coordinates, coordinates]) if len(self._ids) else coordinates
        order = np.argsort(ids, kind="stable")
        self._ids, self._coordinates, self._propagation = ids[order], stacked[order], None

    def _coordinates_of(self, sample_ids: Ids) -> Floats:
        tiles = [sample_ids[start : start + _TILE] for start in range(0, len(sample_ids), _TILE)]
        return np.concatenate([self._graph.coordinates(self._points(tile)) for tile in tiles])

    def _coordinates_elsewhere(self, sample_ids: Ids) -> Floats:
        """Of samples that are not held; those of the last call are remembered, for a test set is asked every round."""
        if not np.array_equal(sample_ids, self._elsewhere[0]):
            self._elsewhere = sample_ids, self._coordinates_of(sample_ids)
        return self._elsewhere[1]

    def _points(self, sample_ids: Ids) -> Floats:
        tiles = [sample_ids[start : start + _TILE] for start in range(0, len(sample_ids), _TILE)]
        return np.concatenate([self._embedding.points(self._store.rows(tile)) for tile in tiles])

    def _write(self) -> None:
        buffer = io.BytesIO()
        np.savez(
            buffer,
            ids=self._ids,
            coordinates=self._coordinates,
            built_for=np.int64(self._built_for),
            points=self._graph.points_L_D,
            eigenvalues=self._graph.eigenvalues_M,
            vectors=self._graph.vectors_L_M,
            name=np.str_(self._embedding.name),
            found=np.array(list(self._embedding.found.values()), np.float64),
            candidates=np.array(list(self._embedding.found), np.str_),
            mean=self._embedding.mean_D,
            components=self._embedding.components_D_P,
        )
        replace_file(self._path, buffer.getvalue())

    def _read(self) -> None:
        """Takes the graph from disk; a damaged one is built anew."""
        self._built_for = 0
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return
        self._graph = Graph(arrays["points"], arrays["eigenvalues"], arrays["vectors"])
        found = dict(zip(arrays["candidates"].tolist(), arrays["found"].tolist(), strict=True))
        self._embedding = Embedding(str(arrays["name"]), found, arrays["mean"], arrays["components"])
        self._ids, self._coordinates = arrays["ids"], arrays["coordinates"]
        self._built_for = int(arrays["built_for"])
