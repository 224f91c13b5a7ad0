"""The points of the map as the browser gets them: numbers one after another, once a round.

The same scores and the same map always give the same order of rows: a lasso comes back as rows.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.project.pool_map import PoolMap
from app.project.scores import BALD, PREDICTIVE_ENTROPY, Ids, RoundScores
from app.screens.shared.pool_view import SKIPPED, PoolView

SHOWN_MEASURES = (BALD, PREDICTIVE_ENTROPY)
NOT_LABELED, WAS_SKIPPED = -1, -2  # in place of a class index


@dataclass(frozen=True)
class MapPoints:
    """What is drawn; the first ``scored`` rows were in the pool of the round, the most doubted last, so on top."""

    sample_ids: Ids  # [N]
    scored: int
    packed: str  # base64; `readPoints` in app/browser/pool_map/points.js reads it


@st.cache_resource(max_entries=4, show_spinner=False)  # 50 bytes a sample
def map_points(version: str, _scores: RoundScores, _placed: PoolMap) -> MapPoints:  # noqa: ARG001 - the cache's key
    """Order and pack the points, once per version of the two files."""
    return pack_points(_scores, _placed)


def pack_points(scores: RoundScores, placed: PoolMap) -> MapPoints:
    """Order and pack the points.

    Args:
        scores: Of a round.
        placed: The map; who has no place on it is not drawn.
    """
    _, scored_N, placed_N = np.intersect1d(scores.sample_ids, placed.sample_ids, return_indices=True)
    by_doubt = np.argsort(scores.measures[BALD][scored_N], kind="stable")
    scored_N, placed_N = scored_N[by_doubt], placed_N[by_doubt]
    others_N = np.setdiff1d(np.arange(len(placed.sample_ids)), placed_N)
    order_N = np.concatenate([placed_N, others_N])
    columns = [
        placed.sample_ids[order_N].astype("<i4"),
        _fitted(placed.points_N_2)[order_N].astype("<f4"),
        *(scores.measures[name][scored_N].astype("<f4") for name in SHOWN_MEASURES),
        scores.predicted_N[scored_N].astype("<u2"),
        np.rint(100 * scores.confidence_N[scored_N]).astype("u1"),
    ]
    packed = b"".join(column.tobytes() for column in columns)
    return MapPoints(placed.sample_ids[order_N], len(scored_N), base64.b64encode(packed).decode())


def _fitted(points_N_2: NDArray[np.float64]) -> NDArray[np.float64]:
    """The places moved and shrunk into -1..1, both axes alike: only nearness means something."""
    if not len(points_N_2):
        return points_N_2
    low, high = points_N_2.min(axis=0), points_N_2.max(axis=0)
    return np.asarray((points_N_2 - (low + high) / 2) / (max(float((high - low).max()), 1e-12) / 2))


def label_codes(view: PoolView, sample_ids: Ids) -> NDArray[np.int16]:
    """The class index that stands for each sample, `NOT_LABELED` or `WAS_SKIPPED`."""
    index_of = {name: index for index, name in enumerate(view.classes)}
    codes = {sample_id: WAS_SKIPPED if word == SKIPPED else index_of[word] for sample_id, word in view.labels.items()}
    found = np.full(len(sample_ids), NOT_LABELED, np.int16)
    decided = np.flatnonzero(np.isin(sample_ids, np.fromiter(codes, np.int64, len(codes))))
    found[decided] = [codes[sample_id] for sample_id in sample_ids[decided].tolist()]
    return found


def in_order(names: Mapping[int, str], sample_ids: Ids) -> str:
    """The names a line each, in the order of the rows."""
    return "\n".join(names.get(sample_id, "").replace("\n", " ") for sample_id in sample_ids.tolist())


def chosen_ids(rows: str, sample_ids: Ids) -> Ids:
    """The samples whose rows a browser says were chosen; none where it says nothing that can be read.

    Args:
        rows: Bits in base64, the first row first.
        sample_ids: ``[N]``, in the order of the rows.
    """
    try:
        told = np.frombuffer(base64.b64decode(rows, validate=True), np.uint8)
    except ValueError:
        return sample_ids[:0]
    flags_N = np.unpackbits(told, bitorder="little")[: len(sample_ids)].astype(bool)
    return np.asarray(sample_ids[: len(flags_N)][flags_N])


def told_measures(titles: Mapping[str, str], units: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """Name, title and unit of the measures, in the order in which they are packed."""
    return [{"name": name, "title": titles[name], "unit": units.get(name, "")} for name in SHOWN_MEASURES]
