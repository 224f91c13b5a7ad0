"""Any classifier of scikit-learn's kind as a predictor: `fit(X, y)`, `predict_proba(X)`, `classes_`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from loops.embeddings.features import FeatureStore
from loops.errors import (
    NotEnoughSamplesError,
    NotFittedError,
    OwnCodeError,
)
from loops.predictors.one_thread import one_thread
from loops.predictors.predictor import Description, Floats, Ids, Predictor
from loops.predictors.scoring import mean_of
from loops.seeding import seed_of

MEMBERS = 10  # of the bagged committee: each is a fit, and every label fits all of them anew


def check_classifier(estimator: Any, name: str) -> None:  # noqa: ANN401 - as below
    """Refuse what does not say with which probability a sample is of each class, such as a clustering or a bare SVC.

    Raises:
        OwnCodeError: With what it lacks.
    """
    missing = [verb for verb in ("fit", "predict_proba", "get_params") if not hasattr(estimator, verb)]
    if missing:
        raise OwnCodeError(name, f"a predictor needs {' and '.join(missing)}")


class ScikitPredictor(Predictor):
    """A bagged committee of one classifier: each member is fitted on labels drawn with return, class by class.

    The members' answers are the draws, and their mean is the answer (Breiman 1996). It is saved as its labels and
    fitted again when it is loaded, for a pickle would run whatever somebody put into it.

    Args:
        estimator: Of scikit-learn's kind; cloned, never fitted itself.
        name: `package.module:name`, as the person gave it.
        store: Where the rows of samples come from.
        num_classes: C.
        seed: Of the draws, and of members that take a `random_state`.
        fold: Of a cross-validation.
    """

    asks_of_whole_pool = False
    answers_with_mean_of_draws = True

    def __init__(
        self,
        estimator: Any,  # noqa: ANN401 - scikit-learn has no common class that others must inherit from
        name: str,
        store: FeatureStore,
        *,
        num_classes: int,
        seed: int,
        fold: int | None = None,
    ) -> None:
        check_classifier(estimator, name)
        super().__init__(store, num_classes=num_classes, seed=seed, mc_iterations=MEMBERS)
        self._estimator, self._name = estimator, name
        self._run_seed = seed if fold is None else seed_of(seed, "fold", fold)
        self._members: list[Any] = []
        self._of_round: list[Any] = []  # the members as a round left them, of one that takes further labels

    @property
    def fingerprint(self) -> str:
        """A text of all that decides what it learns from the same labels."""
        return repr((self._name, self._estimator.get_params(), self.num_classes, self.seed))

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Fits the members on all labels."""
        del checkpoint_dir
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        ids, classes = np.array(sorted(labels), np.int64), np.array([labels[i] for i in sorted(labels)], np.int64)
        rows = self.store.flat_rows(ids)
        with one_thread():
            self._members = [self._member(rows, classes, seed_of(self._run_seed, "bag", k)) for k in range(MEMBERS)]
        self.fitted_on = dict(labels), round_number

    def refit(self, labels: Mapping[int, int]) -> None:
        """Takes all labels, those of the round and those since; of classes that were added since none.

        Args:
            labels: Sample id -> class index. Without any the members are the round's.
        """
        known = {sample_id: label for sample_id, label in labels.items() if label < self.num_classes}
        if known:
            self.fit(known, round_number=0 if self.fitted_on is None else self.fitted_on[1])
        else:
            self._members = self._of_round

    def predict(self, sample_ids: ArrayLike) -> Floats:
        """The members' mean answer, `probs_N_C`."""
        return mean_of(self.draws(sample_ids))

    def draws(self, sample_ids: ArrayLike, *, count: int = MEMBERS, round_number: int = 0) -> Floats:
        """The members' answers, `probs_N_C_K`: as many as there are members, whatever was asked for."""
        del count, round_number
        if not self._members:
            raise NotFittedError
        rows = self.store.flat_rows(sample_ids)
        return np.stack([self._answers(member, rows) for member in self._members], axis=-1)

    def describe(self) -> Description:
        """Its name, and what the person at the screen is told of it."""
        short = self._name.rpartition(":")[2]
        details = f"{MEMBERS} of them, each fitted on labels drawn with return; their mean answer counts."
        return Description(self._name, f"{short} answers.", details)

    def fresh(self, fold: int | None = None) -> ScikitPredictor:
        """One of the same kind that has learned nothing."""
        return ScikitPredictor(
            self._estimator, self._name, self.store, num_classes=self.num_classes, seed=self.seed, fold=fold
        )

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> None:
        """It has none of its own: an acquisition function decides."""

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> ScikitPredictor:
        """One like this, which is fitted again on every label."""
        del sample_ids, round_number
        instant = copy.copy(self)
        instant._of_round = self._members
        return instant

    def _member(self, rows: Floats, classes: Ids, seed: int) -> Any:  # noqa: ANN401
        member = clone(self._estimator)
        if "random_state" in member.get_params():
            member.set_params(random_state=seed % 2**32)
        drawn = _drawn_by_class(classes, np.random.default_rng(seed))
        if len(np.unique(classes)) < 2:  # many classifiers refuse a single class
            return int(classes[0])
        return member.fit(rows[drawn], classes[drawn])

    def _answers(self, member: Any, rows: Floats) -> Floats:  # noqa: ANN401
        probs_N_C = np.zeros((len(rows), self.num_classes), np.float32)
        if isinstance(member, int):
            probs_N_C[:, member] = 1.0
        elif len(rows):
            probs_N_C[:, np.asarray(member.classes_, np.int64)] = member.predict_proba(rows)
        return probs_N_C


def _drawn_by_class(classes: Ids, generator: np.random.Generator) -> Ids:
    """Places drawn with return, as many of each class as there are, so that no class is missing from a member."""
    of_class = [np.flatnonzero(classes == one) for one in np.unique(classes)]
    return np.sort(np.concatenate([generator.choice(places, len(places)) for places in of_class]))
