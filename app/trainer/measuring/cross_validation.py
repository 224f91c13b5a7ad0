"""While nobody waits for a round: cross-validate the labels there are, and look for the wrong ones among them."""

from __future__ import annotations

from collections.abc import Callable
from shutil import rmtree

from app.trainer.measuring.lure import lure_weighted_metric
from app.trainer.oracle import train_labels
from app.trainer.resuming import restored
from app.trainer.workbench import Workbench
from loops.cross_validation import CrossValidation
from loops.devices.processes import Watcher
from loops.errors import NotEnoughSamplesError
from loops.evaluation.label_errors import audit_labels
from storage.labels import CurrentLabel, current_labels
from storage.metrics import NewMetric, list_metrics
from storage.rounds import RoundInfo, add_metrics, latest_round
from storage.suspects import NewSuspect, replace_suspects

FEWEST_LABELS = 20  # below, the folds differ by more than the labels
NUM_FOLDS = 5
EQUAL = 0.5  # margin of a label: below, another class is likelier
METRIC = "accuracy_cross_validated"


class InterruptCallback(Watcher):
    """Calls a function again and again during a fit or a pass over samples; what it raises ends it."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick

    def on_train_batch_end(self, *_: object) -> None:
        """Gives way."""
        self._tick()

    def on_predict_batch_end(self, *_: object) -> None:
        """Gives way: to score a large pool takes longer than a fit."""
        self._tick()

    def on_devices_epoch(self, _done: int, _total: int) -> None:
        """Gives way."""
        self._tick()

    def on_devices_samples(self, _done: int, _total: int) -> None:
        """Gives way."""
        self._tick()


def due_round(bench: Workbench) -> RoundInfo | None:
    """The open round, if its labels are to be cross-validated and were not yet."""
    with bench.database.read() as session:
        latest = latest_round(session, project_id=bench.project_id)
        done = {metric.round_number for metric in list_metrics(session, project_id=bench.project_id, name=METRIC)}
    if not bench.settings.cross_validate or latest is None or latest.state != "open" or latest.checkpoint is None:
        return None
    return latest if latest.labels >= FEWEST_LABELS and latest.number not in done else None


def cross_validate(bench: Workbench, round_info: RoundInfo, tick: Callable[[], None]) -> None:
    """Cross-validates the labels of an open round; its accuracy and the suspected labels go to the database.

    Args:
        bench: The project as it is now.
        round_info: Whose labels.
        tick: Called after every batch; raises `TrainingInterruptedError` when something more urgent is waiting.
    """
    with bench.database.read() as session:
        current = current_labels(session, project_id=bench.project_id, through_event_id=round_info.snapshot_event_id)

    def callbacks(fold: int | None) -> list[InterruptCallback]:
        done = NUM_FOLDS if fold is None else fold
        bench.heartbeat.show("cross-validating", round_number=round_info.number, done=done, total=NUM_FOLDS)
        return [InterruptCallback(tick)]

    predictor = restored(bench, round_info, bench.predictor(callbacks))
    labels = train_labels(current)
    for sample_id in bench.store.missing(list(labels)).tolist():  # not embedded yet, or no longer
        del labels[sample_id]
    folder = bench.project.rounds_dir / f"{round_info.number:04d}" / "folds"
    try:
        result = predictor.cross_validate(labels, num_folds=NUM_FOLDS, round_number=round_info.number, folder=folder)
    except NotEnoughSamplesError:
        return
    rmtree(folder, ignore_errors=True)
    _store(bench, round_info, result, {label.sample_id: label for label in current})


def _store(bench: Workbench, round_info: RoundInfo, result: CrossValidation, given: dict[int, CurrentLabel]) -> None:
    """A label that nobody has looked at measures nothing, and is suspected wherever another class is likelier."""
    seen = result.only({sample_id for sample_id, label in given.items() if not label.unseen})
    suspects = [
        NewSuspect(
            sample_id=audited.sample_id,
            event_id=given[audited.sample_id].event_id,
            given_index=audited.label,
            suggested_index=audited.suggestion,
            suspicion=1.0 - audited.normalized_margin,
        )
        for audited in audit_labels(result)
        if audited.likely_wrong or (given[audited.sample_id].unseen and audited.normalized_margin < EQUAL)
    ]
    metrics = [NewMetric(METRIC, seen.accuracy, *seen.interval, len(seen.sample_ids))]
    lure_weighted = lure_weighted_metric(bench, seen)
    if lure_weighted is not None:
        metrics.append(lure_weighted)
    with bench.database.write() as session:
        add_metrics(session, round_id=round_info.id, generation=bench.generation, metrics=metrics)
        replace_suspects(session, round_id=round_info.id, generation=bench.generation, suspects=suspects)
