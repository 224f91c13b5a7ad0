"""Modules and Trainers for the tests of attached loops, small enough to be fitted in a blink."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import Dataset, TensorDataset

CLASSES = 3


def blobs(count: int, seed: int = 0) -> TensorDataset:
    """Points around three corners; the class of sample i is i % 3."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    rows = torch.randn(count, 4, generator=generator) + 3 * nn.functional.one_hot(labels, 4)
    return TensorDataset(rows, labels)


class Noisy(Dataset[Any]):
    """Blobs with noise from each of the generators that people draw from."""

    def __init__(self, count: int) -> None:
        self._blobs = blobs(count)

    def __len__(self) -> int:
        return len(self._blobs)

    def __getitem__(self, position: int) -> tuple[Tensor, int]:
        row, label = self._blobs[position]
        noise = 0.1 * torch.randn(4) + 0.1 * float(np.random.normal())  # noqa: NPY002
        return row + noise, int(label)


class Classifier(pl.LightningModule):
    """As somebody writes it in an afternoon: dropout, a schedule, a logged loss."""

    def __init__(self, learning_rate: float = 0.05) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, CLASSES))
        self.learning_rate = learning_rate

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=True, on_epoch=True, batch_size=len(batch[0]))
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), self.learning_rate)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.9)]


class Killed(BaseException):
    """The power went off."""


class KilledAt(pl.Callback):
    """Ends the run at a batch, counted over all fits."""

    def __init__(self, batch: int) -> None:
        self.batch, self.seen = batch, 0

    def on_train_batch_start(self, *_: object) -> None:
        self.seen += 1
        if self.seen > self.batch:
            raise Killed


def a_trainer(folder: Path | None = None, *, callbacks: tuple[pl.Callback, ...] = (), **options: Any) -> pl.Trainer:
    """A quiet Trainer; with a folder it saves `last.ckpt` there after every optimizer step."""
    saving = [] if folder is None else [ModelCheckpoint(str(folder), save_last=True, every_n_train_steps=1)]
    return pl.Trainer(
        **{
            "max_epochs": 2,
            "logger": False,
            "enable_checkpointing": folder is not None,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "callbacks": [*callbacks, *saving],
            "num_sanity_val_steps": 0,
        }
        | options
    )


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """A copy."""
    return {name: weight.detach().clone() for name, weight in module.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """To the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


QUIET = (
    "ignore:The dataloader, .*, does not have many workers:UserWarning",
    "ignore:The number of training batches:UserWarning",
    "ignore:You're resuming from a checkpoint that ended:UserWarning",
    "ignore:Detected call of `lr_scheduler.step:UserWarning",
    "ignore:Checkpoint directory .* exists and is not empty:UserWarning",
    "ignore:You defined a `validation_step` but have no:UserWarning",
)
