"""A pass over a large pool on several devices or machines: Lightning's own `ddp`, in processes that live for one pass.

    python -m loops.devices FOLDER     takes part in the pass that `FOLDER/job.json` describes

The trainer itself stays one process: it starts the pass, counts the tiles that appear in the folder, and can end it.
Lightning starts a process for each device, gives each its share of the batches, and on several machines finds the
others by its usual variables `MASTER_ADDR`, `MASTER_PORT` and `NODE_RANK`. Fitting stays on one device: it sees the
labels only, which are some hundred rows.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.utilities import move_data_to_device  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray
from pytorch_lightning.callbacks import BasePredictionWriter

from loops.checkpoint import replace_file
from loops.embeddings.backbone import Backbone
from loops.embeddings.features import FeatureStore
from loops.errors import PassFailedError
from loops.frozen import Trainer
from loops.learners.batches import PoolBatches
from loops.learners.learner import Learner
from loops.learners.learner_spec import LearnerSpec
from loops.oracle import PoolScores

LEAST = 20_000  # samples; fewer are scored before other processes have begun
_LOOK_S = 0.2  # between two looks at the folder
_JOB = "job.json"


@dataclass(frozen=True)
class Devices:
    """On what a pass runs."""

    per_node: int  # processes of each machine; where there are GPUs, each has one
    nodes: int
    folder: Path  # that all machines see
    progress: Callable[[int, int], None] = lambda _done, _total: None  # samples; what it raises ends the pass
    least: int = LEAST
    accelerator: str = "auto"


class SpreadLearner(Learner):
    """A learner whose passes over many samples run on several devices; the same numbers come out.

    Args:
        devices: On what.
        *given: Of `Learner`.
        **named: Of `Learner`.
    """

    def __init__(self, *given: Any, devices: Devices, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*given, **named)
        self._devices = devices
        self._round_number: int | None = None  # of the pass; None: it predicts

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """Scores every sample by MC dropout; see `Learner.score`."""
        self._round_number = round_number
        try:
            return super().score(sample_ids, round_number=round_number)
        finally:
            self._round_number = None

    def _predict(self, model: pl.LightningModule, ids: NDArray[np.int64]) -> list[Any]:
        if len(ids) < self._devices.least:
            return super()._predict(model, ids)
        folder = self._devices.folder / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            self._describe(folder, ids)
            size = self.spec.score_batch_size
            _run(folder, self._environment(), lambda: self._devices.progress(_done(folder, size, len(ids)), len(ids)))
            return [torch.load(folder / f"{start // size}.pt", weights_only=True) for start in range(0, len(ids), size)]
        except FileNotFoundError as error:
            raise PassFailedError("a part of the pool came back without scores") from error
        finally:
            rmtree(folder, ignore_errors=True)

    def _describe(self, folder: Path, ids: NDArray[np.int64]) -> None:
        """Writes what the processes need; `job.json` last, for other machines wait for it."""
        saved = self.save(folder / "model.ckpt", {})
        np.save(folder / "ids.npy", ids)
        job = {
            "spec": asdict(self.spec),
            "store": str(self.store.folder),
            "backbone": asdict(self.store.backbone),
            "rows": len(self.store),
            "learner": {"num_classes": self.num_classes, "seed": self._seed, "mc_iterations": self._mc_iterations},
            "round_number": self._round_number,
            "sha256": saved.sha256,
            "size": saved.size,
            "devices": self._devices.per_node,
            "num_nodes": self._devices.nodes,
            "accelerator": self._devices.accelerator,
        }
        replace_file(folder / _JOB, json.dumps(job).encode())

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "NODE_RANK": "0"}


def _done(folder: Path, batch_size: int, samples: int) -> int:
    return min(samples, batch_size * len(list(folder.glob("*.pt"))))


class _TileWriter(BasePredictionWriter):
    """Each tile into a file of its own as soon as it is there; process r of W has the batches r, r + W, ..."""

    def __init__(self, folder: Path) -> None:
        super().__init__(write_interval="batch")
        self._folder = folder

    def write_on_batch_end(
        self,
        trainer: pl.Trainer,
        _module: pl.LightningModule,
        prediction: Any,  # noqa: ANN401
        _batch_indices: object,
        _batch: object,
        batch_idx: int,
        _dataloader_idx: int,
    ) -> None:
        """Writes it whole or not at all."""
        tile = batch_idx * trainer.world_size + trainer.global_rank
        on_cpu = move_data_to_device(prediction, torch.device("cpu"))
        torch.save(on_cpu, self._folder / f"{tile}.part")
        (self._folder / f"{tile}.part").replace(self._folder / f"{tile}.pt")

    def on_predict_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Waits for the other processes: when the first one ends, the pass is complete."""
        trainer.strategy.barrier("the last tile")


def follow(folder: Path, stop: threading.Event) -> None:
    """Takes part in every pass that another machine's trainer starts, until told to end.

    Args:
        folder: Where the passes lie, on a file system that all machines share.
        stop: Set: end, in the middle of a pass too.
    """
    seen = set[Path]()
    while not stop.wait(_LOOK_S):
        for job in set(folder.glob(f"*/{_JOB}")) - seen:
            seen.add(job)
            with suppress(PassFailedError, InterruptedError):  # the machine that started it says so
                _run(job.parent, dict(os.environ), lambda: _end_if(stop))


def _end_if(stop: threading.Event) -> None:
    if stop.is_set():
        raise InterruptedError


def _run(folder: Path, environment: dict[str, str], look: Callable[[], None]) -> None:
    """Runs this machine's share; what `look` raises ends it."""
    with (folder / f"node-{environment.get('NODE_RANK', 0)}.log").open("wb+") as log:
        command = [sys.executable, "-m", "loops.devices", str(folder)]
        # A session of its own, so that what Lightning starts beside it can be ended with it.
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            while process.poll() is None:
                time.sleep(_LOOK_S)
                look()
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines() or ["nothing"]
            raise PassFailedError(f"a process for scoring ended with {process.returncode} and said: {said[-1]}")


def take_part(folder: Path) -> None:
    """This process's share of a pass, and on each machine the start of the others."""
    job = json.loads((folder / _JOB).read_text())
    backbone = Backbone(**{**job["backbone"], "row_shape": tuple(job["backbone"]["row_shape"])})
    store = FeatureStore(Path(job["store"]), backbone, first=job["rows"])
    learner = Learner(LearnerSpec(**job["spec"]), store, **job["learner"])
    learner.load(folder / "model.ckpt", sha256=job["sha256"], size=job["size"])
    ids = np.load(folder / "ids.npy")
    batches = PoolBatches(store, ids, batch_size=learner.spec.score_batch_size)
    trainer = Trainer(
        accelerator=job["accelerator"],
        devices=job["devices"],
        num_nodes=job["num_nodes"],
        max_epochs=1,
        callbacks=[_TileWriter(folder), _EndWithParent()],
    )
    trainer.predict(learner.model_of_pass(len(ids), job["round_number"]), batches.loader(), keep=False)


class _EndWithParent(pl.Callback):
    """A process whose parent has gone has nobody to score for."""

    def __init__(self) -> None:
        self._parent = os.getppid()

    def on_predict_batch_end(self, *_: object) -> None:
        """Looks."""
        if os.getppid() != self._parent:
            os._exit(1)


if __name__ == "__main__":
    take_part(Path(sys.argv[1]))
