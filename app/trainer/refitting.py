"""Each round fitted once more, from the labels that it had and the seed of the project, beside what it noted then.

A round is run by the loop that ran it, on a predictor that begins from the round before, in a folder that is thrown
away. Compared are the figures of the round, what its model answered for every sample of the pool, and its ranking,
unless that was replaced label by label since.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from app.errors import UnreadableScoresError
from app.project.certificates import NEEDED, read_chain, target_of
from app.project.measured import measured_path, read_measured
from app.project.project import Project
from app.project.scores import RoundScores, read_scores, scores_path, write_scores
from app.trainer.auditing import answered_in
from app.trainer.oracle import DatabaseOracle
from app.trainer.publishing import metrics_of
from app.trainer.workbench import Workbench, at_rest
from loops.active_learning import ActiveLearningLoop
from loops.certificate.auditor import Auditor
from loops.checkpoint import SavedCheckpoint
from loops.embeddings.names import ClassName
from loops.errors import CheckpointMismatchError
from loops.oracle import Answers, Query
from loops.predictors.predictor import Predictor
from storage.class_labels import split_samples
from storage.engine import Database
from storage.metrics import MetricInfo, list_metrics
from storage.moments import class_names_at
from storage.rounds import PUBLISHED, QueryInfo, RoundInfo, list_queries, list_rounds
from storage.samples import added_by

SAME = {"rel_tol": 1e-4, "abs_tol": 1e-5}  # of two figures: sums in another order differ in the last digits


@dataclass(frozen=True)
class RefittedRound:
    """One round, fitted again."""

    number: int
    differences: tuple[str, ...]  # sentences
    notes: tuple[str, ...] = ()  # what could not be compared, and why


@dataclass
class _Asked:
    """An oracle that has one round's answers, and keeps the query that comes of them."""

    answers: Answers
    query: Query | None = None

    def answer(self, query: Query | None) -> Answers | None:
        """See `loops.oracle.Oracle`."""
        if query is None:
            return self.answers
        self.query = query
        return None


@dataclass
class _Refit:
    bench: Workbench
    folder: Path  # thrown away
    metrics: list[MetricInfo]
    rankings: dict[int, list[QueryInfo]]  # by round
    split: set[int]  # samples whose label a split took back: they were put before a ranking that was made already
    saved: dict[int, SavedCheckpoint] = field(default_factory=dict)


def refitted_rounds(project: Project, database: Database) -> Iterator[RefittedRound]:
    """Fit every published round again, one after another; each is a fit and a pass over the pool.

    Args:
        project: In which nothing runs.
        database: Its own, which is only read.
    """
    bench = at_rest(project, database)
    with database.read() as session:
        rounds = [info for info in list_rounds(session, project_id=bench.project_id) if info.state in PUBLISHED]
        metrics = list_metrics(session, project_id=bench.project_id)
        rankings = {info.number: list_queries(session, round_id=info.id) for info in rounds}
        split = split_samples(session, project_id=bench.project_id)
    with tempfile.TemporaryDirectory() as folder:
        refit = _Refit(bench, Path(folder), metrics, rankings, split)
        for info in rounds:
            yield _round(refit, info)


def _round(refit: _Refit, info: RoundInfo) -> RefittedRound:
    bench = refit.bench
    now = (bench.predictor_name, bench.settings.acquisition)
    if (info.predictor, info.acquisition) != now:
        then = f"{info.predictor} and {info.acquisition}"
        note = f"it was fitted with {then}, and the settings of now say {' and '.join(now)}: it was not fitted again"
        return RefittedRound(info.number, (), (note,))
    recorded = _recorded_scores(bench, info.number)
    answers, missing = _answers_of(refit, info, recorded)
    query = _run(refit, info, answers)
    differences = [*_of_pool(missing), *_of_metrics(refit, info, query), *_of_scores(refit, query, recorded)]
    ranked, notes = _of_ranking(refit.rankings[info.number], info, query, refit.split)
    return RefittedRound(info.number, (*differences, *ranked), notes)


def _answers_of(refit: _Refit, info: RoundInfo, recorded: RoundScores | None) -> tuple[Answers, int]:
    """The round's answers, with the pool of then; and how many samples of it are not to be had any more."""
    bench = refit.bench
    found = DatabaseOracle(bench).answers_of(info)
    # A second look that nobody got to is asked in the next round: it was scored in both.
    looks = {line.sample_id: 0.0 for lines in refit.rankings.values() for line in lines if line.purpose == "recheck"}
    asked = [line for line in refit.rankings[info.number] if line.purpose == "recheck"]
    looks |= {line.sample_id: line.score or 0.0 for line in asked}
    if recorded is not None:
        then = recorded.sample_ids
    else:
        with bench.database.read() as session:
            then = np.array(added_by(session, project_id=bench.project_id, at=info.started_at), np.int64)
    pool, audit_pool = (ids[np.isin(ids, then)] for ids in (found.pool, found.audit_pool))
    # A second look asked for later was not scored with the round; one whose label is gone is in the pool again.
    scored = set(then.tolist()) - set(pool.tolist()) - set(audit_pool.tolist())
    looks = {one: score for one, score in looks.items() if one in scored}
    test = _measured_then(bench, info.number, found.test)
    answers = replace(found, pool=pool, audit_pool=audit_pool, suspects=looks, test=test)
    if recorded is None:
        return answers, 0
    return answers, len(then) - len(pool) - len(audit_pool) - len(looks)


def _measured_then(bench: Workbench, number: int, test: Mapping[int, int]) -> dict[int, int]:
    """The test set that a round was measured on, with its labels of then: both change, by imports and by merges."""
    with suppress(UnreadableScoresError):
        measured = read_measured(measured_path(bench.project.rounds_dir, number))
        if measured is not None:
            rows = measured.rows("test")
            then = dict(zip(measured.sample_ids[rows].tolist(), measured.labels_N[rows].tolist(), strict=True))
            return {sample_id: label for sample_id, label in then.items() if sample_id in test}
    return dict(test)


def _run(refit: _Refit, info: RoundInfo, answers: Answers) -> Query:
    bench = refit.bench
    with bench.database.read() as session:
        classes = class_names_at(session, project_id=bench.project_id, at=info.started_at)
    bench = replace(bench, classes=tuple(map(ClassName, classes)))
    oracle, predictor = _Asked(answers), bench.predictor()
    loop = ActiveLearningLoop(
        predictor=predictor,
        oracle=oracle,
        settings=bench.loop_settings,
        rounds_folder=refit.folder,
        on_checkpoint=refit.saved.__setitem__,
        auditor=_auditor_of(refit, info.number),
    )
    _go_on_from_the_round_before(refit, loop, predictor)
    loop.run()
    assert oracle.query is not None, "a loop asks before it is done"
    return oracle.query


def _go_on_from_the_round_before(refit: _Refit, loop: ActiveLearningLoop, predictor: Predictor) -> None:
    """As the trainer does; a model of fewer classes is of no use to it either."""
    if refit.saved:
        saved = refit.saved[max(refit.saved)]
        with suppress(CheckpointMismatchError):
            loop.load_state_dict(predictor.load(saved.path, sha256=saved.sha256, size=saved.size))


def _auditor_of(refit: _Refit, number: int) -> Auditor | None:
    """What drew the audit samples, with what was known before the round."""
    bench = refit.bench
    if bench.settings.audit_share == 0.0:
        return None
    needed = {m.round_number: m.value for m in refit.metrics if m.name == NEEDED and m.round_number < number}
    before = max((one for one in refit.rankings if one < number), default=-1)
    return Auditor(
        target=target_of(bench.project),
        seed=bench.settings.seed,
        query_size=bench.settings.query_size,
        chain=[candidate for candidate in read_chain(bench.project) if candidate.round_number < number],
        needed_before=round(needed[before]) if before in needed else None,
        last=answered_in(bench, before),
    )


def _recorded_scores(bench: Workbench, number: int) -> RoundScores | None:
    path = scores_path(bench.project.rounds_dir, number)
    with suppress(UnreadableScoresError):
        return read_scores(path) if path.is_file() else None
    return None


def _of_pool(missing: int) -> Iterator[str]:
    if missing:
        yield f"{missing:,} samples that it asked among cannot be looked at any more, or were decided otherwise"


def _of_metrics(refit: _Refit, info: RoundInfo, query: Query) -> Iterator[str]:
    noted = {(m.name, m.class_index): m.value for m in refit.metrics if m.round_number == info.number}
    if query.labels != info.labels:
        yield f"{info.labels:,} labels were noted, and {query.labels:,} are there to fit on"
    for one in metrics_of(query):
        then = noted.get((one.name, one.class_index))
        of_class = "" if one.class_index is None else f" of class {one.class_index}"
        if then is None or not math.isclose(then, one.value, **SAME):
            was = "was not noted" if then is None else f"was {then:.6g}"
            yield f"{one.name}{of_class} {was}, and is {one.value:.6g} fitted again"


def _of_scores(refit: _Refit, query: Query, recorded: RoundScores | None) -> Iterator[str]:
    if query.pool_scores is None or recorded is None:
        if (query.pool_scores is None) != (recorded is None):
            yield "its scores are not there, or cannot be read" if recorded is None else "it has scores without a model"
        return
    path = scores_path(refit.folder, query.round_number)
    write_scores(path, query.pool_scores, acquisition=query.acquisition)  # rounded as those on disk are
    again = read_scores(path)
    if set(again.sample_ids.tolist()) != set(recorded.sample_ids.tolist()):
        yield f"{len(recorded):,} samples were scored, and {len(again):,} are fitted again"
        return
    order, then = np.argsort(again.sample_ids), np.argsort(recorded.sample_ids)
    others = int((again.predicted_N[order] != recorded.predicted_N[then]).sum())
    if others:
        yield f"{others:,} of {len(again):,} samples are answered otherwise"
    for name, measured in recorded.measures.items():
        furthest = float(np.abs(again.measures[name][order] - measured[then]).max(initial=0.0))
        if furthest > SAME["abs_tol"] + SAME["rel_tol"] * float(np.abs(measured).max(initial=0.0)):
            yield f"{name} differs by up to {furthest:.3g}"


def _of_ranking(
    noted: list[QueryInfo], info: RoundInfo, query: Query, split: set[int]
) -> tuple[list[str], tuple[str, ...]]:
    """What differs in the order of the questions; a ranking that was made anew after labels is another one."""
    seen = info.labels if query.asked_by is not None else None
    replaced = sum(line.purpose == "train" and line.predictor_labels != seen for line in noted)
    if replaced:
        which = f"{replaced:,} of its {len(noted):,} questions came in otherwise"
        why = "chosen anew after a label, or waiting for another person"
        return [], (f"{which} ({why}), so their order is not compared",)
    lines = sorted(noted, key=lambda line: line.rank)
    then = [(line.sample_id, line.purpose) for line in lines if line.sample_id not in split]
    again = [(ranked.sample_id, ranked.purpose) for ranked in query.ranking if ranked.sample_id not in split]
    moved = len(noted) - len(then)
    about = f"{moved:,} of its {len(noted):,} questions are about samples of a class that was split"
    notes = (f"{about}, so the order of the others alone is compared",) if moved else ()
    wrong = next((place for place, pair in enumerate(zip(then, again, strict=False)) if pair[0] != pair[1]), None)
    if wrong is not None:
        return [
            f"question {wrong + 1} was sample {then[wrong][0]}, and is sample {again[wrong][0]} fitted again"
        ], notes
    if len(then) != len(again):
        return [f"{len(then):,} questions were asked, and {len(again):,} are fitted again"], notes
    return [], notes
