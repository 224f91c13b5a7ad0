"""The scores of one published round, read from its Parquet file; only the draws of the one sample shown are loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import streamlit as st
from numpy.typing import NDArray

from app.errors import AppError

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

MEASURES = {
    "bald": "BALD",
    "predictive_entropy": "Predictive entropy",
    "expected_entropy": "Expected entropy",
    "margin": "Margin",
    "variation_ratios": "Variation ratios",
}
UNITS = {"bald": "nats", "predictive_entropy": "nats", "expected_entropy": "nats"}
LEAST_BALD = 1e-5  # nats; eval-mode dropout repeated one mask and gave +-2e-7 over a whole pool
MOST_DRAWN = 5_000  # points in a browser's chart before it stutters
_AT_ONCE = 50_000  # samples
_PLAIN_COLUMNS = ["sample_id", "score", *MEASURES, "predicted"]


class UnreadableScoresError(AppError):
    """A round's file cannot be read as scores."""

    def __init__(self, path: Path) -> None:
        """Say which file, and what to do."""
        super().__init__(
            f"The file {path.parent.name}/{path.name} cannot be read as scores. Choose another round, "
            "or press 'Train now' on the Label screen to have the pool scored anew."
        )


@dataclass(frozen=True)
class RoundScores:
    """The model's view of the pool in one round; row i of every array is sample ``sample_ids[i]``."""

    sample_ids: Ids
    measures: Mapping[str, Floats]  # by name of MEASURES, plus "score": the acquisition function in force
    predicted_N: NDArray[np.int64]  # class index
    confidence_N: Floats  # mean probability of the predicted class
    iterations: int  # MC draws kept per sample; 0: none

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


def scores_path(rounds_dir: Path, round_number: int) -> Path:
    """Where the trainer writes a round's scores."""
    return rounds_dir / f"{round_number:04d}" / "scores.parquet"


def read_round_scores(path: Path) -> RoundScores:
    """Read a published round's scores; cached by path, time and size, so a rewritten file is read again.

    Raises:
        UnreadableScoresError: When the file is not there, cut short, or lacks a column.
    """
    try:
        stat = path.stat()
        return _read_scores(str(path), stat.st_mtime_ns, stat.st_size)
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


def draws_are_identical(scores: RoundScores) -> bool:
    """Whether no sample of the pool has any disagreement between its draws: the sign of dropout that did not run."""
    return len(scores) > 0 and float(np.abs(scores.measures["bald"]).max()) < LEAST_BALD


def in_ranges(scores: RoundScores, ranges: Mapping[str, tuple[float, float]]) -> NDArray[np.bool_]:
    """Which samples lie in every one of the ranges, ends included."""
    chosen_N = np.ones(len(scores), dtype=bool)
    for measure, (low, high) in ranges.items():
        values_N = scores.measures[measure]
        chosen_N &= (values_N >= low) & (values_N <= high)
    return chosen_N


def thin(rows_N: Ids, *, at_most: int = MOST_DRAWN, seed: int = 0) -> Ids:
    """A seeded uniform choice of rows for a chart, in their order; all of them when they fit."""
    if len(rows_N) <= at_most:
        return rows_N
    return np.sort(np.random.default_rng(seed).choice(rows_N, size=at_most, replace=False))


@st.cache_resource(max_entries=4, show_spinner=False)  # 72 bytes a sample: 72 MB each at a million
def _read_scores(path: str, modified_ns: int, size: int) -> RoundScores:  # noqa: ARG001 - both are the cache's key
    table = pq.read_table(path, columns=_PLAIN_COLUMNS)
    columns = {name: table[name].to_numpy() for name in _PLAIN_COLUMNS}
    predicted_N = columns["predicted"].astype(np.int64)
    confidence_N, classes = _confidence(path, predicted_N)
    return RoundScores(
        sample_ids=columns["sample_id"].astype(np.int64),
        # A difference of two entropies may come out as -1e-8: below every chart and every range.
        measures={
            name: np.maximum(columns[name].astype(float), 0.0 if name in UNITS else -np.inf)
            for name in ("score", *MEASURES)
        },
        predicted_N=predicted_N,
        confidence_N=confidence_N,
        iterations=_iterations(path, classes),
    )


def _confidence(path: str, predicted_N: Ids) -> tuple[Floats, int]:
    """The probability of each predicted class, and how many classes there are; all probabilities would be gigabytes."""
    confidence_N, classes, start = np.empty(len(predicted_N)), 1, 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_AT_ONCE, columns=["probs"]):
        probs_B_C, end = _rows(batch.column(0)), start + batch.num_rows
        confidence_N[start:end] = probs_B_C[np.arange(len(probs_B_C)), predicted_N[start:end]]
        classes, start = probs_B_C.shape[1], end
    return confidence_N, classes


def _rows(column: pa.Array) -> Floats:
    values = pc.list_flatten(column).to_numpy().astype(float)
    return np.asarray(values.reshape(len(column), -1 if len(column) else 1))


def _iterations(path: str, classes: int) -> int:
    """K, from the first row alone: the draws of a whole pool are hundreds of megabytes."""
    for batch in pq.ParquetFile(path).iter_batches(batch_size=1, columns=["draws"]):
        flat = batch.column(0)[0].as_py() if batch.num_rows else None
        return 0 if flat is None else len(flat) // classes
    return 0
