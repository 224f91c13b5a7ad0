"""What a round's model answered for each sample it was measured on, ``rounds/NNNN/measured.parquet``.

The database keeps how many samples of one class were taken for another; this file says which they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.errors import UnreadableScoresError
from app.project.scores import Floats, Ids
from app.project.settings import write_atomically
from loops.oracle import Evaluation

_COLUMNS = ["dataset", "sample_id", "label", "predicted", "confidence"]


@dataclass(frozen=True)
class Measured:
    """The samples a round was measured on; row i of every array is one sample of one data set."""

    dataset_N: NDArray[np.object_]  # test | audit
    sample_ids: Ids
    labels_N: Ids  # class index, as it was labeled then
    predicted_N: Ids  # class index
    confidence_N: Floats  # probability of the predicted class

    def rows(self, dataset: str, *, label: int | None = None, predicted: int | None = None) -> Ids:
        """Rows of one data set, of one label and one answer where these are given; the least sure first."""
        wanted_N = self.dataset_N == dataset
        if label is not None:
            wanted_N &= self.labels_N == label
        if predicted is not None:
            wanted_N &= self.predicted_N == predicted
        rows = np.flatnonzero(wanted_N)
        return np.asarray(rows[np.lexsort((self.sample_ids[rows], self.confidence_N[rows]))])


def measured_path(rounds_dir: Path, round_number: int) -> Path:
    """Where they lie; a round without test and audit labels wrote none."""
    return rounds_dir / f"{round_number:04d}" / "measured.parquet"


def write_measured(path: Path, evaluations: Sequence[Evaluation]) -> None:
    """Write a round's answers; a reader sees the old file or the new one. Nothing is written where none was measured.

    Args:
        path: As ``measured_path`` says; the folder is made.
        evaluations: Of the round; those without sample ids are left out.
    """
    tables = [
        pa.table(
            dict(
                zip(
                    _COLUMNS,
                    (
                        pa.array([evaluation.dataset] * len(answers.sample_ids), pa.string()),
                        answers.sample_ids,
                        answers.labels_N,
                        answers.predicted_N,
                        answers.confidence_N,
                    ),
                    strict=True,
                )
            )
        )
        for evaluation in evaluations
        if (answers := evaluation.answers) is not None
    ]
    if not tables:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.concat_tables(tables), buffer)
    write_atomically(path, buffer.getvalue().to_pybytes())


def read_measured(path: Path) -> Measured | None:
    """Read a round's answers; None where there is no file, as of a round of an older version.

    Raises:
        UnreadableScoresError: When the file is there and cannot be read.
    """
    if not path.is_file():
        return None
    try:
        with pq.ParquetFile(path) as file:  # opened once, see `read_map`
            table = file.read(columns=_COLUMNS)
        dataset_N, *numbers = (table[name].to_numpy() for name in _COLUMNS)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UnreadableScoresError(path) from error
    ids, labels_N, predicted_N, confidence_N = numbers
    return Measured(dataset_N, ids, labels_N, predicted_N, confidence_N.astype(float))
