from __future__ import annotations

import numpy as np
import pytest

from app.errors import UnreadableScoresError
from app.project.measured import measured_path, read_measured, write_measured
from loops.evaluation.estimates import evaluate

CAT, DOG = 0, 1
PROBS_N_C = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])  # cat, dog, dog


def test_the_samples_of_a_cell_come_back_the_least_sure_first(tmp_path):
    path = measured_path(tmp_path, 3)
    audit = evaluate("audit", PROBS_N_C, [CAT, CAT, CAT], [11, 12, 13])
    write_measured(path, [audit, evaluate("test", PROBS_N_C, [DOG, DOG, DOG], [21, 22, 23])])
    found = read_measured(path)
    assert path == tmp_path / "0003" / "measured.parquet"
    assert found.sample_ids[found.rows("audit", label=CAT, predicted=DOG)].tolist() == [13, 12]
    assert found.sample_ids[found.rows("test", label=DOG, predicted=CAT)].tolist() == [21]
    assert found.sample_ids[found.rows("audit", predicted=CAT)].tolist() == [11]
    assert found.confidence_N[found.rows("audit", predicted=CAT)].tolist() == pytest.approx([0.9])


def test_a_round_that_was_not_measured_writes_nothing_and_reads_as_none(tmp_path):
    path = measured_path(tmp_path, 1)
    write_measured(path, [])
    write_measured(path, [evaluate("test", PROBS_N_C, [CAT, CAT, CAT])])
    assert not path.exists()
    assert read_measured(path) is None


def test_a_damaged_file_is_a_sentence(tmp_path):
    path = tmp_path / "measured.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(UnreadableScoresError):
        read_measured(path)
