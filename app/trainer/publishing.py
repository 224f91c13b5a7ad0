"""A query on its way to people: its scores into a Parquet file, then its ranking and metrics into one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.project.certificates import NEEDED
from app.project.measured import measured_path, write_measured
from app.project.scores import scores_path, write_scores
from app.trainer.overlap import annotators_wanted, with_pending
from app.trainer.workbench import Workbench
from loops.evaluation.estimates import precision, recall
from loops.oracle import Evaluation, PoolScores, Query
from storage.class_labels import WaitingSample, asked_first, list_waiting
from storage.engine import Session
from storage.imported import list_imported_predictions
from storage.metrics import PROVEN, STOPPED, NewConfusion, NewMetric
from storage.overlap import list_pending
from storage.rounds import NewQuery, latest_round, mark_scoring, publish_round


def publish(query: Query, bench: Workbench) -> None:
    """Publishes the query's ranking, exactly once however often it is repeated.

    The Parquet file goes first: a ranking that people see always has its scores, and a file without a ranking is
    overwritten by the repetition.
    """
    if query.pool_scores is not None:
        path = scores_path(bench.project.rounds_dir, query.round_number)
        write_scores(path, query.pool_scores, acquisition=query.acquisition)
    write_measured(measured_path(bench.project.rounds_dir, query.round_number), query.evaluations)
    with bench.database.write() as session:
        latest = latest_round(session, project_id=bench.project_id)
        if latest is None or latest.number != query.round_number:
            return
        if latest.state == "training":  # there was nothing to fit, so no checkpoint moved it on
            mark_scoring(
                session, round_id=latest.id, generation=bench.generation, checkpoint=None, sha256=None, size=None
            )
        queries = _queries(query, bench.share_embedded, _brought(query, session, bench))
        queries = _after_split(queries, list_waiting(session, project_id=bench.project_id))
        publish_round(
            session,
            round_id=latest.id,
            generation=bench.generation,
            queries=_with_overlap(queries, session, bench),
            metrics=list(metrics_of(query)),
            confusion=[cell for evaluation in query.evaluations for cell in _confusion(evaluation)],
            fit_seconds=query.fit_seconds,
            score_seconds=query.score_seconds,
        )


def _after_split(queries: list[NewQuery], waiting: Sequence[WaitingSample]) -> list[NewQuery]:
    """Samples that a split took the label of come first, until somebody has decided on them."""
    first = asked_first(waiting)
    known = {query.sample_id for query in first}
    others = (query for query in queries if query.sample_id not in known)
    return [*first, *(replace(query, rank=rank) for rank, query in enumerate(others, start=len(first)))]


def _with_overlap(queries: list[NewQuery], session: Session, bench: Workbench) -> list[NewQuery]:
    settings = bench.settings
    wanted = [replace(line, annotators=annotators_wanted(line.sample_id, settings)) for line in queries]
    return with_pending(wanted, list_pending(session, project_id=bench.project_id), settings)


def _brought(query: Query, session: Session, bench: Workbench) -> dict[int, tuple[int, float | None]]:
    """What models answered elsewhere, from the samples' source; suggested until there is a model here."""
    ids = [ranked.sample_id for ranked in query.ranking]
    told = list_imported_predictions(session, project_id=bench.project_id, sample_ids=ids)
    return {one.sample_id: (one.class_index, one.probability) for one in told}


def _queries(query: Query, share_embedded: float, brought: Mapping[int, tuple[int, float | None]]) -> list[NewQuery]:
    suggestions = brought if query.pool_scores is None else _suggestions(query, query.pool_scores)
    who = query.asked_by
    return [
        NewQuery(
            sample_id=ranked.sample_id,
            rank=rank,
            purpose=ranked.purpose,
            score=ranked.score,
            acquisition_probability=_of_the_whole_pool(ranked.acquisition_probability, share_embedded),
            suggestion=suggestions.get(ranked.sample_id, (None, None))[0],
            suggestion_probability=suggestions.get(ranked.sample_id, (None, None))[1],
            predictor=None if who is None else who.predictor,
            predictor_version=None if who is None else who.version,
            predictor_labels=None if who is None else who.labels,
        )
        for rank, ranked in enumerate(query.ranking)
    ]


def _of_the_whole_pool(probability: float, share_embedded: float) -> float:
    """The chance of a draw among what is embedded, which is itself drawn at random from the pool; 1: not drawn."""
    return probability * share_embedded if probability < 1.0 else probability


def _suggestions(query: Query, pool_scores: PoolScores) -> dict[int, tuple[int, float | None]]:
    asked = np.isin(pool_scores.sample_ids, [ranked.sample_id for ranked in query.ranking])
    probs_N_C = pool_scores.probs_N_C[asked]
    return {
        int(sample_id): (int(probs.argmax()), float(probs.max()))
        for sample_id, probs in zip(pool_scores.sample_ids[asked], probs_N_C, strict=True)
    }


def metrics_of(query: Query) -> Iterator[NewMetric]:
    """The figures of a round."""
    for evaluation in query.evaluations:
        name = evaluation.dataset
        yield NewMetric(f"accuracy_{name}", evaluation.accuracy, evaluation.low, evaluation.high, evaluation.n)
        for kind, shares in (("recall", recall(evaluation)), ("precision", precision(evaluation))):
            for class_index in np.flatnonzero(~np.isnan(shares)).tolist():
                yield NewMetric(f"{kind}_{name}", float(shares[class_index]), class_index=class_index)
    yield from _ends(query)
    if query.pool_scores is not None:
        for score, scores_N in query.pool_scores.shown.items():
            yield NewMetric(f"mean_{score}", float(scores_N.mean()), n=len(scores_N))


def _ends(query: Query) -> Iterator[NewMetric]:
    """What says whether to go on."""
    if query.certificate is not None:
        proof = query.certificate
        estimate = proof.proven if proof.estimate is None else proof.estimate
        yield NewMetric(PROVEN, estimate, proof.proven, n=proof.draws)
    if query.audits_needed is not None:
        yield NewMetric(NEEDED, float(query.audits_needed))
    if query.criterion:
        yield NewMetric(STOPPED, 1.0)


def _confusion(evaluation: Evaluation) -> Iterator[NewConfusion]:
    for true_index, predicted_index in np.argwhere(evaluation.confusion_C_C).tolist():
        count = int(evaluation.confusion_C_C[true_index, predicted_index])
        yield NewConfusion(evaluation.dataset, true_index, predicted_index, count)
