from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from loops.acquisition import ranking as ranking_module
from loops.acquisition.catalog import CATALOG, COLD_STARTS
from loops.acquisition.choosing import choose
from loops.acquisition.ranking import (
    cold_start_ranking,
    first_questions,
    ranking_of_round,
    second_looks,
    with_others_mixed_in,
)
from loops.oracle import Answers, PoolScores, RankedSample
from loops.predictors.predictor import Questions
from loops.settings import LoopSettings


def some_answers(pool: list[int], audit_pool: list[int] | None = None, round_number: int = 1) -> Answers:
    return Answers(round_number, {}, np.array(pool, np.int64), np.array(audit_pool or [], np.int64))


class LooksOf:
    """A predictor of whom a ranking only asks what samples look like."""

    def __init__(self, looks: dict[int, list[float]] | None = None) -> None:
        self._looks = looks

    def embedding(self, sample_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        if self._looks is None:
            return np.eye(100, dtype=np.float32)[sample_ids]  # no two look the same
        return np.array([self._looks[sample_id] for sample_id in sample_ids.tolist()], np.float32)


NO_TWO_THE_SAME: Any = LooksOf()


def some_scores(margin_of: dict[int, float]) -> PoolScores:
    ids = np.array(list(margin_of))
    return PoolScores(
        ids, {"margin": np.array(list(margin_of.values()), np.float32)}, np.zeros((len(ids), 2), np.float32)
    )


def test_only_the_pool_is_ranked_whatever_else_was_scored() -> None:
    scores = some_scores({7: 0.1, 9: 0.9, 8: 0.5, 5: 1.0})
    ranking = choose(some_answers([7, 8, 9], [5]), scores, 2, CATALOG["margin"], 0, NO_TWO_THE_SAME)
    assert [(r.sample_id, r.score) for r in ranking] == [(9, pytest.approx(0.9)), (8, 0.5)]


def test_random_takes_each_sample_with_the_same_probability() -> None:
    pool = list(range(20))
    unscored = some_scores(dict.fromkeys(pool, 0.0))
    first = [
        choose(some_answers(pool, round_number=n), unscored, 5, CATALOG["random"], 0, NO_TWO_THE_SAME)
        for n in range(400)
    ]
    one_of_what_is_left = [1 / 20, 1 / 19, 1 / 18, 1 / 17, 1 / 16]
    assert [ranked.acquisition_probability for ranked in first[0]] == one_of_what_is_left
    counts = np.bincount([ranked.sample_id for ranking in first for ranked in ranking], minlength=20)
    assert counts.min() > 60  # 100 expected, standard deviation 8.7
    assert counts.max() < 140


def test_the_cold_start_asks_each_cluster_before_any_twice() -> None:
    features = np.repeat(np.eye(4, 40, dtype=np.float32) * 10, 10, axis=0)
    features += np.random.default_rng(0).normal(scale=0.01, size=features.shape).astype(np.float32)
    ranking = cold_start_ranking(
        some_answers(list(range(40))), lambda ids: features[ids], 4, COLD_STARTS["diverse"], seed=0
    )
    assert {ranked.sample_id // 10 for ranked in ranking} == {0, 1, 2, 3}


def test_of_a_large_pool_the_cold_start_reads_no_more_than_its_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking_module, "COLD_START_CANDIDATES", 30)
    read: list[int] = []

    def embedding(sample_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        read.extend(sample_ids.tolist())
        return np.eye(100, dtype=np.float32)[sample_ids]

    ranking = cold_start_ranking(some_answers(list(range(100))), embedding, 5, COLD_STARTS["diverse"], seed=0)
    assert (len(read), len({ranked.sample_id for ranked in ranking} & set(read))) == (30, 5)
    assert min(read) < 10  # drawn from all of it
    assert max(read) >= 90


def test_a_cold_start_at_random_reads_no_features() -> None:
    assert len(cold_start_ranking(some_answers([3, 5, 8]), pytest.fail, 2, COLD_STARTS["random"], seed=0)) == 2  # type: ignore[arg-type]


class Curious:
    """Notes what is told to it, and asks for the last of the pool."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def review(self, labels: Mapping[int, int], *, pool: NDArray[np.int64], begins: bool) -> None:
        self.told.append(("review", (dict(labels), pool.tolist(), begins)))

    def fit(self, labels: Mapping[int, int], *, round_number: int) -> None:
        self.told.append(("fit", dict(labels)))

    def questions(self, sample_ids: NDArray[np.int64], size: int, *, coverage: bool) -> Questions | None:
        if not len(sample_ids):
            return None
        return Questions(sample_ids[::-1][:size], np.arange(size, 0, -1, dtype=np.float32))


def test_the_first_questions_are_the_predictors_own_of_the_pool_with_the_labels_there_are() -> None:
    curious: Any = Curious()
    ranking = first_questions(replace(some_answers([3, 5, 8], [9]), labels={2: 1}), curious, 2)
    assert [(r.sample_id, r.purpose, r.score, r.acquisition_probability) for r in ranking] == [
        (8, "train", 2.0, 1.0),
        (5, "train", 1.0, 1.0),
    ]
    assert curious.told == [("review", ({2: 1}, [3, 5, 8, 9], True)), ("fit", {2: 1})]


def test_of_an_empty_pool_there_are_no_first_questions_and_nothing_is_fitted_for_them() -> None:
    curious: Any = Curious()
    assert ranking_of_round(some_answers([], [9]), None, LoopSettings("auto", query_size=2), curious) == []
    assert curious.told == []


def test_about_the_audit_share_of_what_is_shown_is_audit_in_drawing_order() -> None:
    ranking = [RankedSample(n, "train", 0.0, 1.0) for n in range(1000)]
    reserve = list(range(2000, 3000))
    mixed = with_others_mixed_in(ranking, some_answers([], reserve), 0.1, seed=0)
    audit = [ranked.sample_id for ranked in mixed if ranked.purpose == "audit"]
    assert audit == reserve[: len(audit)]
    assert 80 < len(audit) < 145  # 111 expected, standard deviation 11
    assert [ranked for ranked in mixed if ranked.purpose == "train"] == ranking


def test_where_all_that_is_left_is_drawn_learning_goes_on_and_nothing_is_asked_twice() -> None:
    ranking = [RankedSample(i, "train", 1.0, 1.0) for i in range(100)]
    draws = [RankedSample(i, "audit", 0.0, 0.01) for i in reversed(range(100))]
    mixed = with_others_mixed_in(ranking, some_answers([], []), 0.5, seed=0, draws=draws)
    ids = [ranked.sample_id for ranked in mixed]
    assert sorted(ids) == list(range(100))
    trained = [ranked.sample_id for ranked in mixed if ranked.purpose == "train"]
    audited = [ranked.sample_id for ranked in mixed if ranked.purpose == "audit"]
    assert trained == sorted(trained)
    assert audited == sorted(audited, reverse=True)
    assert 30 <= len(trained) <= 70


def test_without_an_audit_share_nothing_is_mixed_in() -> None:
    ranking = [RankedSample(1, "train", 0.0, 1.0)]
    assert with_others_mixed_in(ranking, some_answers([], [2, 3]), 0.0, seed=0) == tuple(ranking)


def test_when_nothing_else_is_left_the_rest_of_the_reserve_is_asked() -> None:
    mixed = with_others_mixed_in([], some_answers([], [2, 3]), 0.1, seed=0)
    assert [(ranked.sample_id, ranked.purpose) for ranked in mixed] == [(2, "audit"), (3, "audit")]


def test_suspected_labels_come_back_blind_the_most_suspicious_first_and_few_of_them() -> None:
    ranking = [RankedSample(n, "train", 0.0, 1.0) for n in range(1000)]
    answers = replace(some_answers([], []), suspects={5001: 0.6, 5002: 0.9, 5003: 0.7})
    mixed = with_others_mixed_in(ranking, answers, 0.0, seed=0)
    assert [r.sample_id for r in mixed if r.purpose == "recheck"] == [5002, 5003, 5001]
    many = replace(answers, suspects=dict.fromkeys(range(5000, 6000), 0.5))
    assert len(second_looks(many, 100)) == 5


def test_near_duplicates_are_never_asked_together_and_wait_for_a_later_round() -> None:
    """7 and 8 are the same picture but for noise; no other two are."""
    looks = {n: row.tolist() for n, row in enumerate(np.eye(40))}
    looks = {n: looks[n] for n in range(20, 40)} | {7: looks[0], 8: [0.9, *looks[0][1:]]}
    scores = some_scores({n: n / 100 for n in range(20, 40)} | {7: 0.9, 8: 0.95})
    predictor: Any = LooksOf(looks)

    ranking = choose(some_answers(list(looks)), scores, 4, CATALOG["margin"], 0, predictor)
    everything = choose(some_answers(list(looks)), scores, 99, CATALOG["margin"], 0, predictor)

    assert [ranked.sample_id for ranked in ranking] == [8, 39, 38, 37]
    assert everything[-1].sample_id == 7
    assert len(everything) == 22
