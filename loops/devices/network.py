"""A predictor on several devices: Lightning's `fit` of large fits, and its `predict` of large passes, tile by tile.

python -m loops.devices.network FOLDER     takes part in what `FOLDER/job.json` describes
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.utilities import move_data_to_device  # type: ignore[import-untyped]
from lightning_fabric.utilities.rank_zero import rank_zero_only  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray

from loops.checkpoint import AtomicCheckpointIO, checkpoint_at
from loops.devices.processes import (
    Devices,
    EndWithParent,
    Job,
    TileWriter,
    Watcher,
    backbone_in,
    predict_share,
    read_job,
    share_cores,
)
from loops.embeddings.features import FeatureStore
from loops.errors import PassFailedError
from loops.frozen import Trainer
from loops.oracle import PoolScores
from loops.predictors.batches import PoolBatches
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec

MODULE = "loops.devices.network"
_BEFORE, _FITTED = "model.ckpt", "fitted.ckpt"


class DistributedNetwork(Network):
    """A predictor whose large fits and passes run on several devices.

    A pass gives the numbers of one device. A fit takes no more steps than on one, each over a batch of every process,
    so an epoch sees so many times as many labels: that is for fits of which one device's epoch sees a part only.

    Args:
        devices: On what.
        *given: Of `Network`.
        **named: Of `Network`; of the callbacks, those that are a `Watcher` hear of other processes.
    """

    def __init__(self, *given: Any, devices: Devices, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*given, **named)
        self._devices = devices
        self._round_number: int | None = None  # of the pass; None: it predicts

    def _arguments(self, fold: int | None) -> dict[str, Any]:
        return {**super()._arguments(fold), "devices": self._devices}

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Fits on all labels; see `Network.fit`.

        Raises:
            PassFailedError: If a process did not end well.
        """
        if not self._pays(labels):
            super().fit(labels, round_number=round_number, checkpoint_dir=checkpoint_dir)
            return
        with self._devices.new_pass() as folder:
            job = self._describe() | {"fit": round_number, "checkpoints": str(checkpoint_dir) if checkpoint_dir else ""}
            (folder / "labels.json").write_text(json.dumps([list(pair) for pair in sorted(labels.items())]))
            self._devices.run(folder, MODULE, job, lambda: self._tell_epochs(folder))
            fitted = checkpoint_at(folder / _FITTED)
            self.load(fitted.path, sha256=fitted.sha256, size=fitted.size)

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """Scores every sample by MC dropout; see `Network.score`."""
        self._round_number = round_number
        try:
            return super().score(sample_ids, round_number=round_number)
        finally:
            self._round_number = None

    def _pays(self, labels: Mapping[int, int]) -> bool:
        """Whether more processes make a better model.

        Not of layers that thaw: `ddp` averages the gradients of what can be trained when it begins, and would let the
        others drift apart. Not of a head over features, which is fitted before they have begun.
        """
        return (
            self._devices.add_up
            and self.store.backbone.is_pixels
            and len(labels) > self.spec.max_steps_per_epoch * self.spec.batch_size
            and (self._reset_weights or self._classifier is None)
        )

    def _predict(self, model: pl.LightningModule, ids: NDArray[np.int64]) -> list[Any]:
        if len(ids) < self._devices.least:
            return super()._predict(model, ids)
        size, tiles = self.spec.score_batch_size, range(0, len(ids), self.spec.score_batch_size)

        def tell() -> None:
            done = min(len(ids), size * len(list(folder.glob("*.pt"))))
            for watcher in self._watchers():
                watcher.on_devices_samples(done, len(ids))

        with self._devices.new_pass() as folder:
            saved = self.save(folder / _BEFORE, {})
            job = self._describe() | {"round": self._round_number, "sha256": saved.sha256, "size": saved.size}
            np.save(folder / "ids.npy", ids)
            self._devices.run(folder, MODULE, job, tell)
            try:
                return [torch.load(folder / f"{start // size}.pt", weights_only=True) for start in tiles]
            except FileNotFoundError as error:
                raise PassFailedError("a part of the pool came back without scores") from error

    def _describe(self) -> Job:
        """What each process needs in order to make the same predictor."""
        return {
            "spec": asdict(self.spec),
            "store": str(self.store.folder),
            "backbone": asdict(self.store.backbone),
            "rows": len(self.store),
            "predictor": {"num_classes": self.num_classes, "seed": self._run_seed, "mc_iterations": self.mc_iterations},
        }

    def _tell_epochs(self, folder: Path) -> None:
        done = len(list(folder.glob("*.epoch")))
        for watcher in self._watchers():
            watcher.on_devices_epoch(done, self.spec.epochs)

    def _watchers(self) -> list[Watcher]:
        return [callback for callback in self._callbacks if isinstance(callback, Watcher)]


class _Part(Network):
    """A predictor that fits together with those of other processes."""

    def __init__(self, job: Job, store: FeatureStore, callbacks: Sequence[pl.Callback]) -> None:
        super().__init__(NetworkSpec(**job["spec"]), store, callbacks=lambda _fold: callbacks, **job["predictor"])
        self._job = job
        self._processes = job["devices"] * job["num_nodes"]

    def _trainer(self, callbacks: Sequence[pl.Callback]) -> Trainer:
        return Trainer(
            accelerator=self._job["accelerator"],
            max_epochs=self.spec.epochs,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            devices=self._job["devices"],
            num_nodes=self._job["num_nodes"],
        )


class _NoteEpochs(pl.Callback):
    """A file for each epoch that has ended, which the trainer's process counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Notes it, and on the way to a resumed fit's first epoch those before it."""
        if trainer.is_global_zero:
            for epoch in range(trainer.current_epoch + 1):
                (self._folder / f"{epoch}.epoch").touch()


def take_part(folder: Path) -> None:
    """This process's share of a fit or a pass, and on each machine the start of the others."""
    job = read_job(folder)
    store = FeatureStore(Path(job["store"]), backbone_in(job), first=job["rows"])
    (_fit_part if "fit" in job else _score_part)(folder, job, store)


def _fit_part(folder: Path, job: Job, store: FeatureStore) -> None:
    share_cores(job)
    labels = dict(json.loads((folder / "labels.json").read_text()))
    predictor = _Part(job, store, [_NoteEpochs(folder), EndWithParent()])
    checkpoints = Path(job["checkpoints"]) if job["checkpoints"] else None
    predictor.fit(labels, round_number=job["fit"], checkpoint_dir=checkpoints)
    rank_zero_only(predictor.save)(folder / _FITTED, {})


def _score_part(folder: Path, job: Job, store: FeatureStore) -> None:
    predictor = Network(NetworkSpec(**job["spec"]), store, **job["predictor"])
    predictor.load(folder / _BEFORE, sha256=job["sha256"], size=job["size"])
    ids = np.load(folder / "ids.npy")
    batches = PoolBatches(store, ids, batch_size=predictor.spec.score_batch_size)
    predict_share(
        job, predictor.model_of_pass(len(ids), job["round"]), batches.loader(), TileWriter(folder, ".pt", _write)
    )


def _write(prediction: Any, path: Path) -> None:  # noqa: ANN401
    torch.save(move_data_to_device(prediction, torch.device("cpu")), path)


if __name__ == "__main__":
    take_part(Path(sys.argv[1]))
