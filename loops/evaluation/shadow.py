"""Shadow predictors: what would the same predictor know, had its labels been drawn uniformly, or had there been fewer?

They are fitted beside the real model and judged on the audit samples; nothing of them reaches the real model. What they
are put together to is `loops.evaluation.labels_saved`; see docs/decisions/0011-labels-saved-against-random.md.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loops.files import replace_file
from loops.seeding import hash_of_ids, seed_of

NUM_FOLDS = 5
SMALLEST = 4  # labels of the smallest shadow; sizes grow by the root of 2
JUDGED = 1_000  # samples of the pool on which shadows are compared with the model whose answers they learned

Ids = NDArray[np.int64]
Bools = NDArray[np.bool_]


class ShadowPredictor(Protocol):
    """What is fitted for a shadow: the predictor of a round, anew."""

    def fit(self, labels: Mapping[int, int], *, round_number: int) -> None:
        """Fits on all labels, sample id -> class index."""
        ...

    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities `probs_N_C`."""
        ...


class Shadows:
    """Fits shadows, each once: its labels are the first ones of a fixed order, so a later round finds it done.

    Args:
        make: Makes a fresh predictor for a fold.
        audit: Sample id -> class index of the labeled audit samples, in drawing order.
        chosen: Of the labels trained on, in the order in which they were given.
        reserve: Every sample that is or may become an audit sample; shadows predict them all, once.
        seed: Of folds and draws.
        folder: Where predictions are kept from round to round; None keeps none.
    """

    def __init__(
        self,
        make: Callable[[int], ShadowPredictor],
        *,
        audit: Mapping[int, int],
        chosen: Mapping[int, int],
        reserve: Sequence[int],
        seed: int = 0,
        folder: Path | None = None,
    ) -> None:
        self._make = make
        self.audit, self.chosen = dict(audit), dict(chosen)
        self._audit_ids = np.array(list(audit), np.int64)
        self._reserve = np.array(sorted({*reserve, *audit}), np.int64)
        self._seed, self._folder = seed, folder

    @property
    def uniform_sizes(self) -> list[int]:
        """What every fold can be trained with, and what as many chosen labels can be compared with."""
        largest_fold = int(np.bincount(self._folds(self._audit_ids), minlength=NUM_FOLDS).max())
        return sizes_up_to(min(len(self.audit) - largest_fold, len(self.chosen)))

    def uniform_rights(self, size: int, judged: Mapping[int, int] | None = None) -> Bools:
        """Which samples are predicted rightly by a shadow fitted on `size` audit labels of *others*, `[J]`.

        Args:
            size: One of `uniform_sizes`.
            judged: Sample id -> class index, of the reserve; None: the audit labels themselves.
        """
        judged = self.audit if judged is None else judged
        judged_J, rights_J = np.array(list(judged), np.int64), np.zeros(len(judged), bool)
        for fold in range(NUM_FOLDS):
            held_out_J = self._folds(judged_J) == fold
            others = self._audit_ids[self._folds(self._audit_ids) != fold][:size].tolist()
            predict_ids = self._reserve[self._folds(self._reserve) == fold]
            predicted = self._predictions({i: self.audit[i] for i in others}, fold, predict_ids)
            rights_J[held_out_J] = [predicted[i] == judged[i] for i in judged_J[held_out_J].tolist()]
        return rights_J

    def chosen_rights(self, size: int, judged: Mapping[int, int] | None = None) -> Bools:
        """Which samples are predicted rightly by a shadow fitted on the first `size` chosen labels, `[J]`.

        Args:
            size: At most as many as there are chosen labels.
            judged: As `uniform_rights` takes it.
        """
        predicted = self._predictions(dict(list(self.chosen.items())[:size]), NUM_FOLDS, self._reserve)
        judged = self.audit if judged is None else judged
        return np.array([predicted[i] == label for i, label in judged.items()], bool)

    def disagreements(self, answers: Mapping[int, int], most: int) -> dict[int, float]:
        """How far shadows are from a model whose answers they learned, by number of uniformly drawn answers.

        Args:
            answers: Sample id -> class index, a model's predictions of the pool.
            most: The largest number; half of `answers` at most is learned from.

        Returns:
            Size -> share of other samples of the pool on which shadow and model disagree; never rising.
        """
        ids = np.array(sorted(answers), np.int64)
        drawn = ids[np.argsort(hash_of_ids(ids, seed_of(self._seed, "answers")))]
        judged, learned = drawn[: min(JUDGED, len(drawn) // 2)], drawn[min(JUDGED, len(drawn) // 2) :]
        apart: dict[int, float] = {}
        for size in sizes_up_to(min(most, len(learned)))[::2]:
            predicted = self._predictions({i: answers[i] for i in learned[:size].tolist()}, NUM_FOLDS + 1, judged)
            share = float(np.mean([predicted[i] != answers[i] for i in judged.tolist()]))
            apart[size] = min([share, *apart.values()])
        return apart

    def _folds(self, sample_ids: Ids) -> Ids:
        """The fold of each sample, by its id alone: it stays in that fold, however many samples come."""
        hashed = hash_of_ids(sample_ids, seed_of(self._seed, "shadow"))
        return (hashed % np.uint64(NUM_FOLDS)).astype(np.int64)

    def _predictions(self, labels: Mapping[int, int], fold: int, predict_ids: Ids) -> dict[int, int]:
        described = repr((sorted(labels.items()), fold, predict_ids.tolist(), self._seed)).encode()
        name = f"{fold}-{len(labels)}-{hashlib.sha256(described).hexdigest()[:16]}.npy"
        path = None if self._folder is None else self._folder / name
        if path is not None and path.exists():
            classes_N = np.load(path, allow_pickle=False)
        else:
            classes_N = self._fit(labels, fold, predict_ids)
            if path is not None:
                _keep(path, classes_N)
        return dict(zip(predict_ids.tolist(), classes_N.tolist(), strict=True))

    def _fit(self, labels: Mapping[int, int], fold: int, predict_ids: Ids) -> NDArray[np.int16]:
        if len(set(labels.values())) == 1:  # nothing to tell apart: everything is that class
            return np.full(len(predict_ids), next(iter(labels.values())), np.int16)
        predictor = self._make(fold)
        predictor.fit(labels, round_number=len(labels))
        return np.asarray(predictor.predict(predict_ids).argmax(axis=1), np.int16)


def sizes_up_to(most: int) -> list[int]:
    """4, 6, 8, 11, 16, 23, 32, ...: the grid on which shadows are fitted."""
    sizes = [round(SMALLEST * 2 ** (step / 2)) for step in range(60)]
    return [size for size in sizes if size <= most]


def _keep(path: Path, classes_N: NDArray[np.int16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.save(buffer, classes_N, allow_pickle=False)
    replace_file(path, buffer.getvalue())
