"""A query on its way to people: its scores into a Parquet file, then its ranking and metrics into one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.project.project import Project
from app.project.settings import write_atomically
from app.trainer.overlap import annotators_wanted, with_pending
from app.trainer.workbench import Workbench
from loops.evaluation.estimates import precision, recall
from loops.oracle import Evaluation, PoolScores, Query
from storage.engine import Session
from storage.metrics import NewConfusion, NewMetric
from storage.overlap import list_pending
from storage.rounds import NewQuery, latest_round, mark_scoring, publish_round

_ROW_GROUP = 500  # samples; a screen reads one sample's draws in 1 ms, not in 200 as with one group of 50,000


def publish(query: Query, bench: Workbench) -> None:
    """Publishes the query's ranking, exactly once however often it is repeated.

    The Parquet file goes first: a ranking that people see always has its scores, and a file without a ranking is
    overwritten by the repetition.
    """
    if query.pool_scores is not None:
        _write_scores(query, bench.project)
    with bench.database.write() as session:
        latest = latest_round(session, project_id=bench.project_id)
        if latest is None or latest.number != query.round_number:
            return
        if latest.state == "training":  # there was nothing to fit, so no checkpoint moved it on
            mark_scoring(
                session, round_id=latest.id, generation=bench.generation, checkpoint=None, sha256=None, size=None
            )
        publish_round(
            session,
            round_id=latest.id,
            generation=bench.generation,
            queries=_with_overlap(_queries(query, bench.share_embedded), session, bench),
            metrics=list(_metrics(query)),
            confusion=[cell for evaluation in query.evaluations for cell in _confusion(evaluation)],
            fit_seconds=query.fit_seconds,
            score_seconds=query.score_seconds,
        )


def _with_overlap(queries: list[NewQuery], session: Session, bench: Workbench) -> list[NewQuery]:
    settings = bench.settings
    wanted = [replace(line, annotators=annotators_wanted(line.sample_id, settings)) for line in queries]
    return with_pending(wanted, list_pending(session, project_id=bench.project_id), settings)


def _queries(query: Query, share_embedded: float) -> list[NewQuery]:
    suggestions = {} if query.pool_scores is None else _suggestions(query, query.pool_scores)
    return [
        NewQuery(
            sample_id=ranked.sample_id,
            rank=rank,
            purpose=ranked.purpose,
            score=ranked.score,
            acquisition_probability=_of_the_whole_pool(ranked.acquisition_probability, share_embedded),
            suggestion=suggestions.get(ranked.sample_id, (None, None))[0],
            suggestion_probability=suggestions.get(ranked.sample_id, (None, None))[1],
        )
        for rank, ranked in enumerate(query.ranking)
    ]


def _of_the_whole_pool(probability: float, share_embedded: float) -> float:
    """The chance of a draw among what is embedded, which is itself drawn at random from the pool; 1: not drawn."""
    return probability * share_embedded if probability < 1.0 else probability


def _suggestions(query: Query, pool_scores: PoolScores) -> dict[int, tuple[int, float]]:
    asked = np.isin(pool_scores.sample_ids, [ranked.sample_id for ranked in query.ranking])
    probs_N_C = pool_scores.probs_N_C[asked]
    return {
        int(sample_id): (int(probs.argmax()), float(probs.max()))
        for sample_id, probs in zip(pool_scores.sample_ids[asked], probs_N_C, strict=True)
    }


def _metrics(query: Query) -> Iterator[NewMetric]:
    for evaluation in query.evaluations:
        name = evaluation.dataset
        yield NewMetric(f"accuracy_{name}", evaluation.accuracy, evaluation.low, evaluation.high, evaluation.n)
        for kind, shares in (("recall", recall(evaluation)), ("precision", precision(evaluation))):
            for class_index in np.flatnonzero(~np.isnan(shares)).tolist():
                yield NewMetric(f"{kind}_{name}", float(shares[class_index]), class_index=class_index)
    if query.pool_scores is not None:
        for score, scores_N in query.pool_scores.scores.items():
            yield NewMetric(f"mean_{score}", float(scores_N.mean()), n=len(scores_N))


def _confusion(evaluation: Evaluation) -> Iterator[NewConfusion]:
    for true_index, predicted_index in np.argwhere(evaluation.confusion_C_C).tolist():
        count = int(evaluation.confusion_C_C[true_index, predicted_index])
        yield NewConfusion(evaluation.dataset, true_index, predicted_index, count)


def _write_scores(query: Query, project: Project) -> None:
    scores = query.pool_scores
    assert scores is not None
    in_force = scores.scores.get(query.acquisition, np.zeros(len(scores.sample_ids), np.float32))
    draws: pa.Array = pa.nulls(len(scores.sample_ids), pa.list_(pa.float16()))
    if scores.draws_N_C_K is not None:
        draws = _lists(scores.draws_N_C_K.reshape(len(scores.sample_ids), -1))
    table = pa.table(
        {
            "sample_id": scores.sample_ids,
            "score": in_force,
            **scores.scores,
            "predicted": scores.probs_N_C.argmax(axis=1).astype(np.int16),
            "probs": _lists(scores.probs_N_C),
            "draws": draws,
        }
    )
    folder = project.rounds_dir / f"{query.round_number:04d}"
    folder.mkdir(parents=True, exist_ok=True)
    buffer = pa.BufferOutputStream()
    # Draws hardly repeat: a dictionary of them costs five times the reading and saves nothing.
    pq.write_table(table, buffer, row_group_size=_ROW_GROUP, use_dictionary=False)
    write_atomically(folder / "scores.parquet", buffer.getvalue().to_pybytes())


def _lists(rows_N_D: NDArray[np.floating[Any]]) -> pa.Array:
    n, width = rows_N_D.shape
    offsets = np.arange(0, n * width + 1, max(width, 1), dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, np.ascontiguousarray(rows_N_D).ravel())
