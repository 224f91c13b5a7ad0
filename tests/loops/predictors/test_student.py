from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loops.errors import NotEnoughSamplesError
from loops.predictors.student import MOST_TAUGHT, taught_by


class Teacher:
    """Says of every number whether it is odd."""

    def predict(self, sample_ids: Any) -> Any:
        return np.eye(2, dtype=np.float32)[np.asarray(sample_ids) % 2]


class Pupil:
    """Learns the share of numbers up to 2,000 that it is told to, and says 0 of the others."""

    def fit(self, labels: Any, *, round_number: int) -> None:
        self.labels = dict(labels)

    def predict(self, sample_ids: Any) -> Any:
        ids = np.asarray(sample_ids)
        return np.eye(2, dtype=np.float32)[np.where(ids < 1_000, ids % 2, 0)]


def test_four_of_five_are_taught_and_agreement_is_measured_on_the_others() -> None:
    pupil: Any = Pupil()
    teacher: Any = Teacher()
    student, agreement = taught_by(teacher, pupil, np.arange(1_000))

    assert student is pupil
    assert len(pupil.labels) == 800
    assert all(label == sample_id % 2 for sample_id, label in pupil.labels.items())
    assert (agreement.agree, agreement.n) == (1.0, 200)


def test_what_the_student_has_otherwise_is_told() -> None:
    """Of the upper half of the pool it says 0, so it is wrong about every second number there."""
    pupil: Any = Pupil()
    teacher: Any = Teacher()
    _, agreement = taught_by(teacher, pupil, np.arange(2_000))

    assert agreement.agree == pytest.approx(0.75, abs=0.06)  # four standard deviations of 400
    assert agreement.n == 400


def test_of_a_large_pool_as_many_are_taught_as_one_fit_sees_whatever_their_order() -> None:
    pool, pupils = np.arange(3 * MOST_TAUGHT), [Pupil(), Pupil()]
    teacher: Any = Teacher()
    for pupil, order in zip(pupils, (pool, pool[::-1]), strict=True):
        taught_by(teacher, pupil, order)  # type: ignore[arg-type]

    assert len(pupils[0].labels) == round(0.8 * MOST_TAUGHT)
    assert pupils[0].labels == pupils[1].labels


def test_too_small_a_pool_is_refused() -> None:
    teacher: Any = Teacher()
    pupil: Any = Pupil()
    with pytest.raises(NotEnoughSamplesError, match="asked for 10 samples, found 9"):
        taught_by(teacher, pupil, np.arange(9))
