from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loops.errors import NotEnoughSamplesError
from loops.oracle import AskedLabels, KnownLabels, Query, RankedSample


def a_query(round_number: int, *sample_ids: int, last: bool = False) -> Query:
    return Query(round_number, tuple(RankedSample(n, "train", 0.0, 1.0) for n in sample_ids), "random", last=last)


def test_known_labels_answer_the_first_of_the_ranking_at_once() -> None:
    oracle = KnownLabels({1: 0, 2: 1, 3: 0, 4: 1}, query_size=2)
    answers = oracle.answer(a_query(0, 3, 2, 1, 4))
    assert answers.labels == {3: 0, 2: 1}
    assert answers.pool.tolist() == [1, 4]
    assert answers.round_number == 1


def test_asking_the_same_round_again_changes_nothing() -> None:
    oracle = KnownLabels({1: 0, 2: 1, 3: 0}, query_size=1)
    oracle.answer(a_query(0, 1))
    again = oracle.answer(a_query(0, 2))
    assert again.labels == {1: 0}
    assert again.round_number == 1


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(NotEnoughSamplesError, match="asked for 1 samples, found 0"):
        KnownLabels({}, query_size=1)


def test_audit_samples_on_the_way_are_answered_and_never_trained_on() -> None:
    oracle = KnownLabels({1: 0, 2: 1, 3: 0, 4: 1, 5: 1}, query_size=2, audit_reserve=[5, 4])
    ranking = [(1, "train"), (5, "audit"), (2, "train"), (4, "audit"), (3, "train")]
    query = Query(0, tuple(RankedSample(i, purpose, 0.0, 1.0) for i, purpose in ranking), "random")  # type: ignore[arg-type]
    answers = oracle.answer(query)
    assert (answers.labels, answers.audit) == ({1: 0, 2: 1}, {5: 1})
    assert (answers.pool.tolist(), answers.audit_pool.tolist()) == ([3], [4])


def test_after_each_label_to_train_on_the_rest_is_ranked_anew() -> None:
    seen = []

    def backwards(answers, waiting):
        seen.append(sorted(answers.labels))
        return list(waiting)[::-1]

    oracle = KnownLabels(dict.fromkeys(range(1, 6), 0), query_size=3, re_rank=backwards)
    oracle.answer(a_query(0, 1, 2, 3, 4, 5))
    assert [asked.sample_id for asked in oracle.asked] == [1, 5, 2]
    assert seen == [[1], [1, 5]], "after the last there is nothing to rank for"


def an_asked_oracle(ask: Any = lambda ids: [i % 3 for i in ids]) -> AskedLabels:
    return AskedLabels(ask, np.arange(10), query_size=2, test={10: 1})


def test_a_function_is_asked_for_the_first_of_the_ranking_once() -> None:
    asked: list[list[int]] = []

    def ask(ids: list[int]) -> list[int | None]:
        asked.append(ids)
        return [1, None]

    oracle = an_asked_oracle(ask)
    first = oracle.answer(a_query(0, 7, 3, 5))
    again = oracle.answer(a_query(0, 7, 3, 5))
    assert asked == [[7, 3]]
    assert first is not None
    assert again is not None
    assert (first.round_number, first.labels, first.test) == (1, {7: 1}, {10: 1})
    assert first.pool.tolist() == again.pool.tolist() == [0, 1, 2, 4, 5, 6, 8, 9]


def test_after_the_last_query_nobody_is_asked() -> None:
    assert an_asked_oracle(None).answer(a_query(0, 7, last=True)) is None


def test_what_was_answered_comes_back_from_a_state_in_its_order() -> None:
    oracle, other = an_asked_oracle(), an_asked_oracle(None)
    oracle.answer(a_query(0, 7, 3))
    other.load_state_dict(oracle.state_dict())
    assert list(other.answered.items()) == [(7, 1), (3, 0)]
    answers = other.answer(a_query(0, 1, 2))
    assert answers is not None
    assert answers.round_number == 1
