"""What the model said about samples that have a label by now: its last word before it learned that label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.screens.components.round_scores import UnreadableScoresError, read_round_scores, scores_path
from storage.engine import Database
from storage.rounds import RoundInfo, list_queries


@dataclass(frozen=True)
class Prediction:
    """A model's answer for one sample."""

    class_index: int
    confidence: float  # mean probability of that class, 0..1
    round_number: int


def last_predictions(
    database: Database, rounds_dir: Path, rounds: Sequence[RoundInfo], sample_ids: Iterable[int]
) -> dict[int, Prediction]:
    """The newest prediction of each sample that some round published.

    A model scores only the pool, so for a labeled sample this is the answer of a model that had not seen its label:
    the one a disagreement can be trusted from. Audit samples are not scored with the pool; their suggestion serves.
    """
    missing = set(sample_ids)
    found: dict[int, Prediction] = {}
    for info in sorted(rounds, key=lambda info: info.number, reverse=True):
        for source in (_scored(rounds_dir, info, missing), _suggested(database, info, missing)):
            found.update(source)
            missing.difference_update(source)
        if not missing:
            break
    return found


def _scored(rounds_dir: Path, info: RoundInfo, wanted: set[int]) -> dict[int, Prediction]:
    try:
        scores = read_round_scores(scores_path(rounds_dir, info.number))
    except UnreadableScoresError:
        return {}  # round 0 has no model; a lost file costs its predictions, not the screen
    rows_N = np.flatnonzero(np.isin(scores.sample_ids, list(wanted)))
    return {
        int(scores.sample_ids[row]): Prediction(
            int(scores.predicted_N[row]), float(scores.confidence_N[row]), info.number
        )
        for row in rows_N
    }


def _suggested(database: Database, info: RoundInfo, wanted: set[int]) -> dict[int, Prediction]:
    if not wanted:
        return {}
    with database.read() as session:
        queries = list_queries(session, round_id=info.id)
    return {
        query.sample_id: Prediction(query.suggestion, query.suggestion_probability or 0.0, info.number)
        for query in queries
        if query.suggestion is not None and query.sample_id in wanted
    }
