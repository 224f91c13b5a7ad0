from __future__ import annotations

from math import log

import numpy as np
import pytest

from app.project.scores import BALD, EXPECTED_ENTROPY, RoundScores, SampleDraws
from app.screens.shared.doubt import doubt_of

OTHER_FIGURES = RoundScores(
    np.array([7]), {BALD: np.array([0.2]), EXPECTED_ENTROPY: np.array([0.1])}, np.array([0]), np.array([0.5])
)


def test_the_parts_of_the_doubt_are_those_of_the_draws_beside_them():
    torn = SampleDraws(np.array([0.9, 0.1]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    doubt = doubt_of(OTHER_FIGURES, 0, torn)
    assert (doubt.epistemic, doubt.aleatoric) == pytest.approx((log(2), 0.0), abs=1e-9)
    assert torn.mean.tolist() == [0.5, 0.5]


def test_draws_that_agree_on_being_unsure_are_the_samples_ambiguity():
    unclear = SampleDraws(np.array([0.5, 0.5]), np.full((2, 4), 0.5))
    doubt = doubt_of(OTHER_FIGURES, 0, unclear)
    assert (doubt.epistemic, doubt.aleatoric) == pytest.approx((0.0, log(2)), abs=1e-9)


def test_without_draws_what_the_trainer_measured_counts():
    doubt = doubt_of(OTHER_FIGURES, 0, SampleDraws(np.array([0.5, 0.5]), None))
    assert (doubt.epistemic, doubt.aleatoric, doubt.most) == pytest.approx((0.2, 0.1, log(2)))
