"""What the names of the classes say of a sample, before anybody has labeled one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from loops.cross_validation import CrossValidation
from loops.embeddings.features import FeatureStore
from loops.embeddings.names import NameRows, unit
from loops.folds import assign_folds, duplicate_groups
from loops.predictors.names_module import NamesModule
from loops.predictors.predictor import Description, Floats, Ids, Predictor
from loops.seeding import seed_of

NAME = "names of the classes"


class NamesPredictor(Predictor):
    """Answers with the class whose name is nearest, in an embedding that reads text (Radford et al. 2021).

    It learns nothing, so labels are honest evidence of how good it is. Its draws are of what it cannot know, how common
    and how broadly meant each class is: draw k moves the logits of each class by a standard normal of its own.

    Args:
        store: Of the samples' rows.
        names: Of the classes, in the same space.
        num_classes: C.
        seed: Of the draws and folds.
        mc_iterations: K.
    """

    def __init__(
        self, store: FeatureStore, names: NameRows, *, num_classes: int, seed: int = 0, mc_iterations: int = 20
    ) -> None:
        super().__init__(store, num_classes=num_classes, seed=seed, mc_iterations=mc_iterations)
        self._names = names

    @property
    def fingerprint(self) -> str:
        """Of the names."""
        return repr((NAME, self.num_classes, self._names.scale, self._names.rows_C_D.tobytes()))

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Notes the labels for its file; it learns nothing of them."""
        del checkpoint_dir
        self.fitted_on = dict(labels), round_number

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`."""
        return _softmax(self._logits(sample_ids))

    def draws(self, sample_ids: ArrayLike, *, count: int = 0, round_number: int = 0) -> Floats:
        """Answers where each class is as much more common as K draws have it, `probs_N_C_K`."""
        shape = (self._names.rows_C_D.shape[0], count or self.mc_iterations)
        moved_C_K = np.random.default_rng(seed_of(self.seed, "names", round_number)).standard_normal(shape)
        return _softmax(self._logits(sample_ids)[:, :, None] + moved_C_K.astype(np.float32)[None])

    def describe(self) -> Description:
        """Who answers."""
        sentence = "The names of the classes answer, until your labels say more; so does what looks alike."
        return Description(NAME, sentence)

    def fresh(self, fold: int | None = None) -> NamesPredictor:
        """One with the same names."""
        del fold
        return NamesPredictor(
            self.store, self._names, num_classes=self.num_classes, seed=self.seed, mc_iterations=self.mc_iterations
        )

    def as_module(self) -> NamesModule:
        """The names, as a torch module over stored rows."""
        return NamesModule(self._names)

    def cross_validate(
        self, labels: Mapping[int, int], *, num_folds: int, round_number: int = 0, folder: Path | None = None
    ) -> CrossValidation:
        """Its answers, which no label had a part in; the folds are those that others have."""
        del folder, round_number
        sample_ids: Ids = np.array(sorted(labels), np.int64)
        groups = duplicate_groups(sample_ids.tolist(), self.embedding(sample_ids))
        fold_of = assign_folds(labels, num_folds=num_folds, groups=groups, seed=self.seed)
        return CrossValidation(
            sample_ids=sample_ids,
            labels_N=np.array([labels[i] for i in sample_ids.tolist()], np.int64),
            folds_N=np.array([fold_of[i] for i in sample_ids.tolist()], np.int64),
            probs_N_C=self.predict(sample_ids),
        )

    def _logits(self, sample_ids: ArrayLike) -> Floats:
        rows_N_D = unit(self.store.flat_rows(sample_ids))
        return np.asarray(self._names.scale * rows_N_D @ self._names.rows_C_D.T, np.float32)


def _softmax(logits: Floats) -> Floats:
    """Along the classes, which are the second dimension."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)
