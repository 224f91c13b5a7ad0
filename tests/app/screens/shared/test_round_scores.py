from __future__ import annotations

import pytest

from app.errors import UnreadableScoresError
from app.screens.shared.round_scores import draws_are_identical, in_ranges, read_round_scores


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
