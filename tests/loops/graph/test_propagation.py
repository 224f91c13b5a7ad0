"""Coordinates with a known kernel: two islands, on which every sample is like every other, and nothing between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from loops.graph.propagation import NOISE, REACH_OF_ANSWERS, REACH_OF_QUESTIONS, Propagation, kernel_features

ONES = np.ones(2, np.float32)  # eigenvalues
LARGE, SMALL = 16, 9  # shares of the pool .64 and .36, whose roots are .8 and .6
ISLANDS = np.repeat(np.eye(2, dtype=np.float32), [LARGE, SMALL], axis=0)


def two_islands() -> Propagation:
    return Propagation(ISLANDS, ONES, num_classes=2)


def test_without_labels_every_class_is_as_likely() -> None:
    assert two_islands().probs() == pytest.approx(np.full((LARGE + SMALL, 2), 0.5))


def test_a_label_reaches_its_island_and_no_other() -> None:
    predictor = two_islands()
    predictor.refit({0: 1})
    probs = predictor.probs()
    # Kernel 1, noise 1: half of the way from 1/2 to 1.
    assert probs[:LARGE] == pytest.approx(np.tile([0.25, 0.75], (LARGE, 1)), abs=1e-5)
    assert probs[LARGE:] == pytest.approx(np.full((SMALL, 2), 0.5), abs=1e-5)


def test_what_is_expected_counts_as_so_many_labels_spread_over_the_pool() -> None:
    """Of 2 labels' worth .64 * 2 = 1.28 lie on the large island, all for class 0: 1.28 / 2.28 of the way to 1."""
    predictor = two_islands()
    predictor.expect(np.tile(np.array([1.0, 0.0], np.float32), (LARGE + SMALL, 1)))
    predictor.refit({})
    assert predictor.probs() == pytest.approx(np.full((LARGE + SMALL, 2), 0.5)), "worth nothing, it says nothing"
    predictor.refit({}, worth=2.0)
    assert predictor.probs()[0] == pytest.approx([0.5 + 0.5 * 1.28 / 2.28, 0.5 - 0.5 * 1.28 / 2.28], abs=1e-5)
    predictor.refit({0: 1, LARGE: 0}, worth=2.0)  # two labels' worth against one: (1.28 - 1) / (1.28 + 1 + 1)
    assert predictor.probs()[0] == pytest.approx([0.5 + 0.5 * 0.28 / 3.28, 0.5 - 0.5 * 0.28 / 3.28], abs=1e-5)
    predictor.refit({0: 1}, worth=0.0)
    assert predictor.probs()[0] == pytest.approx([0.25, 0.75], abs=1e-5)


def test_labels_of_one_island_outvote_the_one_that_contradicts_them() -> None:
    predictor = two_islands()
    predictor.refit({0: 0, 1: 0, 2: 1, LARGE: 1, LARGE + 1: 1})
    assert (predictor.probs()[:LARGE].argmax(1) == 0).all()
    assert (predictor.probs()[LARGE:].argmax(1) == 1).all()


def test_each_class_speaks_with_one_voice() -> None:
    predictor = two_islands()
    predictor.refit({0: 0, 1: 0, 2: 1})
    assert predictor.probs()[:LARGE] == pytest.approx(np.full((LARGE, 2), 0.5), abs=1e-5)


def test_the_largest_island_is_asked_first_and_the_uncovered_one_next() -> None:
    predictor = two_islands()
    first = predictor.rank(np.arange(LARGE + SMALL), 2)[0]
    assert [row < LARGE for row in first] == [True, False], "the second is chosen as if the first were labeled"
    predictor.refit({int(first[0]): 0})
    assert predictor.rank(np.arange(LARGE + SMALL), 1)[0][0] >= LARGE


def test_the_gain_of_a_label_is_the_variance_it_takes_away_and_an_island_counts_as_the_root_of_its_share() -> None:
    # Of an island's variance 1, a label with noise 1 leaves 1/2.
    assert two_islands().scores()[[0, LARGE]] == pytest.approx([0.8 / 2, 0.6 / 2], abs=1e-5)


def test_a_settled_island_is_left_alone_by_auto_and_not_by_typical() -> None:
    predictor, everything = two_islands(), np.arange(LARGE + SMALL)
    predictor.refit({0: 0, 1: 0, LARGE: 1})
    (_, auto), (_, typical) = (predictor.rank(everything, 1, coverage=coverage) for coverage in (False, True))
    assert predictor.doubt_N.max() < 0.1
    assert auto[0] < typical[0] / 5


def test_doubt_stays_where_labels_contradict_each_other() -> None:
    predictor = two_islands()
    predictor.refit({0: 0, 1: 1, LARGE: 0, LARGE + 1: 1})
    assert predictor.doubt_N[:LARGE].min() > 0.9
    assert predictor.rank(np.arange(2, LARGE + SMALL), 1)[0][0] < LARGE


def test_an_undone_label_undoes_everything() -> None:
    predictor, fresh = two_islands(), two_islands()
    predictor.refit({0: 0, LARGE: 1})
    predictor.refit({0: 0})
    fresh.refit({0: 0})
    assert (predictor.probs() == fresh.probs()).all()
    assert (predictor.rank(np.arange(LARGE + SMALL), 5)[0] == fresh.rank(np.arange(LARGE + SMALL), 5)[0]).all()


def test_a_class_added_later_is_left_to_the_next_learner() -> None:
    predictor = two_islands()
    predictor.refit({0: 2})
    assert predictor.probs() == pytest.approx(np.full((LARGE + SMALL, 2), 0.5))


def test_a_ranking_has_no_sample_twice_and_falling_scores() -> None:
    rows, scores = two_islands().rank(np.arange(LARGE + SMALL), 100)
    assert sorted(rows.tolist()) == list(range(LARGE + SMALL))
    assert (np.diff(scores) <= 0).all()


def test_only_the_samples_given_are_ranked() -> None:
    assert set(two_islands().rank(np.array([3, 20]), 10)[0].tolist()) == {3, 20}


@pytest.fixture(scope="module")
def random_graph() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(60, 5)).astype(np.float32), np.linspace(1.0, 0.5, 5).astype(np.float32)


@settings(max_examples=50, deadline=None)
@given(labels=st.dictionaries(st.integers(0, 59), st.integers(0, 2), max_size=30))
def test_propagation_equals_the_dense_solve(
    random_graph: tuple[NDArray[np.float32], NDArray[np.float32]], labels: dict[int, int]
) -> None:
    """`K_NL (K_LL + noise)^-1 Y`, with the whole kernel between all samples."""
    predictor = Propagation(*random_graph, num_classes=3)
    predictor.refit(labels)
    features = kernel_features(*random_graph, REACH_OF_ANSWERS).astype(float)
    kernel, rows = features @ features.T, sorted(labels)
    targets = np.eye(3)[[labels[row] for row in rows]].reshape(-1, 3) - 1 / 3
    count = np.array([list(labels.values()).count(labels[row]) for row in rows])
    noise = np.diag(NOISE * count / count.mean()) if rows else np.zeros((0, 0))
    mean = kernel[:, rows] @ np.linalg.solve(kernel[np.ix_(rows, rows)] + noise, targets)
    expected = np.maximum(mean + 1 / 3, 1e-6)
    assert predictor.probs() == pytest.approx(expected / expected.sum(1, keepdims=True), abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(labels=st.dictionaries(st.integers(0, 59), st.integers(0, 2), max_size=20), asked=st.integers(0, 59))
def test_a_score_is_the_variance_that_the_dense_posterior_loses(
    random_graph: tuple[NDArray[np.float32], NDArray[np.float32]], labels: dict[int, int], asked: int
) -> None:
    predictor = Propagation(*random_graph, num_classes=3)
    predictor.refit(labels)
    features = kernel_features(*random_graph, REACH_OF_QUESTIONS).astype(float)
    kernel = features @ features.T

    def variances(rows: list[int]) -> NDArray[np.float64]:
        inner = np.linalg.inv(kernel[np.ix_(rows, rows)] + NOISE * np.eye(len(rows)))
        return np.diag(kernel - kernel[:, rows] @ inner @ kernel[rows])

    lost = variances(sorted(labels)) - variances([*sorted(labels), asked])
    rarity = 1 / np.sqrt(np.square(kernel).mean(0))
    assert predictor.scores()[asked] == pytest.approx(float((rarity * predictor.doubt_N * lost).mean()), abs=1e-4)


def test_every_place_of_a_ranking_is_given_as_if_those_before_it_were_labeled() -> None:
    coordinates = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    eigenvalues = np.linspace(1.0, 0.7, 8).astype(np.float32)
    whole = Propagation(coordinates, eigenvalues, num_classes=2)
    ranked, _ = whole.rank(np.arange(300), 40, coverage=True)
    one_by_one = Propagation(coordinates, eigenvalues, num_classes=2)
    for place, row in enumerate(ranked.tolist()):
        one_by_one.refit(dict.fromkeys(ranked[:place].tolist(), 0))
        rest = np.setdiff1d(np.arange(300), ranked[:place])
        assert one_by_one.rank(rest, 1, coverage=True)[0].tolist() == [row]
