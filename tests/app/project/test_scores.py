"""What one side writes the other reads; and what projects of before have on disk is read too."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import UnreadableScoresError
from app.project.scores import read_draws, read_predictions, read_scores, scores_path, write_scores
from loops.acquisition.catalog import MEASURES
from loops.oracle import PoolScores

SURE, TORN = [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


def pool_scores(draws: dict[int, list[list[float]]]) -> PoolScores:
    """Scores of samples with these draws, `[C, K]`; a torn one has a BALD of ln 2."""
    draws_N_C_K = np.array(list(draws.values()), np.float16)
    doubt_N = np.array([log(2) * (drawn == TORN) for drawn in draws.values()], np.float32)
    probs_N_C = draws_N_C_K.astype(np.float32).mean(axis=2)
    return PoolScores(np.array(list(draws), np.int64), dict.fromkeys(MEASURES, doubt_N), probs_N_C, draws_N_C_K)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return scores_path(tmp_path, 7)


def test_scores_lie_in_the_folder_of_their_round(tmp_path: Path) -> None:
    assert scores_path(tmp_path, 7) == tmp_path / "0007" / "scores.parquet"


def test_what_is_written_is_read_by_sample_id(path: Path) -> None:
    write_scores(path, pool_scores({5: SURE, 2: TORN}), acquisition="bald")
    scores = read_scores(path)
    assert scores.row_of(2) == 1
    assert scores.row_of(3) is None
    assert scores.measures["bald"] == pytest.approx([0.0, log(2)])
    assert scores.measures["score"] == pytest.approx([0.0, log(2)])
    assert scores.predicted_N.tolist() == [0, 0]
    assert scores.confidence_N == pytest.approx([1.0, 0.5])


def test_an_acquisition_function_that_scores_no_single_samples_leaves_the_score_at_zero(path: Path) -> None:
    write_scores(path, pool_scores({2: TORN}), acquisition="badge")
    assert read_scores(path).measures["score"].tolist() == [0.0]


def test_the_draws_of_one_sample_are_class_by_draw(path: Path) -> None:
    write_scores(path, pool_scores({5: SURE, 2: TORN}), acquisition="bald")
    draws = read_draws(path, read_scores(path), [2, 6])
    assert list(draws) == [2], "6 was not in the pool"
    assert draws[2].draws_C_K is not None
    assert draws[2].draws_C_K.tolist() == TORN
    assert draws[2].probs_C.tolist() == [0.5, 0.5, 0.0]


def test_a_pool_too_large_to_keep_its_draws_has_probabilities_alone(path: Path) -> None:
    with_draws = pool_scores({5: SURE})
    kept = PoolScores(with_draws.sample_ids, with_draws.scores, with_draws.probs_N_C)
    write_scores(path, kept, acquisition="bald")
    assert read_draws(path, read_scores(path), [5])[5].draws_C_K is None


def test_draws_are_found_in_whichever_row_group_they_stand(path: Path) -> None:
    write_scores(path, pool_scores({6: SURE, 5: SURE, 4: TORN, 3: SURE, 2: TORN}), acquisition="bald")
    pq.write_table(pq.read_table(path), path, row_group_size=2)
    draws = read_draws(path, read_scores(path), [2, 4, 5])
    assert {sample_id: found.probs_C.tolist() for sample_id, found in draws.items()} == {
        2: [0.5, 0.5, 0.0],
        4: [0.5, 0.5, 0.0],
        5: [1.0, 0.0, 0.0],
    }


def test_predictions_are_read_alone(path: Path) -> None:
    assert read_predictions(path) is None, "nothing is scored yet"
    write_scores(path, pool_scores({5: SURE, 2: TORN}), acquisition="bald")
    found = read_predictions(path)
    assert found is not None
    assert (found.sample_ids.tolist(), found.predicted_N.tolist()) == ([5, 2], [0, 0])


def test_a_file_that_is_missing_damaged_or_of_something_else_is_a_sentence(path: Path) -> None:
    with pytest.raises(UnreadableScoresError, match=r"0007/scores\.parquet cannot be read as scores"):
        read_scores(path)
    path.parent.mkdir()
    pq.write_table(pa.table({"sample_id": [1]}), path)
    with pytest.raises(UnreadableScoresError):
        read_scores(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UnreadableScoresError):
        read_predictions(path)
