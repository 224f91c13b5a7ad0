from __future__ import annotations

from math import log

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.screens.shared.round_scores import (
    UnreadableScoresError,
    draws_are_identical,
    in_ranges,
    read_draws,
    read_round_scores,
    thin,
)


def test_scores_are_read_by_sample_id(filled):
    scores = read_round_scores(filled.write_scores(1, sample_ids=[5, 2], torn=[2]))
    assert scores.measures["bald"] == pytest.approx([0.0, log(2)])
    assert scores.row_of(2) == 1
    assert scores.row_of(3) is None
    assert scores.confidence_N == pytest.approx([1.0, 0.5])
    assert scores.iterations == 2


def test_the_draws_of_one_sample_are_class_by_draw(filled):
    path = filled.write_scores(1, sample_ids=[5, 2], torn=[2])
    draws = read_draws(path, read_round_scores(path), [2])[2]
    assert draws.draws_C_K.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    assert draws.probs_C.tolist() == [0.5, 0.5, 0.0]


def test_a_sample_outside_the_pool_has_no_draws(filled):
    path = filled.write_scores(1, sample_ids=[5])
    assert read_draws(path, read_round_scores(path), [6]) == {}


def test_draws_are_found_in_whichever_row_group_they_stand(filled):
    path = filled.write_scores(1, sample_ids=[6, 5, 4, 3, 2], torn=[4, 2])
    pq.write_table(pq.read_table(path), path, row_group_size=2)
    draws = read_draws(path, read_round_scores(path), [2, 4, 5])
    assert {sample_id: found.probs_C.tolist() for sample_id, found in draws.items()} == {
        2: [0.5, 0.5, 0.0],
        4: [0.5, 0.5, 0.0],
        5: [1.0, 0.0, 0.0],
    }


def test_a_rewritten_file_is_read_again(filled):
    path = filled.write_scores(1, sample_ids=[5, 2], torn=[2])
    assert len(read_round_scores(path)) == 2
    path.write_bytes(filled.write_scores(2, sample_ids=[5, 2, 3, 4], torn=[2]).read_bytes())
    assert len(read_round_scores(path)) == 4


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(UnreadableScoresError, match=r"0001/scores\.parquet cannot be read as scores"):
        read_round_scores(tmp_path / "0001" / "scores.parquet")


def test_identical_draws_are_noticed_over_the_pool(filled):
    assert draws_are_identical(read_round_scores(filled.write_scores(1, sample_ids=[1, 2], torn=[])))
    assert not draws_are_identical(read_round_scores(filled.write_scores(2, sample_ids=[1, 2], torn=[2])))


def test_a_sample_must_be_in_every_range(filled):
    scores = read_round_scores(filled.write_scores(1, sample_ids=[1, 2, 3], torn=[2]))
    everything, nothing = (0.0, 1.0), (0.8, 1.0)
    assert in_ranges(scores, {"bald": (0.5, 1.0), "margin": everything}).tolist() == [False, True, False]
    assert not in_ranges(scores, {"bald": everything, "margin": nothing}).any()


def test_a_large_pool_is_thinned_the_same_way_each_time():
    rows_N = np.arange(100)
    chosen_N = thin(rows_N, at_most=10, seed=3)
    assert len(set(chosen_N.tolist())) == 10
    assert chosen_N.tolist() == sorted(thin(rows_N, at_most=10, seed=3).tolist())
    assert thin(rows_N, at_most=100).tolist() == rows_N.tolist()
