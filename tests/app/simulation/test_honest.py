from __future__ import annotations

import numpy as np
import pytest

from app.simulation.config import SimulationConfig
from app.simulation.honest import AnnotatorRecord, project_estimates
from loops.cross_validation import CrossValidation
from loops.oracle import KnownLabels, Query, RankedSample


class TwoOfThreeRight:
    """Is cross-validated on samples 0, 1 and 2, and errs on the last."""

    def cross_validate(self, labels, *, num_folds):
        assert (set(labels), num_folds) == ({0, 1, 2}, 5)
        probs = np.eye(2, dtype=np.float32)[[0, 0, 1]]
        return CrossValidation(np.arange(3), np.zeros(3, np.int64), np.zeros(3, np.int64), probs)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setattr("app.simulation.honest.FEWEST_LABELS", 3)
    npz = tmp_path / "any.npz"
    npz.touch()
    return SimulationConfig(out=tmp_path / "out", npz=npz, acquisition="random")


def says(config, probabilities):
    """After three labels of a pool of ten, drawn with these probabilities, and one more that no model has seen."""
    oracle = KnownLabels(dict.fromkeys(range(10), 0), query_size=4)
    ranking = tuple(RankedSample(i, "train", 0.0, p) for i, p in enumerate([*probabilities, 0.5]))
    oracle.answer(Query(0, ranking, "random"))
    return project_estimates(config, TwoOfThreeRight(), AnnotatorRecord(oracle, trained=3, audited=0, predicted=None))


def test_uniform_draws_are_weighted_to_what_they_are(config):
    told = says(config, [1 / 10, 1 / 9, 1 / 8])["accuracies"]
    assert told["cross_validated"]["accuracy"] == pytest.approx(2 / 3)
    assert told["lure"]["accuracy"] == pytest.approx(2 / 3)
    assert told["lure"]["n"] == 3


def test_labels_that_were_chosen_have_no_lure_weighted_accuracy(config):
    told = says(config, [1.0, 1.0, 1.0])
    assert list(told["accuracies"]) == ["cross_validated"]
    assert told["labels_saved"] is None
