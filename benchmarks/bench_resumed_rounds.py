"""Kills an attached run at random batches with SIGKILL, resumes it from `last.ckpt`, and compares with one left alone.

python benchmarks/bench_resumed_rounds.py --kills 30

Two rounds, each cross-validated in two folds, on samples that draw noise, with dropout, a schedule by epochs and
accumulated gradients; saved after every optimizer step. Compared to the last bit: weights, the folds' weights, what was
asked in which order, and the curve.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from loops import ActiveLearningDataModule, ActiveLearningLoop, KFoldLoop
from loops.checkpoint import AtomicCheckpointIO


class Noisy(Dataset):
    """Points around three corners, another noise in each epoch."""

    def __init__(self, count: int) -> None:
        self.targets = [i % 3 for i in range(count)]
        self.rows = torch.randn(count, 8, generator=torch.Generator().manual_seed(0))
        self.rows[torch.arange(count), torch.tensor(self.targets)] += 2

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> tuple[Tensor, int]:
        return self.rows[position] + 0.1 * torch.randn(8), self.targets[position]


class Module(pl.LightningModule):
    """Dropout, batch norm, a schedule, a logged loss."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: list[Tensor], _batch_idx: int) -> Tensor:
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def configure_optimizers(self) -> tuple[list, list]:
        optimizer = torch.optim.Adam(self.parameters(), 0.02)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.8)]


class PowerCut(pl.Callback):
    """Ends the process at a batch, counted over all folds and rounds, at a random moment of it."""

    def __init__(self, batch: int | None = None, moment: str = "") -> None:
        self.batch, self.moment, self.seen = batch, moment, 0

    def on_train_batch_start(self, *_: object) -> None:
        self.seen += 1
        self.end("start")

    def on_train_batch_end(self, *_: object) -> None:
        self.end("end")

    def end(self, moment: str) -> None:
        """No handler, no goodbye."""
        if self.seen == self.batch and moment == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)


def run(folder: Path, init: int, power: PowerCut) -> dict:
    """One script, started or started again."""
    torch.manual_seed(init)  # the weights of a script that is started again are others
    saving = pl.callbacks.ModelCheckpoint(str(folder), save_last=True, every_n_train_steps=1)
    trainer = pl.Trainer(
        max_epochs=3,
        accumulate_grad_batches=2,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[power, saving],
        plugins=[AtomicCheckpointIO()],
        accelerator="cpu",
    )
    folds = KFoldLoop(num_folds=2, wrapping=trainer.fit_loop)
    loop = ActiveLearningLoop(wrapping=folds, rounds=2)
    trainer.fit_loop = loop
    data = ActiveLearningDataModule(Noisy(120), query_size=20, acquisition="bald", test=Noisy(60), batch_size=4)
    resume = (folder / "last.ckpt").exists()
    trainer.fit(Module(), data, ckpt_path="last" if resume else None)
    return {
        "weights": trainer.lightning_module.state_dict(),
        "voters": folds.voters,
        "asked": list(loop._oracle.answered.items()),
        "curve": loop.curve,
        "batches": power.seen,
    }


def in_a_child(act: Callable[[], None]) -> int:
    """Forks, so that nothing is imported twice; returns the exit status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a forked child must never return
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def to_its_end(folder: Path, out: Path, init: int) -> None:
    """Runs and writes what came of it."""
    torch.save(run(folder, init, PowerCut()), out)


def same(one: object, other: object) -> bool:
    """To the last bit."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def main() -> None:
    """Prints one line a kill, and how many were equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="whether it runs: two kills")
    options = parser.parse_args()
    if options.quick:
        options.kills = 2
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    moments = random.Random(options.seed)
    equal = 0
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name, "checkpoints"), Path(name, "out.pt")
        assert in_a_child(lambda: to_its_end(folder, out, 0)) == 0
        whole = torch.load(out)
        batches = whole.pop("batches")
        print(f"left alone: {batches} batches, curve {whole['curve']}")
        for kill in range(options.kills):
            shutil.rmtree(folder, ignore_errors=True)
            power = PowerCut(moments.randint(1, batches), moments.choice(["start", "end"]))
            assert in_a_child(lambda power=power: run(folder, 0, power)) == -signal.SIGKILL
            step = torch.load(folder / "last.ckpt")["global_step"] if (folder / "last.ckpt").exists() else None
            init = 1 + kill if step is not None else 0
            assert in_a_child(lambda init=init: to_its_end(folder, out, init)) == 0
            resumed = torch.load(out)
            again = resumed.pop("batches")
            is_equal = same(resumed, whole)
            equal += is_equal
            said = "equal" if is_equal else "DIFFERENT"
            print(
                f"kill {kill + 1}: batch {power.batch} ({power.moment}), {again} batches after it: {said}", flush=True
            )
    print(f"{equal} of {options.kills} equal to the last bit")
    sys.exit(equal < options.kills)


if __name__ == "__main__":
    main()
