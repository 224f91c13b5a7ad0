"""The scores of a round, ``rounds/NNNN/scores.parquet``: where they lie, what they hold, writing and reading.

The trainer writes them and reads whole columns; the screens read the same, and the draws of the samples they show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.errors import UnreadableScoresError
from app.project.settings import write_atomically
from loops.acquisition.catalog import ALEATORIC, EPISTEMIC, MEASURES, TOTAL, UNITS
from loops.oracle import PoolScores

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

# Columns: files of these names lie on disks, so they stay whatever acquisition functions come to be called.
BALD, PREDICTIVE_ENTROPY, EXPECTED_ENTROPY = EPISTEMIC, TOTAL, ALEATORIC  # columns in files on people's disks
_PLAIN_COLUMNS = ["sample_id", "score", *MEASURES, "predicted"]
_ROW_GROUP = 500  # samples; a screen reads one sample's draws in 1 ms, not in 200 as with one group of 50,000
_AT_ONCE = 50_000  # samples


@dataclass(frozen=True)
class RoundScores:
    """The model's view of the pool in one round; row i of every array is sample ``sample_ids[i]``."""

    sample_ids: Ids
    measures: Mapping[str, Floats]  # by name of MEASURES, plus "score": of the acquisition function that asked
    predicted_N: NDArray[np.int64]  # class index
    confidence_N: Floats  # mean probability of the predicted class

    def __len__(self) -> int:
        """Number of samples in the pool when it was scored."""
        return len(self.sample_ids)

    def row_of(self, sample_id: int) -> int | None:
        """The row of a sample, or None when it was not in the pool."""
        found = np.flatnonzero(self.sample_ids == sample_id)
        return int(found[0]) if len(found) else None


@dataclass(frozen=True)
class SampleDraws:
    """One sample's MC draws and their mean."""

    probs_C: Floats
    draws_C_K: Floats | None

    @property
    def mean(self) -> Floats:
        """The mean of the draws that are kept, else as it was written beside them."""
        return self.probs_C if self.draws_C_K is None else np.asarray(self.draws_C_K.mean(axis=1))


@dataclass(frozen=True)
class Predictions:
    """What a round's model answered for the pool."""

    sample_ids: Ids
    predicted_N: NDArray[np.int64]  # class index


def scores_path(rounds_dir: Path, round_number: int) -> Path:
    """Where a round's scores lie; round 0, which has no model, wrote none."""
    return rounds_dir / f"{round_number:04d}" / "scores.parquet"


def write_scores(path: Path, scores: PoolScores, *, acquisition: str) -> None:
    """Write a round's scores; a reader sees the old file or the new one, never half of one.

    Args:
        path: As ``scores_path`` says; the folder is made.
        scores: Of every sample of the pool.
        acquisition: Whose score is the column ``score``; zeros where it scores no single samples.
    """
    asked_by = scores.scores.get(acquisition, np.zeros(len(scores.sample_ids), np.float32))
    draws: pa.Array = pa.nulls(len(scores.sample_ids), pa.list_(pa.float16()))
    if scores.draws_N_C_K is not None:
        draws = _lists(scores.draws_N_C_K.reshape(len(scores.sample_ids), -1))
    table = pa.table(
        {
            "sample_id": scores.sample_ids,
            "score": asked_by,
            **scores.shown,
            "predicted": scores.probs_N_C.argmax(axis=1).astype(np.int16),
            "probs": _lists(scores.probs_N_C),
            "draws": draws,
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = pa.BufferOutputStream()
    # Draws hardly repeat: a dictionary of them costs five times the reading and saves nothing.
    pq.write_table(table, buffer, row_group_size=_ROW_GROUP, use_dictionary=False)
    write_atomically(path, buffer.getvalue().to_pybytes())


def read_scores(path: Path) -> RoundScores:
    """Read all of a round's scores but the probabilities and draws, of which there are gigabytes.

    Raises:
        UnreadableScoresError: When the file is not there, cut short, or lacks a column.
    """
    try:
        with pq.ParquetFile(path) as file:  # opened once: a round that is done again replaces it
            table = file.read(columns=_PLAIN_COLUMNS)
            columns = {name: table[name].to_numpy() for name in _PLAIN_COLUMNS}
            predicted_N = columns["predicted"].astype(np.int64)
            confidence_N = _confidence(file, predicted_N)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UnreadableScoresError(path) from error
    return RoundScores(
        sample_ids=columns["sample_id"].astype(np.int64),
        # A difference of two entropies may come out as -1e-8: below every chart and every range.
        measures={
            name: np.maximum(columns[name].astype(float), 0.0 if name in UNITS else -np.inf)
            for name in ("score", *MEASURES)
        },
        predicted_N=predicted_N,
        confidence_N=confidence_N,
    )


def read_predictions(path: Path) -> Predictions | None:
    """Read a round's predictions alone; None where it has scored nothing.

    Raises:
        UnreadableScoresError: When the file is there and cannot be read.
    """
    if not path.exists():
        return None
    try:
        with pq.ParquetFile(path) as file:
            table = file.read(columns=["sample_id", "predicted"])
        return Predictions(*(table[name].to_numpy().astype(np.int64) for name in ("sample_id", "predicted")))
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UnreadableScoresError(path) from error


def read_draws(path: Path, scores: RoundScores, sample_ids: Sequence[int]) -> dict[int, SampleDraws]:
    """Read the draws of some samples; those that were not in the pool are left out.

    Only the row groups that hold them are read: the draws of a whole pool are hundreds of megabytes.

    Raises:
        UnreadableScoresError: When the file cannot be read.
    """
    rows = {sample_id: row for sample_id in sample_ids if (row := scores.row_of(sample_id)) is not None}
    try:
        with pq.ParquetFile(path) as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            firsts = np.concatenate([[0], np.cumsum(sizes)])
            groups = {row: int(np.searchsorted(firsts, row, side="right")) - 1 for row in rows.values()}
            tables = {
                group: file.read_row_group(group, columns=["probs", "draws"], use_threads=False)
                for group in set(groups.values())
            }
        return {
            sample_id: _draws_at(tables[groups[row]], row - int(firsts[groups[row]])) for sample_id, row in rows.items()
        }
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UnreadableScoresError(path) from error


def _draws_at(table: pa.Table, row: int) -> SampleDraws:
    probs, draws = table["probs"][row], table["draws"][row]
    probs_C = probs.values.to_numpy().astype(float)
    return SampleDraws(
        probs_C, draws.values.to_numpy().astype(float).reshape(len(probs_C), -1) if draws.is_valid else None
    )


def _confidence(file: pq.ParquetFile, predicted_N: Ids) -> Floats:
    """The probability of each predicted class; all probabilities would be gigabytes."""
    confidence_N, start = np.empty(len(predicted_N)), 0
    for batch in file.iter_batches(batch_size=_AT_ONCE, columns=["probs"]):
        probs_B_C, end = _rows(batch.column(0)), start + batch.num_rows
        confidence_N[start:end] = probs_B_C[np.arange(len(probs_B_C)), predicted_N[start:end]]
        start = end
    return confidence_N


def _rows(column: pa.Array) -> Floats:
    values = pc.list_flatten(column).to_numpy().astype(float)
    return np.asarray(values.reshape(len(column), -1 if len(column) else 1))


def _lists(rows_N_D: NDArray[np.floating[Any]]) -> pa.Array:
    n, width = rows_N_D.shape
    offsets = np.arange(0, n * width + 1, max(width, 1), dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, np.ascontiguousarray(rows_N_D).ravel())
