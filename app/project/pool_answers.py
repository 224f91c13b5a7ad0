"""The model's answers for the whole pool: chosen from, sorted, and what they are worth above a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import NoModelError, ProjectError
from app.project.scores import Ids, RoundScores, read_scores, scores_path
from loops.acquisition.catalog import TOTAL
from loops.evaluation.estimates import wilson_interval
from storage.engine import Database
from storage.projects import ClassInfo
from storage.rounds import PUBLISHED, RoundInfo, list_rounds
from storage.samples import SampleInfo, get_samples, ids_by_name

SORTED_BY = ("least sure first", "surest first", "by sample")


@dataclass(frozen=True)
class Choice:
    """What a person wants to see of the answers."""

    class_index: int | None = None  # of the answer; None: all
    low: float = 0.0  # probability of the answer, at least
    high: float = 1.0  # at most
    sorted_by: str = SORTED_BY[0]


@dataclass(frozen=True)
class Worth:
    """What the answers are worth that are at least so probable."""

    answered: int  # samples
    left_to_people: float  # share of the pool, 0..1
    expected: float  # accuracy by the model's own probabilities, 0..1; 0: nothing is answered
    measured: float | None  # of audit samples that people labeled since; None: there are none
    low: float = 0.0  # of its 95 % interval
    high: float = 1.0
    n: int = 0  # audit samples it was measured on


def rows_of(scores: RoundScores, choice: Choice, among: Ids | None = None) -> Ids:
    """Rows of the scores that a person wants to see, in the order wanted.

    Args:
        scores: of the round.
        choice: what is wanted.
        among: sample ids that a search found; None: nobody searched.
    """
    sure_N = scores.confidence_N
    wanted_N = (sure_N >= choice.low) & (sure_N <= choice.high)
    if choice.class_index is not None:
        wanted_N &= scores.predicted_N == choice.class_index
    if among is not None:
        wanted_N &= np.isin(scores.sample_ids, among)
    rows = np.flatnonzero(wanted_N)
    if choice.sorted_by == SORTED_BY[2]:
        return rows[np.argsort(scores.sample_ids[rows], kind="stable")]
    sign = 1 if choice.sorted_by == SORTED_BY[0] else -1
    return rows[np.argsort(sign * sure_N[rows], kind="stable")]


def worth_above(scores: RoundScores, threshold: float, audited: dict[int, int]) -> Worth:
    """What the answers above a threshold are worth.

    Args:
        scores: of the round.
        threshold: least probability of an answer that is taken.
        audited: class index by sample id, of audit labels; only those count that were given after the scoring.
    """
    taken_N = scores.confidence_N >= threshold
    answered = int(taken_N.sum())
    left = 1.0 - answered / max(1, len(scores))
    expected = float(scores.confidence_N[taken_N].mean()) if answered else 0.0
    known_N = np.isin(scores.sample_ids, np.fromiter(audited, np.int64, len(audited))) & taken_N
    ids, said = scores.sample_ids[known_N].tolist(), scores.predicted_N[known_N].tolist()
    right = sum(audited[sample_id] == answer for sample_id, answer in zip(ids, said, strict=True))
    if not ids:
        return Worth(answered, left, expected, None)
    low, high = wilson_interval(right, len(ids))
    return Worth(answered, left, expected, right / len(ids), low, high, len(ids))


def doubt(scores: RoundScores, rows: Ids) -> NDArray[np.float64]:
    """How undecided the model is of each of these, in nats."""
    return scores.measures[TOTAL][rows]


@dataclass(frozen=True)
class PoolAnswer:
    """What a model answers for one sample of the pool."""

    sample_id: int
    uri: str
    class_name: str
    probability: float  # of that class
    doubt: float  # nats
    score: float  # of the acquisition function that asked; higher is asked first


@dataclass(frozen=True)
class Predictions:
    """One page of answers."""

    round_number: int  # of the model
    total: int  # answers that were wanted, on all pages
    answers: list[PoolAnswer]


class PoolAnswers:
    """The answers of a project's newest model for its pool, a page at a time; the scores are read once a round."""

    def __init__(self, database: Database, project_id: int, rounds_dir: Path) -> None:
        self._database, self._project_id, self._rounds_dir = database, project_id, rounds_dir
        self._read: tuple[tuple[Path, int, int], RoundScores] | None = None  # path, time and size say which

    def page(
        self, choice: Choice, *, search: str, offset: int, limit: int, classes: Sequence[ClassInfo]
    ) -> Predictions:
        """Choose, sort and cut.

        Raises:
            NoModelError: No model has scored the pool.
            UnreadableScoresError: Its file is damaged.
            ProjectError: The order is none.
        """
        if choice.sorted_by not in SORTED_BY:
            raise ProjectError(f"The order is one of {', '.join(SORTED_BY)}; found {choice.sorted_by!r}.")
        with self._database.read() as session:
            scored = newest_scored(list_rounds(session, project_id=self._project_id), self._rounds_dir)
            found = ids_by_name(session, project_id=self._project_id, part=search) if search else None
        if scored is None:
            raise NoModelError("No model has scored the pool yet; the trainer does after the first labels.")
        scores = self._scores(scored)
        rows = rows_of(scores, choice, None if found is None else np.array(found, np.int64))
        shown = rows[offset : offset + limit]
        with self._database.read() as session:
            samples = get_samples(session, sample_ids=scores.sample_ids[shown].tolist())
        return Predictions(scored.number, len(rows), _answers(scores, shown, samples, classes))

    def _scores(self, scored: RoundInfo) -> RoundScores:
        path = scores_path(self._rounds_dir, scored.number)
        is_there = path.stat()
        key = (path, is_there.st_mtime_ns, is_there.st_size)
        read = self._read  # another thread may put a newer one in its place
        if read is None or read[0] != key:
            self._read = read = (key, read_scores(path))
        return read[1]


def newest_scored(rounds: Sequence[RoundInfo], rounds_dir: Path) -> RoundInfo | None:
    """The newest published round whose model scored the pool; None where there is none."""
    published = (info for info in reversed(rounds) if info.state in PUBLISHED)
    return next((info for info in published if scores_path(rounds_dir, info.number).is_file()), None)


def _answers(
    scores: RoundScores, rows: Ids, samples: dict[int, SampleInfo], classes: Sequence[ClassInfo]
) -> list[PoolAnswer]:
    columns = (scores.sample_ids, scores.predicted_N, scores.confidence_N, scores.measures[TOTAL])
    of_rows = zip(*(column[rows].tolist() for column in (*columns, scores.measures["score"])), strict=True)
    return [
        PoolAnswer(sample_id, samples[sample_id].uri, classes[predicted].name, probability, undecided, score)
        for sample_id, predicted, probability, undecided, score in of_rows
    ]
