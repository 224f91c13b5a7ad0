"""While nobody waits for a round: what would drawing labels at random have cost?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from app.project.certificates import read_chain
from app.project.scores import Predictions, read_predictions, scores_path
from app.trainer.measuring.cross_validation import InterruptCallback
from app.trainer.oracle import audit_labels
from app.trainer.workbench import Workbench
from loops.acquisition.catalog import RANDOM
from loops.certificate.auditor import uniform_audits
from loops.errors import CheckpointDamagedError, CheckpointMismatchError
from loops.evaluation.labels_saved import FEWEST_AUDITED, LabelsSaved, labels_saved
from loops.evaluation.shadow import Shadows
from loops.predictors.predictor import Predictor
from loops.seeding import hash_of_ids, seed_of
from storage.labels import CurrentLabel, current_labels
from storage.metrics import NewMetric, list_metrics
from storage.rounds import RoundInfo, add_metrics, list_rounds, open_round
from storage.sample_columns import SampleColumns

METRIC = "labels_random"  # drawn uniformly, for the accuracy of the round's model
EQUAL = "gain_at_equal_labels"  # of accuracy, of the first chosen labels over as many uniform ones
UNIFORM = "accuracy_uniform_{size}"  # of a shadow
ANSWERED_BEFOREHAND = 5_000  # audit samples
MOST_ANSWERS = 100_000  # of a model, for shadows to learn from and to be compared with


def measure_shadows(bench: Workbench, tick: Callable[[], None]) -> None:
    """Measures the open round once; shadows that were fitted for an earlier round are not fitted again.

    Args:
        bench: The project as it is now.
        tick: Called after every batch; raises `TrainingInterruptedError` when something more urgent is waiting.
    """
    round_info, current = measurable(bench, METRIC)
    if round_info is None or round_info.acquisition == RANDOM:
        return
    pool = bench.embedded_pool
    uniform = uniform_audits(audit_labels(current), read_chain(bench.project))
    audit, chosen = in_drawing_order(uniform, pool), in_given_order(current, pool)
    answers = _answers(bench, len(chosen))
    if len(audit) < FEWEST_AUDITED or answers is None:
        return
    bench.heartbeat.show("measuring", round_number=round_info.number)

    predictor = _load(bench, round_info, tick)
    if predictor is None:
        return
    rights_now_A = predictor.predict(list(audit)).argmax(axis=1) == np.array(list(audit.values()))
    shadows = Shadows(
        predictor.fresh,
        audit=audit,
        chosen=chosen,
        reserve=_first_of_reserve(bench, pool),
        seed=bench.settings.seed,
        folder=_folder(bench, predictor),
    )
    found = labels_saved(shadows, rights_now_A, answers=answers, pool_size=len(pool))
    if found is not None:
        with bench.database.write() as session:
            add_metrics(session, round_id=round_info.id, generation=bench.generation, metrics=_metrics(found))


def measurable(bench: Workbench, metric: str) -> tuple[RoundInfo | None, list[CurrentLabel]]:
    """The open round, if it has a model and not yet this metric, and the labels of its snapshot; else None and none."""
    with bench.database.read() as session:
        latest = open_round(session, project_id=bench.project_id)
        done = {measured.round_number for measured in list_metrics(session, project_id=bench.project_id, name=metric)}
        if latest is None or latest.checkpoint is None or latest.number in done:
            return None, []
        through = latest.snapshot_event_id
        return latest, current_labels(session, project_id=bench.project_id, through_event_id=through)


def _load(bench: Workbench, round_info: RoundInfo, tick: Callable[[], None]) -> Predictor | None:
    predictor = bench.predictor(lambda _fold: [InterruptCallback(tick)])
    path = bench.project.folder / str(round_info.checkpoint)
    try:
        predictor.load(path, sha256=str(round_info.checkpoint_sha256), size=round_info.checkpoint_bytes or 0)
    except (CheckpointDamagedError, CheckpointMismatchError):
        return None  # the next round's resumption reports a damaged one; another predictor was chosen meanwhile
    predictor.review({}, pool=bench.embedded_pool.ids, begins=True)
    return predictor


def in_drawing_order(labels: Mapping[int, int], pool: SampleColumns) -> dict[int, int]:
    """Audit labels of the pool, those drawn first before the others."""
    audited = pool.where(np.isin(pool.ids, list(labels)))
    return {
        sample_id: labels[sample_id]
        for sample_id in audited.ids[np.lexsort((audited.ids, audited.audit_keys))].tolist()
    }


def in_given_order(current: Sequence[CurrentLabel], pool: SampleColumns) -> dict[int, int]:
    """Labels of the pool that are trained on, those given first before the others."""
    given = {
        label.sample_id: label.class_index
        for label in sorted(current, key=lambda label: label.event_id)
        if label.purpose != "audit" and label.class_index is not None
    }
    known = set(pool.ids[np.isin(pool.ids, list(given))].tolist())
    return {sample_id: class_index for sample_id, class_index in given.items() if sample_id in known}


def _first_of_reserve(bench: Workbench, pool: SampleColumns) -> list[int]:
    """Those that the audit draws first: shadows answer for them beforehand, and are not fitted again for each."""
    reserve = pool.where(pool.audit_keys < bench.settings.audit_share)
    first = np.argsort(reserve.audit_keys, kind="stable")[:ANSWERED_BEFOREHAND]
    return [int(sample_id) for sample_id in reserve.ids[first]]


def _answers(bench: Workbench, labels: int) -> dict[int, int] | None:
    """Predictions of the pool by the first round with half as many labels; the same ones until labels double."""
    wanted = 2 ** int(np.log2(max(1, labels)))
    with bench.database.read() as session:
        rounds = list_rounds(session, project_id=bench.project_id)
    for round_info in rounds:
        path = scores_path(bench.project.rounds_dir, round_info.number)
        found = read_predictions(path) if round_info.labels >= wanted else None
        if found is not None:
            return _some(bench, found)
    return None


def _some(bench: Workbench, found: Predictions) -> dict[int, int]:
    """As many answers as shadows may learn, drawn by sample id, as `Shadows.disagreements` draws them."""
    drawn = np.argsort(hash_of_ids(found.sample_ids, seed_of(bench.settings.seed, "answers")))[:MOST_ANSWERS]
    return dict(zip(found.sample_ids[drawn].tolist(), found.predicted_N[drawn].tolist(), strict=True))


def _folder(bench: Workbench, predictor: Predictor) -> Path:
    """Predictions of one kind of predictor; another kind is fitted anew."""
    kind = hashlib.sha256(f"{predictor.fingerprint} {bench.spec}".encode()).hexdigest()[:12]
    return bench.project.rounds_dir / "shadows" / f"{predictor.describe().name.replace(':', '-')}-{kind}"


def _metrics(found: LabelsSaved) -> list[NewMetric]:
    return [
        NewMetric(METRIC, found.wanted, found.low, found.high, found.audited),
        NewMetric(
            EQUAL, found.equal.chosen - found.equal.uniform, found.equal.low, found.equal.high, found.equal.labels
        ),
        *(
            NewMetric(UNIFORM.format(size=point.labels), point.accuracy, point.low, point.high, found.audited)
            for point in found.uniform
        ),
    ]
