"""The graph of a project's pool: labels in, answers and questions out, by sample id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.computed_embedding import Embedding
from loops.embeddings.embedding_choice import read_embedding_choice
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_building import TILE, built_graph, coordinates_of, extended, points_of
from loops.embeddings.graph_choice import GraphChoice, read_choice
from loops.embeddings.names import NameRows, worth_of
from loops.embeddings.stored_graph import StoredGraph, path_of_graph, read_graph
from loops.errors import NotFittedError
from loops.graph.propagation import Propagation

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

REBUILD_AT = 1.5  # times as many samples as the graph was built for


class GraphOfPool:
    """Labels by sample id, spread over a graph of all samples it holds.

    There may be two graphs beside the features, one of a computed embedding and one of learned features. Which is in
    force, a file says; see `loops.embeddings.graph_choice`.

    Args:
        store: Gives the rows, and the folder in which the graphs are kept.
        num_classes: C.
        seed: Of landmarks, embedding and ties.
        learned: Which graph; None: the one in force.
        names: Of the classes, in the space of the rows: what is believed before there are labels.
    """

    def __init__(
        self,
        store: FeatureStore,
        *,
        num_classes: int,
        seed: int = 0,
        learned: bool | None = None,
        names: NameRows | None = None,
    ) -> None:
        self._store, self._num_classes, self._seed = store, num_classes, seed
        self._names, self._named_N = names, np.empty(0, np.int64)  # what each sample of the graph is by the names
        self._propagation: Propagation | None = None
        self._spread_labels: dict[int, int] | None = None  # the labels that are on it; None: another fit is due
        self._elsewhere = np.empty(0, np.int64), np.empty((0, 0), np.float32)
        looked_at = read_embedding_choice(store.folder.parent)
        self._looked_at = "" if looked_at is None else looked_at.sentence  # read once: every label asks who answers
        self.choice = read_choice(store.folder, seed)
        self._learned = self.choice.learned if learned is None else learned
        self._held = self._read()
        if self._held is None and self._learned:  # damaged: the computed one serves until features are learned anew
            self.choice, self._learned = GraphChoice(), False
            self._held = self._read()

    @property
    def stored(self) -> StoredGraph:
        """The graph as it lies on disk.

        Raises:
            NotFittedError: If there is none, for no sample was ever to be held.
        """
        if self._held is None:
            raise NotFittedError
        return self._held

    @property
    def embedding(self) -> Embedding:
        """The embedding in which neighbors were looked for."""
        return self.stored.embedding

    @property
    def coefficients_M_C(self) -> Floats:  # noqa: N802 - an array, named by its shape
        """Coefficients of each class's function on the graph; see `Propagation`."""
        return self._filled().coefficients_M_C

    @property
    def sentence(self) -> str:
        """For the person at the screen: in what neighbors are looked for, and why."""
        chosen, copies = f"{self.choice.sentence(self.embedding.name)} {self._looked_at}".strip(), self.stored.copies
        if not copies:
            return chosen
        stand = "copy of each image stands" if copies == 1 else "copies of each image stand"
        return f"{chosen} {copies} distorted {stand} among them."

    def takes(self, choice: GraphChoice) -> bool:
        """Takes note of newer figures; False where they are of other graphs, and it is to be read anew."""
        of_choice = choice.learned, choice.computed_doubt, choice.learned_doubt
        same = of_choice == (self._learned, self.choice.computed_doubt, self.choice.learned_doubt)
        if same:
            self.choice = choice
        return same

    def prefix(self, sample_ids: Ids) -> int:
        """How many of these, from the first on, are on the graph as it lies on disk."""
        if self._held is None:
            return 0
        return int(np.append(np.isin(sample_ids, self._held.ids), False).argmin())

    def is_outgrown_by(self, sample_ids: Ids) -> bool:
        """Whether `hold` builds the graph of these anew, which takes minutes where they are many."""
        if self._learned:  # holds on to its landmarks: it is learned anew in the background, see `learned_graph`
            return False
        return self._held is None or len(np.union1d(self._held.ids, sample_ids)) > REBUILD_AT * self._held.built_for

    def hold(self, sample_ids: Iterable[int] | Ids, check: Callable[[], None] = lambda: None) -> None:
        """Makes sure that these samples are on the graph: builds it, or hangs new samples on it.

        Args:
            sample_ids: Further samples.
            check: Called every tenth of a second or so, for a first graph takes a minute; may raise.
        """
        given = sample_ids if isinstance(sample_ids, np.ndarray) else np.fromiter(sample_ids, np.int64)
        if self._holds(given):  # after every label: sorting a million ids again takes as long as ranking them
            return
        wanted = np.unique(given)
        held = wanted[:0] if self._held is None else self._held.ids
        new = wanted[~np.isin(wanted, held, assume_unique=True)]
        if not len(new):
            return
        if self.is_outgrown_by(new):
            self._held = built_graph(self._store, np.union1d(held, new), self._seed, check)
        else:
            self._held = extended(self.stored, self._store, new, check)
        self._propagation, self._elsewhere = None, (wanted[:0], self._elsewhere[1])
        self._held.write(path_of_graph(self._store.folder, self._seed, learned=self._learned))

    def _holds(self, sample_ids: Ids) -> bool:
        """Whether all of these are on the graph."""
        if self._held is None:
            return not len(sample_ids)
        return bool(np.isin(sample_ids, self._held.ids).all())

    def refit(self, labels: Mapping[int, int]) -> None:
        """Spreads these labels, sample id -> class index, and no others."""
        if self._propagation is not None and self._spread_labels == labels:
            return
        if self._propagation is None:
            self._propagation = Propagation(
                self.stored.coordinates,
                self.stored.graph.eigenvalues_M,
                num_classes=self._num_classes,
                seed=self._seed,
            )
            self._expect_names(self._propagation)
        rows = self._rows(np.fromiter(labels, np.int64, len(labels)))
        classes = np.fromiter(labels.values(), np.int64, len(labels))
        self._propagation.refit(
            dict(zip(rows.tolist(), classes.tolist(), strict=True)), worth=self._worth(rows, classes)
        )
        self._spread_labels = dict(labels)

    def _expect_names(self, propagation: Propagation) -> None:
        if self._names is None:
            return
        ids = self.stored.ids
        tiles = [self._names.probs(self._store.flat_rows(ids[k : k + TILE])) for k in range(0, len(ids), TILE)]
        probs_N_C = np.concatenate(tiles)
        propagation.expect(probs_N_C)
        self._named_N = probs_N_C.argmax(axis=1)

    def _worth(self, rows: Ids, classes: Ids) -> float:
        """Of the names, by the labels that there are."""
        if self._names is None:
            return 0.0
        return worth_of(int((self._named_N[rows] == classes).sum()), len(rows), self._num_classes)

    def probs(self, sample_ids: Ids) -> Floats:
        """Class probabilities `probs_N_C`; of samples that are not on the graph, a test set's, by what is near them."""
        held = np.isin(sample_ids, self.stored.ids)
        probs = np.empty((len(sample_ids), self._num_classes), np.float32)
        probs[held] = self._filled().probs(self._rows(sample_ids[held]))
        if not held.all():
            probs[~held] = self._filled().probs_at(self._coordinates_elsewhere(sample_ids[~held]))
        return probs

    def out_of_fold(self, labels: Mapping[int, int], fold_of: Mapping[int, int]) -> Floats:
        """Class probabilities of labeled samples, each by the labels of other folds; `refit` before anything else.

        Args:
            labels: Sample id -> class index.
            fold_of: Sample id -> fold, of the same samples.

        Returns:
            `probs_N_C`, in ascending order of ids.
        """
        sample_ids = np.array(sorted(labels), np.int64)
        folds_N = np.array([fold_of[sample_id] for sample_id in sample_ids.tolist()])
        probs_N_C = np.empty((len(sample_ids), self._num_classes), np.float32)
        for fold in np.unique(folds_N):
            self.refit({i: label for i, label in labels.items() if fold_of[i] != fold})
            probs_N_C[folds_N == fold] = self.probs(sample_ids[folds_N == fold])
        return probs_N_C

    def scores(self, sample_ids: Ids) -> Floats:
        """How much a label of each sample is expected to settle, `scores_N`."""
        return self._filled().scores()[self._rows(sample_ids)]

    def draws(self, sample_ids: Ids, count: int, seed: int) -> Floats:
        """Class probabilities under K functions of the posterior, `probs_N_C_K`; see `Propagation.draws`."""
        held = np.isin(sample_ids, self.stored.ids)
        draws = np.empty((len(sample_ids), self._num_classes, count), np.float32)
        draws[held] = self._filled().draws(self._rows(sample_ids[held]), count, seed)
        if not held.all():
            draws[~held] = self._filled().draws_at(self._coordinates_elsewhere(sample_ids[~held]), count, seed)
        return draws

    def rank(self, sample_ids: Ids, size: int, *, coverage: bool = False) -> tuple[Ids, Floats]:
        """Sample ids in the order in which they should be asked, and scores."""
        asked_of = np.flatnonzero(np.isin(self.stored.ids, sample_ids))  # sorting takes ten times as long
        rows, scores = self._filled().rank(asked_of, size, coverage=coverage)
        return self.stored.ids[rows], scores

    def shares(self, sample_ids: list[int], labeled: list[int]) -> Floats:
        """The share of the pool that is nearer, on the graph, to each of these samples than to other labeled ones."""
        nearest_of_pool = self._filled().nearest_of(self._rows(np.array(labeled)))
        count = dict(zip(labeled, np.bincount(nearest_of_pool, minlength=len(labeled)).tolist(), strict=True))
        return np.array([count[sample_id] for sample_id in sample_ids], np.float32) / len(self.stored.ids)

    @property
    def middle(self) -> Floats:
        """The mean of the points of which the graph was built, `[P]`."""
        mean: Floats = self.stored.graph.points_L_D.mean(axis=0)
        return mean

    def placed(self) -> Callable[[Ids], Floats]:
        """From sample ids to points around the middle of the pool, `[N, P]`; of any samples that have rows.

        It goes on giving the same points when another graph comes into force.
        """
        embedding, middle = self.embedding, self.middle
        return lambda sample_ids: points_of(embedding, self._store, sample_ids, lambda: None) - middle

    def _read(self) -> StoredGraph | None:
        path = path_of_graph(self._store.folder, self._seed, learned=self._learned)
        return read_graph(path, self._store.row_shape)

    def _filled(self) -> Propagation:
        if self._propagation is None:
            self.refit({})
        assert self._propagation is not None
        return self._propagation

    def _rows(self, sample_ids: Ids) -> Ids:
        return np.searchsorted(self.stored.ids, sample_ids)

    def _coordinates_elsewhere(self, sample_ids: Ids) -> Floats:
        """Of samples that are not held; those of the last call are remembered, for a test set is asked every round."""
        if not np.array_equal(sample_ids, self._elsewhere[0]):
            self._elsewhere = sample_ids, coordinates_of(self.stored, self._store, sample_ids, lambda: None)
        return self._elsewhere[1]
