"""The policy between two labels, over a predictor whose every answer can be computed in the head."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from loops.acquisition.after_each_label import AfterEachLabel, Reranked
from loops.acquisition.catalog import CATALOG, COLD_STARTS, find
from loops.predictors.predictor import Description, Floats, Ids, Instant, Predictor, Questions

POOL = np.arange(10)
ONE_BY_ONE = [name for name, function in CATALOG.items() if function.scores_one_by_one]


class Blink:
    """Is torn about samples of which the neighbor below has no label, and sure of all others."""

    def __init__(self, given: list[int], *, whole_pool: bool = False, asks: bool = False) -> None:
        self.given, self.asks_of_whole_pool, self._asks = given, whole_pool, asks
        self.labels: dict[int, int] = {}

    def refit(self, labels: Mapping[int, int]) -> None:
        self.labels = dict(labels)

    def predict(self, sample_ids: ArrayLike) -> Floats:
        return np.asarray(self.draws(sample_ids).mean(-1), np.float32)

    def draws(self, sample_ids: ArrayLike) -> Floats:
        sure, torn = [[0.9, 0.9], [0.1, 0.1]], [[0.9, 0.2], [0.1, 0.8]]
        return np.array([sure if i - 1 in self.labels else torn for i in np.asarray(sample_ids).tolist()], np.float32)

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        if not self._asks and not coverage:
            return None
        asked = np.array([i for i in sample_ids.tolist() if i not in self.labels][::-1][:size])
        return Questions(asked, np.arange(len(asked), 0, -1, dtype=np.float32))


class Told(Predictor):
    """Notes what it is told, and becomes a `Blink`."""

    def __init__(self, *, asks: bool = False, learns: bool = True) -> None:
        self.num_classes, self.seed, self.mc_iterations = 2, 0, 2
        self._asks, self._learns = asks, learns
        self.reviewed: list[tuple[int, bool]] = []
        self.made: list[Blink] = []

    @property
    def asks_itself(self) -> bool:
        return self._asks

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> Instant | None:
        if not self._learns:
            return None
        given = np.asarray(sample_ids).tolist()
        self.made.append(Blink(given, whole_pool=self._asks, asks=self._asks))
        return self.made[-1]

    def review(self, labels: Mapping[int, int], *, pool: Ids, begins: bool) -> None:
        self.reviewed.append((len(labels), begins))

    def describe(self) -> Description:
        return Description("told", "It was told.", asks_by="margin")

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None: ...

    def predict(self, sample_ids: ArrayLike) -> Any: ...

    def draws(self, sample_ids: ArrayLike, *, count: int, round_number: int) -> Any: ...

    def fresh(self, fold: int | None = None) -> Any: ...

    def embedding(self, sample_ids: ArrayLike) -> Any: ...

    def save(self, path: Path, loop_state: dict[str, Any]) -> Any: ...

    def load(self, path: Path, *, sha256: str, size: int) -> Any: ...


def policy(
    predictor: Predictor, name: str, *, start: str = "diverse", has_model: bool = True, seed: int = 0
) -> AfterEachLabel:
    return AfterEachLabel(predictor, find(name), COLD_STARTS[start], round_number=3, has_model=has_model, seed=seed)


def asked(ranked: Reranked | None) -> list[int]:
    assert ranked is not None
    ids: list[int] = ranked.sample_ids.tolist()
    return ids


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_what_waits_is_ordered_by_doubt_with_all_labels_there_are(name: str) -> None:
    """4 and 8 have a labeled neighbor below, 6 has none."""
    ranked = policy(Told(), name).rank({3: 0, 7: 1}, np.array([4, 6, 8]), 3, pool=POOL)

    assert asked(ranked)[0] == 6
    assert ranked is not None
    assert ranked.scores[0] > ranked.scores[1] == ranked.scores[2]
    assert ranked.probs_k_C[0].tolist() == pytest.approx([0.55, 0.45])


def test_every_label_is_a_new_order_and_an_undone_one_brings_the_old_one_back() -> None:
    after, waiting = policy(Told(), "bald"), np.array([4, 6, 8])
    first = asked(after.rank({3: 0, 7: 1}, waiting, 3, pool=POOL))
    second = asked(after.rank({3: 0, 5: 1}, waiting, 3, pool=POOL))

    assert (first[0], second[0]) == (6, 8)
    assert asked(after.rank({7: 1, 3: 0}, waiting, 3, pool=POOL)) == first


def test_ties_follow_from_seed_and_id_whatever_the_order_of_what_waits() -> None:
    waiting = np.arange(100, 160)
    forward, backward = (asked(policy(Told(), "bald").rank({0: 0}, w, 60, pool=POOL)) for w in (waiting, waiting[::-1]))

    assert forward == backward != sorted(forward)
    assert asked(policy(Told(), "bald", seed=1).rank({0: 0}, waiting, 60, pool=POOL)) != forward


def test_somebodys_own_function_orders_what_waits_too() -> None:
    ranked = policy(Told(), "tests.loops.acquisition.own_functions:highest_first_class").rank(
        {3: 0, 7: 1}, np.array([4, 6, 8]), 3, pool=POOL
    )

    assert asked(ranked)[-1] == 6, "its first class has 0.55, the others' 0.9"


@pytest.mark.parametrize("name", [name for name in CATALOG if name not in (*ONE_BY_ONE, "auto", "typical")])
def test_a_function_that_looks_at_samples_together_keeps_the_order_of_its_round(name: str) -> None:
    predictor = Told(asks=True)
    after = policy(predictor, name)

    assert not after.may_rank
    assert not after.asks_of_whole_pool
    assert after.rank({3: 0}, POOL, 3, pool=POOL) is None
    assert predictor.made == []


def test_a_predictor_with_questions_of_its_own_asks_the_whole_pool() -> None:
    after = policy(Told(asks=True), "auto")
    ranked = after.rank({9: 0}, POOL, 2, pool=POOL)

    assert after.asks_of_whole_pool
    assert asked(ranked) == [8, 7]
    assert ranked is not None
    assert ranked.probs_k_C.shape == (2, 2)


def test_once_it_has_none_the_function_that_suits_it_orders_what_waits() -> None:
    after = policy(Told(), "auto")

    assert after.may_rank
    assert not after.asks_of_whole_pool
    by_margin = policy(Told(), "margin").rank({3: 0}, np.array([4, 6]), 2, pool=POOL)
    assert asked(after.rank({3: 0}, np.array([4, 6]), 2, pool=POOL)) == asked(by_margin) == [6, 4]


def test_coverage_is_asked_for_whatever_the_predictor_would_ask() -> None:
    after = policy(Told(), "typical")

    assert after.asks_of_whole_pool
    assert asked(after.rank({9: 0}, POOL, 2, pool=POOL)) == [8, 7]


@pytest.mark.parametrize(
    ("name", "start", "ranks"),
    [("auto", "diverse", True), ("typical", "diverse", True), ("auto", "random", False), ("bald", "diverse", False)],
)
def test_before_there_is_a_model_only_questions_that_need_none_are_ranked(name: str, start: str, ranks: bool) -> None:
    after = policy(Told(asks=True), name, start=start, has_model=False)

    assert after.may_rank is ranks
    assert (after.rank({}, POOL, 2, pool=POOL) is not None) is ranks
    assert after.asks_of_whole_pool is (name != "bald")


def test_where_nothing_learns_in_a_blink_the_order_stays() -> None:
    assert policy(Told(learns=False), "bald").rank({3: 0}, POOL, 2, pool=POOL) is None


def test_when_nothing_waits_there_is_nothing_to_rank() -> None:
    assert policy(Told(), "bald").rank({3: 0}, POOL[:0], 2, pool=POOL) is None


def test_it_looks_again_at_what_was_chosen_without_labels_when_a_round_begins_and_after_each_label() -> None:
    predictor = Told()
    after = policy(predictor, "bald")
    after.begin({1: 0}, pool=POOL)
    after.rank({1: 0, 2: 1}, np.array([4]), 1, pool=POOL)

    assert predictor.reviewed == [(1, True), (2, False)]


def test_what_learns_is_made_once_and_anew_only_for_samples_it_was_not_given() -> None:
    predictor = Told()
    after = policy(predictor, "bald")
    after.rank({1: 0}, np.array([4, 6]), 2, pool=POOL)
    after.rank({1: 0, 4: 0}, np.array([6]), 2, pool=POOL)
    assert [blink.given for blink in predictor.made] == [[1, 4, 6]]
    after.rank({1: 0, 4: 0}, np.array([6, 8]), 2, pool=POOL)
    assert [blink.given for blink in predictor.made] == [[1, 4, 6], [1, 4, 6, 8]]


def test_what_asks_the_whole_pool_is_made_once() -> None:
    predictor = Told(asks=True)
    after = policy(predictor, "auto")
    for given in range(1, 5):
        after.rank(dict.fromkeys(range(given), 0), POOL[given:], 2, pool=POOL)

    assert len(predictor.made) == 1
