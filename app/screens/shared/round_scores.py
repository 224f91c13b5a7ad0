"""The scores of a round and the map of the pool as the screens use them: read once and chosen from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.errors import UnreadableScoresError
from app.project.pool_map import PoolMap, read_map
from app.project.scores import BALD, RoundScores, read_scores

LEAST_BALD = 1e-5  # nats; eval-mode dropout repeated one mask and gave +-2e-7 over a whole pool


def read_round_scores(path: Path) -> RoundScores:
    """Read a published round's scores; cached by path, time and size, so a rewritten file is read again.

    Raises:
        UnreadableScoresError: When the file is not there, cut short, or lacks a column.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise UnreadableScoresError(path) from error
    return _read_scores(path, stat.st_mtime_ns, stat.st_size)


def read_pool_map(path: Path) -> PoolMap | None:
    """Read the map; cached likewise. None until the trainer has written it.

    Raises:
        UnreadableMapError: When the file is there and cannot be read.
    """
    if not path.is_file():
        return None
    stat = path.stat()
    return _read_map(path, stat.st_mtime_ns, stat.st_size)


def version_of(*paths: Path) -> str:
    """What tells these files from what stood in their place before."""
    return "-".join(f"{path.stat().st_mtime_ns}.{path.stat().st_size}" for path in paths)


def draws_are_identical(scores: RoundScores) -> bool:
    """Whether no sample of the pool has any disagreement between its draws: the sign of dropout that did not run."""
    return len(scores) > 0 and float(np.abs(scores.measures[BALD]).max()) < LEAST_BALD


def in_ranges(scores: RoundScores, ranges: Mapping[str, tuple[float, float]]) -> NDArray[np.bool_]:
    """Which samples lie in every one of the ranges, ends included."""
    chosen_N = np.ones(len(scores), dtype=bool)
    for measure, (low, high) in ranges.items():
        values_N = scores.measures[measure]
        chosen_N &= (values_N >= low) & (values_N <= high)
    return chosen_N


@st.cache_resource(max_entries=4, show_spinner=False)  # 72 bytes a sample: 72 MB each at a million
def _read_scores(path: Path, modified_ns: int, size: int) -> RoundScores:  # noqa: ARG001 - both are the cache's key
    return read_scores(path)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_map(path: Path, modified_ns: int, size: int) -> PoolMap | None:  # noqa: ARG001 - likewise
    return read_map(path)
