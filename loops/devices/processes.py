"""Fits and passes over a pool on several devices or machines: Lightning's own `ddp`, in processes that live for one.

The trainer itself stays one process: it starts them, looks at the files that appear in their folder, and can end them.
Lightning starts a process for each device, gives each its share, and on several machines finds the others by its usual
variables `MASTER_ADDR`, `MASTER_PORT` and `NODE_RANK`. Who fits and scores is in `loops.devices.network`, who embeds in
`loops.devices.embedding`. What pays is in docs/decisions/0018.
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
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import BasePredictionWriter

from loops.embeddings.backbone import Backbone
from loops.errors import PassFailedError
from loops.files import replace_file
from loops.frozen import Trainer

LEAST = 20_000  # samples; fewer are scored before other processes have begun
_LOOK_S = 0.2  # between two looks at the folder
_JOB = "job.json"

Job = dict[str, Any]  # what a pass is about, as JSON


@dataclass(frozen=True)
class Devices:
    """The machines and processes that a pass runs on."""

    per_node: int  # processes of each machine; where there are GPUs, each has one
    nodes: int
    folder: Path  # that all machines see
    least: int = LEAST  # samples of a pass
    accelerator: str = "auto"

    @property
    def processes(self) -> int:
        """How many there are on all machines."""
        return self.per_node * self.nodes

    @property
    def add_up(self) -> bool:
        """Whether they can do more than one process with all cores of one machine, even if they often meet."""
        return self.nodes > 1 or (self.accelerator != "cpu" and torch.cuda.is_available())

    @contextmanager
    def new_pass(self) -> Iterator[Path]:
        """A folder for one fit or pass, gone afterwards."""
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            rmtree(folder, ignore_errors=True)

    def run(self, folder: Path, module: str, job: Job, look: Callable[[], None]) -> None:
        """Runs a fit or a pass on all devices and machines.

        Args:
            folder: Of `new_pass`, with all that the processes need.
            module: Is run in each process, as `python -m module folder`.
            job: What it finds in `job.json`, besides the devices.
            look: Called again and again; what it raises ends the pass.

        Raises:
            PassFailedError: If a process did not end well.
        """
        on = {"devices": self.per_node, "num_nodes": self.nodes, "accelerator": self.accelerator}
        # Last, for other machines wait for it.
        replace_file(folder / _JOB, json.dumps({**job, **on, "module": module}).encode())
        _run(folder, module, {**os.environ, "NODE_RANK": "0"}, look)


def read_job(folder: Path) -> Job:
    """What a pass is about."""
    job: Job = json.loads((folder / _JOB).read_text())
    return job


def share_cores(job: Job) -> None:
    """Leaves the cores of this machine to all processes of the job: together they would ask for more than there are."""
    torch.set_num_threads(max(1, torch.get_num_threads() // job["devices"]))


class Watcher(pl.Callback):
    """A callback that hears of fits and passes in other processes too; what it raises ends them."""

    def on_devices_epoch(self, done: int, total: int) -> None:
        """Epochs of a fit; called again and again, before the first has ended too."""

    def on_devices_samples(self, done: int, total: int) -> None:
        """Samples of a pass; likewise."""


def backbone_in(job: Job) -> Backbone:
    """The backbone that `asdict` wrote into a job."""
    return Backbone(**{**job["backbone"], "row_shape": tuple(job["backbone"]["row_shape"])})


class TileWriter(BasePredictionWriter):
    """Each tile into a file of its own as soon as it is there; process r of W has the batches r, r + W, ...

    Args:
        folder: Of the pass.
        ending: Of the files; each is named by its place among all batches.
        write: Writes what the module predicted of a batch.
    """

    def __init__(self, folder: Path, ending: str, write: Callable[[Any, Path], None]) -> None:
        super().__init__(write_interval="batch")
        self._folder, self._ending, self._write = folder, ending, write

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
        part = self._folder / f"{tile}.part"
        self._write(prediction, part)
        part.replace(part.with_suffix(self._ending))

    def on_predict_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Waits for the other processes: when the first one ends, the pass is complete."""
        trainer.strategy.barrier("the last tile")


def predict_share(job: Job, module: pl.LightningModule, batches: Any, writer: TileWriter) -> None:  # noqa: ANN401
    """This process's share of a pass, and on each machine the start of the others."""
    share_cores(job)
    trainer = Trainer(
        accelerator=job["accelerator"],
        devices=job["devices"],
        num_nodes=job["num_nodes"],
        max_epochs=1,
        callbacks=[writer, EndWithParent()],
        fits=False,
    )
    trainer.predict(module, batches, keep=False)


class EndWithParent(pl.Callback):
    """A process whose parent has gone has nobody to work for."""

    def __init__(self) -> None:
        self._parent = os.getppid()

    def on_predict_batch_end(self, *_: object) -> None:
        """Looks."""
        self._look()

    def on_train_batch_end(self, *_: object) -> None:
        """Looks."""
        self._look()

    def _look(self) -> None:
        if os.getppid() != self._parent:
            os._exit(1)


def follow(folder: Path, modules: Collection[str], stop: threading.Event) -> None:
    """Takes part in every fit and pass that another machine's trainer starts, until told to end.

    Args:
        folder: Where the passes lie, on a file system that all machines share.
        modules: What may be run; who can write into the folder should not be able to run anything else.
        stop: Set: end, in the middle of a pass too.
    """
    seen = set[Path]()
    while not stop.wait(_LOOK_S):
        for job in set(folder.glob(f"*/{_JOB}")) - seen:
            seen.add(job)
            # The machine that started it says what failed, and its folder is gone when the pass is over.
            with suppress(PassFailedError, InterruptedError, FileNotFoundError):
                module = read_job(job.parent)["module"]
                if module in modules:
                    _run(job.parent, module, dict(os.environ), lambda: _end_if(stop))


def _end_if(stop: threading.Event) -> None:
    if stop.is_set():
        raise InterruptedError


def _run(folder: Path, module: str, environment: dict[str, str], look: Callable[[], None]) -> None:
    """Runs this machine's share; what `look` raises ends it."""
    with (folder / f"node-{environment.get('NODE_RANK', 0)}.log").open("wb+") as log:
        command = [sys.executable, "-m", module, str(folder)]
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
            raise PassFailedError(f"a process of a pass ended with {process.returncode} and said: {said[-1]}")
