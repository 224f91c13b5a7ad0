"""Learns features from a pool of small images, in the background, and builds a second graph in them.

Minutes of a processor core: it can be stopped between any two steps and goes on there. When the graph lies beside the
computed one, a file says which of the two is in force.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from loops.checkpoint import read_checkpoint, write_checkpoint
from loops.embeddings.computed_embedding import ComputedEmbedding
from loops.embeddings.embedders import distortion_of
from loops.embeddings.encoder import Encoder, LearnedEmbedding, learned_points, prepare, spacing
from loops.embeddings.encoder_training import PARTNERS, EncoderTraining
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_building import extended
from loops.embeddings.graph_choice import GraphChoice, read_choice, write_choice
from loops.embeddings.graph_of_pool import REBUILD_AT, GraphOfPool
from loops.embeddings.stored_graph import VERSION, StoredGraph, path_of_graph, read_graph
from loops.errors import CheckpointDamagedError
from loops.evaluation.comparison import SURE
from loops.graph.graph import build_graph
from loops.graph.group_structure import doubts_between_groups
from loops.graph.nearest import nearest

FEWEST = 5_000  # samples; of 1,397 digits nothing was learned that upright pixels did not tell
STEPS = 1_200  # of the training
_SAVED_EVERY_S = 30.0
_TILE = 2_048  # images
_TRAINING_SHARE = 0.75  # of the work; the rest is the graph

Progress = Callable[[int, int], None]
Check = Callable[[], None]


def learn(store: FeatureStore, sample_ids: NDArray[np.int64], *, seed: int, progress: Progress, check: Check) -> bool:
    """Learns features from the pool, and builds a graph in them.

    Args:
        store: Holds all samples; what is learned is kept in its folder.
        sample_ids: The pool.
        seed: Of the graph that is in use already, and of all that is drawn.
        progress: Called with (done, total) in percent, at least every second or so.
        check: Called every tenth of a second or so; what it raises ends the work, to go on at the next call.

    Returns:
        Whether there is a new graph, and a new choice of graphs. False where there is nothing to learn: rows that
        cannot be distorted, too few samples, or a pool that was learned from already.
    """
    if distortion_of(store.backbone) is None or len(sample_ids) < FEWEST:
        return False
    target = path_of_graph(store.folder, seed, learned=True)
    learned = read_graph(target, store.row_shape) if read_choice(store.folder, seed).computed_doubt else None
    if learned is not None and len(sample_ids) <= REBUILD_AT * learned.built_for:
        return False
    computed = GraphOfPool(store, num_classes=2, seed=seed, learned=False)
    computed.hold(sample_ids, check)
    progress(0, 100)
    training = _Job(store, computed.stored, seed, progress, check)
    learned = training.run()
    choice = choice_by_structure(computed.stored, learned, seed, check)
    learned.write(target)
    write_choice(choice, store.folder, seed)  # last: without it the graph counts for nothing
    training.path.unlink(missing_ok=True)
    return True


@dataclass
class _Job:
    store: FeatureStore
    computed: StoredGraph
    seed: int
    progress: Progress
    check: Check

    @property
    def path(self) -> Path:
        """Where the training's state is kept."""
        return self.store.folder / f"encoder-training-{self.seed}.ckpt"

    def run(self) -> StoredGraph:
        """Trains, and builds the graph."""
        landmarks, computed = self.computed.landmarks, self.computed.embedding
        assert isinstance(computed, ComputedEmbedding), "learned from computed neighbors"
        encoder = self._trained()
        of_computed, of_learned = self._computed_points, self._learned_points(encoder)
        embedding = LearnedEmbedding(computed, encoder, (spacing(of_computed), spacing(of_learned)))
        self.progress(80, 100)
        graph = build_graph(embedding.beside(of_computed, of_learned), self.seed, self.check)
        self.progress(95, 100)
        built = replace(
            self.computed, ids=landmarks, coordinates=graph.vectors_L_M, built_for=len(self.computed.ids),
            graph=graph, embedding=embedding,
        )  # fmt: skip
        return extended(built, self.store, np.setdiff1d(self.computed.ids, landmarks), self.check)

    @property
    def _computed_points(self) -> NDArray[np.float32]:
        """Of the landmarks; of their copies nothing is learned that the training's own distortions do not tell."""
        return self.computed.graph.points_L_D[: len(self.computed.landmarks)]

    def _neighbors(self) -> NDArray[np.int32]:
        """Of each landmark, nearest first: as the graph has them, or looked for without copies."""
        points = self._computed_points
        if not self.computed.copies:
            return self.computed.graph.neighbors_L_k
        return nearest(points, points, PARTNERS + 1, self.check).positions_Q_k[:, 1:].astype(np.int32)

    def _learned_points(self, encoder: Encoder) -> NDArray[np.float32]:
        tiles = []
        for start in range(0, len(self.computed.landmarks), _TILE):
            self.check()
            rows = self.store.rows(self.computed.landmarks[start : start + _TILE])
            tiles.append(learned_points(encoder, self.computed.embedding.name, rows))
        return np.concatenate(tiles)

    def _trained(self) -> Encoder:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        training = EncoderTraining(self._images(), self._neighbors(), seed=self.seed, device=device, steps=STEPS)
        self._resume(training)
        saved_at = time.monotonic()
        try:
            while not training.done:
                self.check()
                training.step()
                self.progress(int(100 * _TRAINING_SHARE * training.steps_done / training.steps), 100)
                if time.monotonic() - saved_at >= _SAVED_EVERY_S:
                    write_checkpoint(self._state(training), self.path)
                    saved_at = time.monotonic()
        finally:
            write_checkpoint(self._state(training), self.path)
        return training.encoder

    def _images(self) -> torch.Tensor:
        """Of the landmarks, as the encoder wants them."""
        tiles = []
        for start in range(0, len(self.computed.landmarks), _TILE):
            self.check()
            rows = self.store.rows(self.computed.landmarks[start : start + _TILE])
            tiles.append(prepare(self.computed.embedding.name, rows))
        return torch.cat(tiles)

    def _state(self, training: EncoderTraining) -> dict[str, object]:
        return {
            "version": VERSION,
            "landmarks": torch.from_numpy(self.computed.landmarks),
            "training": training.state_dict(),
        }

    def _resume(self, training: EncoderTraining) -> None:
        """Goes on where the work was stopped, unless that was on other samples."""
        try:
            state = read_checkpoint(self.path)
        except CheckpointDamagedError:  # or there is none
            return
        same = np.array_equal(state["landmarks"].numpy(), self.computed.landmarks)
        if same and state["version"] == VERSION:
            training.load_state_dict(state["training"])


def choice_by_structure(
    computed: StoredGraph, learned: StoredGraph, seed: int, check: Check = lambda: None
) -> GraphChoice:
    """By structure alone, if the lead is measurable; labels take it up, and judge it later, see `graph_review`."""
    of_computed, of_learned = (
        doubts_between_groups(stored.coordinates, stored.graph.eigenvalues_M, seed=seed, check=check)
        for stored in (computed, learned)
    )
    leads = of_computed - of_learned
    is_clearer = float(leads.mean()) > SURE * float(leads.std(ddof=1)) / len(leads) ** 0.5
    return GraphChoice(
        clearer=is_clearer, computed_doubt=float(of_computed.mean()), learned_doubt=float(of_learned.mean())
    )
