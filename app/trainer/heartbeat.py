"""What the trainer says of itself once a second, and how Lightning's callbacks feed it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence, Sized
from dataclasses import dataclass, field, replace
from typing import Any

import pytorch_lightning as pl

from loops.devices.processes import Watcher
from loops.errors import TrainingInterruptedError
from loops.predictors.batches import PoolBatches
from storage.engine import Database
from storage.trainer import beat

INTERVAL_S = 1.0


@dataclass(frozen=True)
class Activity:
    """What the trainer is doing, as the screens show it."""

    state: str = (
        "starting"  # starting | idle | embedding | training | scoring | cross-validating | measuring | failed | stopped
    )
    message: str = ""
    details: str = ""  # for those who want to know more of an idle trainer's model
    round_number: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    done: int | None = None  # samples embedded or scored
    total: int | None = None
    eta_s: float | None = None  # seconds left of this step


@dataclass
class Heartbeat:
    """Writes the trainer's activity to the database every second, and at once when the state changes.

    A thread, because the screens must see a trainer alive while it sits in one long step. If the thread fails, because
    a newer trainer has taken over, say, `failure` holds why and the trainer stops at its next step.
    """

    database: Database
    project_id: int
    generation: int
    device: str
    stop: threading.Event  # set: the trainer should end
    activity: Activity = Activity()
    failure: Exception | None = None
    _changed: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _step_started: float = 0.0

    def __enter__(self) -> Heartbeat:
        """Starts beating."""
        self._beat()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stops beating, with a last beat that says so."""
        self.stop.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()
        if self.failure is None:
            self.activity = Activity("stopped", self.activity.message)
            self._beat()

    def show(self, state: str, message: str = "", **fields: Any) -> None:  # noqa: ANN401 - the fields of Activity
        """Begins a step: replaces the whole activity and shows it at once."""
        self._step_started = time.monotonic()
        activity = Activity(state, message, **fields)
        if activity != self.activity:
            self.activity = activity
            self._changed.set()

    def say(self, message: str) -> None:
        """Changes the message within a step; shown at the next beat."""
        self.activity = replace(self.activity, message=message)

    def progress(self, done: int, total: int) -> None:
        """Counts within a step, with the time left at the pace so far.

        Raises:
            TrainingInterruptedError: If the trainer should end.
        """
        elapsed = time.monotonic() - self._step_started
        self.count(done, total, elapsed / done * (total - done) if done else None)

    def count(self, done: int, total: int, eta_s: float | None) -> None:
        """Counts within a step whose time left somebody else knows.

        Raises:
            TrainingInterruptedError: If the trainer should end.
        """
        self.activity = replace(self.activity, done=done, total=total, eta_s=eta_s)
        self.check(done, total)

    def epochs(self, epoch: int, epochs: int) -> None:
        """Counts the epochs of a fit, as `progress` counts samples."""
        elapsed = time.monotonic() - self._step_started
        self.activity = replace(self.activity, epoch=epoch, epochs=epochs, eta_s=elapsed / epoch * (epochs - epoch))

    def check(self, done: int, total: int) -> None:
        """Ends the step in the middle if the trainer should end.

        Raises:
            TrainingInterruptedError: If so.
        """
        if self.stop.is_set():
            raise TrainingInterruptedError(steps=done, wanted=total)

    def _run(self) -> None:
        while not self.stop.is_set():
            self._changed.wait(INTERVAL_S)
            self._changed.clear()
            try:
                self._beat()
            except Exception as error:  # noqa: BLE001 - kept, and raised again by the trainer's own thread
                self.failure = error
                self.stop.set()

    def _beat(self) -> None:
        fields = dict(vars(self.activity))
        details = fields.pop("details")
        if details:
            fields["message"] += f"\n{details}"
        with self.database.write() as session:
            beat(session, project_id=self.project_id, generation=self.generation, device=self.device, **fields)


class ProgressCallback(Watcher):
    """Feeds the heartbeat from a fit or a scoring pass, and ends either at the next batch when it should end.

    If other processes fit or score, five times a second instead.

    Args:
        heartbeat: Is fed.
        fold: That is left out of the fit, from 0; None: the fit is on all labels.
    """

    def __init__(self, heartbeat: Heartbeat, fold: int | None = None) -> None:
        self._heartbeat, self._fold = heartbeat, fold

    def on_fit_start(self, *_: object) -> None:
        """A fit on part of the labels begins, perhaps after another such one had its samples predicted."""
        if self._fold is not None:
            self._begin("training", done=self._fold + 1)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        """Looks whether to end."""
        self._heartbeat.check(trainer.global_step, max(trainer.max_steps, trainer.global_step))

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Counts the epoch."""
        self._heartbeat.epochs(trainer.current_epoch + 1, trainer.max_epochs or trainer.current_epoch + 1)

    def on_predict_start(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """A pass over samples begins: scoring the pool, or predicting the test set."""
        self._begin("scoring", done=0, total=sum(batches.num_samples for batches in _pool_batches(trainer)))

    def on_predict_batch_end(
        self,
        _trainer: pl.Trainer,
        _module: pl.LightningModule,
        _outputs: object,
        batch: Sequence[Sized],
        *_: object,
    ) -> None:
        """Counts the samples of the batch."""
        activity = self._heartbeat.activity
        self._heartbeat.progress((activity.done or 0) + len(batch[0]), activity.total or 0)

    def on_devices_epoch(self, done: int, total: int) -> None:
        """Counts the epochs of a fit in other processes."""
        activity = self._heartbeat.activity
        if done == 0 and self._fold is not None and (activity.state, activity.done) != ("training", self._fold + 1):
            self.on_fit_start()
        elif done > (activity.epoch or 0):
            self._heartbeat.epochs(done, total)
        self._heartbeat.check(done, total)

    def on_devices_samples(self, done: int, total: int) -> None:
        """Counts the samples of a pass in other processes."""
        if self._heartbeat.activity.state != "scoring":
            self._begin("scoring", done=0, total=total)
        self._heartbeat.progress(done, total)

    def _begin(self, state: str, **counts: int) -> None:
        before = self._heartbeat.activity
        self._heartbeat.show(state, before.message, round_number=before.round_number, **counts)


def _pool_batches(trainer: pl.Trainer) -> list[PoolBatches]:
    datasets = [loader.dataset for loader in trainer.predict_dataloaders or []]
    return [dataset for dataset in datasets if isinstance(dataset, PoolBatches)]
