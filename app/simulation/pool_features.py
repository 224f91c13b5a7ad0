"""What a project learns from its pool without labels: for a simulation, before the first question."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.learned_graph import learn


def build_graphs(
    store: FeatureStore, sample_ids: Iterable[int], *, num_classes: int, seed: int, progress: Callable[[int], None]
) -> None:
    """Builds the graphs of a pool, in computed and, where the pool is large enough, in learned features.

    A project does so in the background, minutes of a processor core while labeling goes on; a simulated annotator is
    quicker than that, and begins when it is done.

    Args:
        store: Holds the pool; the graphs are kept in its folder.
        sample_ids: The pool.
        num_classes: C.
        seed: Of the run.
        progress: Told how much is learned, in percent; never where nothing is.
    """
    wanted = np.fromiter(sample_ids, np.int64)
    embedded = np.setdiff1d(wanted, store.missing(wanted))
    GraphOfPool(store, num_classes=num_classes, seed=seed).hold(embedded)
    learn(store, embedded, seed=seed, progress=lambda done, _total: progress(done), check=lambda: None)


@contextmanager
def folder_of_run(store: FeatureStore) -> Iterator[FeatureStore]:
    """The same rows and graphs in a folder of its own: which graph is in force is each run's own matter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in store.folder.iterdir():
            (folder / path.name).symlink_to(path)
        yield FeatureStore(folder, store.backbone)
