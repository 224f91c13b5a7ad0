"""The graph as a predictor: labels spread over the pool from look-alike to look-alike, in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from loops.checkpoint import SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.cross_validation import CrossValidation
from loops.embeddings.features import FeatureStore
from loops.embeddings.graph_choice import COMPUTED_FIRST
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.graph_review import review_choice
from loops.embeddings.names import NameRows
from loops.errors import CheckpointDamagedError, CheckpointMismatchError, NotFittedError
from loops.folds import assign_folds, duplicate_groups
from loops.predictors.graph_module import GraphModule, MiddledPoints
from loops.predictors.predictor import Description, Floats, Ids, Predictor, Questions
from loops.seeding import seed_of

NAME = "graph"
_NOBODY: Ids = np.empty(0, np.int64)


class GraphPredictor(Predictor):
    """Gaussian-process regression on the graph of the pool; see `loops.graph.propagation`.

    It learns in a blink, so it is its own `Instant`: every further label is a refit.

    Args:
        store: Where the rows of samples come from, and where the graph is kept.
        num_classes: C.
        seed: Of graph, folds, draws and ties.
        mc_iterations: K.
        shared: Another one, whose graph it uses with labels of its own.
        names: Of the classes, in the space of the rows: it answers by them before there are labels.
    """

    asks_of_whole_pool = True

    def __init__(
        self,
        store: FeatureStore,
        *,
        num_classes: int,
        seed: int,
        mc_iterations: int = 20,
        shared: GraphPredictor | None = None,
        names: NameRows | None = None,
    ) -> None:
        super().__init__(store, num_classes=num_classes, seed=seed, mc_iterations=mc_iterations)
        self._owner, self._names = shared or self, names
        self._graph: GraphOfPool | None = None  # of the owner
        self._labels: dict[int, int] | None = None  # None: neither fitted nor loaded
        self._reviewed_at = 0  # labels
        self._pool_size = 0  # samples that were put on the graph last

    @property
    def asks_itself(self) -> bool:
        """It always has questions of its own."""
        return True

    @property
    def answers_without_labels(self) -> bool:
        """Whether it knows the names of the classes."""
        return self._owner._names is not None

    @property
    def fingerprint(self) -> str:
        """A text of all that decides what it learns from the same labels; the names of the classes do too."""
        names = self._owner._names
        return (
            super().fingerprint if names is None else repr((super().fingerprint, names.scale, names.rows_C_D.tolist()))
        )

    def fit(self, labels: Mapping[int, int], *, round_number: int = 0, checkpoint_dir: Path | None = None) -> None:
        """Takes the labels; they are spread when something is asked."""
        del round_number, checkpoint_dir
        self._labels = dict(labels)

    def refit(self, labels: Mapping[int, int]) -> None:
        """Takes the labels, as `fit` does."""
        self._labels = dict(labels)

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`; of samples that are not on the graph by what is near them.

        Raises:
            NotFittedError: Before the first fit or load, and while neither a label nor a sample is on the graph.
        """
        return self._fitted_graph().probs(np.asarray(sample_ids, np.int64))

    def draws(self, sample_ids: ArrayLike, *, count: int = 0, round_number: int = 0) -> Floats:
        """Answers under K functions of the posterior, `probs_N_C_K`; 0: as many as score a pool."""
        seed = seed_of(self.seed, "posterior", round_number)
        return self._fitted_graph().draws(np.asarray(sample_ids, np.int64), count or self.mc_iterations, seed)

    def describe(self) -> Description:
        """Its name, and in which embedding it looks for neighbors."""
        details = "" if self._owner._graph is None else self._owner._graph.sentence
        so_far = "the names of the classes and from look-alikes" if self.answers_without_labels else "look-alikes"
        sentence = f"There are too few labels to say how often the model is right; it learns from {so_far}."
        return Description(NAME, sentence, details)

    def as_module(self) -> nn.Module:
        """The graph's landmarks and what the labels made of them: answers for samples that are not on it."""
        return GraphModule(self._fitted_graph())

    def fresh(self, fold: int | None = None) -> GraphPredictor:
        """One on the same graph, without labels."""
        del fold
        return GraphPredictor(
            self.store,
            num_classes=self.num_classes,
            seed=self.seed,
            mc_iterations=self.mc_iterations,
            shared=self._owner,
        )

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        """The samples whose labels would take away most variance of the pool; see `Propagation.rank`."""
        if not len(sample_ids):
            return None
        ranked, scores = self.graph(pool=sample_ids).rank(sample_ids, size, coverage=coverage)
        return Questions(ranked, scores)

    def gains(self, sample_ids: Ids) -> Floats:
        """The variance of the pool that a label of each sample would take away."""
        return self.graph(pool=sample_ids).scores(sample_ids)

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> GraphPredictor:
        """One on the same graph, which takes labels of its own."""
        del sample_ids, round_number
        instant = self.fresh()
        instant.refit(self._labels or {})
        return instant

    def review(self, labels: Mapping[int, int], *, pool: Ids, begins: bool) -> None:
        """Looks again in which embedding neighbors are looked for: in each round, and once the first labels are there.

        Args:
            labels: Sample id -> class index.
            pool: Is put on the graph, so that the next label finds it there.
            begins: Whether a round has just been published; otherwise the first labels alone are a reason to look.
        """
        owner = self._owner
        is_due = begins or owner._reviewed_at < COMPUTED_FIRST <= len(labels)
        if is_due:
            owner._reviewed_at = len(labels)
            chosen = review_choice(self.store, labels, num_classes=self.num_classes, seed=self.seed)
            if owner._graph is not None and not owner._graph.takes(chosen):
                owner._graph = None
        if len(pool) and (is_due or len(pool) != owner._pool_size):  # after each label nothing is compared again
            self.graph(pool=pool)
            owner._pool_size = len(pool)

    def pool_shares(self, labeled: Ids) -> Floats:
        """The share of the pool that is nearer to each of these samples than to the others, `[n]`."""
        ids = labeled.tolist()
        return self.graph(pool=labeled).shares(ids, ids)

    def cross_validate(
        self, labels: Mapping[int, int], *, num_folds: int, round_number: int = 0, folder: Path | None = None
    ) -> CrossValidation:
        """Each label predicted from those of other folds; samples with equal rows are in one fold."""
        del folder, round_number
        sample_ids = np.array(sorted(labels), np.int64)
        groups = duplicate_groups(sample_ids.tolist(), self.embedding(sample_ids))
        fold_of = assign_folds(labels, num_folds=num_folds, groups=groups, seed=self.seed)
        return CrossValidation(
            sample_ids=sample_ids,
            labels_N=np.array([labels[i] for i in sample_ids.tolist()], np.int64),
            folds_N=np.array([fold_of[i] for i in sample_ids.tolist()], np.int64),
            probs_N_C=self.graph(pool=sample_ids).out_of_fold(labels, fold_of),
        )

    def graph(self, *, pool: Ids = _NOBODY) -> GraphOfPool:
        """The graph with its labels spread over it; the samples of `pool` are on it."""
        labels = self._labels or {}
        graph = self._holding(np.concatenate([np.fromiter(labels, np.int64, len(labels)), pool]))
        graph.refit(labels)
        return graph

    def points(self, held: Ids) -> Callable[[Ids], Floats]:
        """Gives the points in which it looks for neighbors, as `GraphOfPool.placed`; these are on the graph."""
        return self._holding(held).placed()

    def points_as_module(self, held: Ids) -> nn.Module:
        """The same points as a torch module, from stored rows; these samples are on the graph."""
        graph = self._holding(held)
        return MiddledPoints(graph.embedding, graph.middle)

    def _holding(self, sample_ids: Ids) -> GraphOfPool:
        owner = self._owner
        if owner._graph is None:
            owner._graph = GraphOfPool(owner.store, num_classes=self.num_classes, seed=self.seed, names=owner._names)
        owner._graph.hold(sample_ids)
        return owner._graph

    def _fitted_graph(self) -> GraphOfPool:
        if self._labels is None:
            raise NotFittedError
        return self.graph()

    @property
    def _kind(self) -> str:
        return f"a graph of {self.store.backbone.name}"

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        """Writes the labels; the graph lies beside the features."""
        if self._labels is None:
            raise NotFittedError
        labels = torch.tensor(sorted(self._labels.items()), dtype=torch.long).reshape(-1, 2)
        described = {"backbone": self._kind, "num_classes": self.num_classes}
        checkpoint = {"learner": described, "state_dict": {}, "labels": labels, "active_learning_loop": loop_state}
        return write_checkpoint(checkpoint, path)

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        """Takes over the labels that `save` wrote."""
        checkpoint = read_checkpoint(path, sha256=sha256, size=size)
        found = checkpoint.get("learner", {}).get("backbone")
        if found != self._kind:
            raise CheckpointMismatchError(path, f"{self._kind} wanted, {found} found")
        try:
            self._labels = dict(checkpoint["labels"].tolist())
            loop_state: dict[str, Any] = checkpoint["active_learning_loop"]
        except (AttributeError, KeyError, ValueError) as error:
            raise CheckpointDamagedError(path, "it holds no graph of ours") from error
        return loop_state
