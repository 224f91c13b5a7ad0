"""What the examples have in common: the sample digits, and a small network in a plain `LightningModule`."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import TensorDataset

DIGITS = Path(__file__).parents[2] / "sample_data" / "digits"


def digits(split: str, count: int) -> TensorDataset:
    """The first images `[1, 8, 8]` of `pool` or `test`, 0..1, and their classes."""
    with (DIGITS / ("test.csv" if split == "test" else "labels.csv")).open() as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{split}/")][:count]
    images = np.stack([np.asarray(Image.open(DIGITS / row["path"]).convert("L").resize((8, 8))) for row in rows])
    return TensorDataset(
        torch.from_numpy(images[:, None] / 255).float(), torch.tensor([int(row["label"]) for row in rows])
    )


class Network(pl.LightningModule):
    """As Lightning's own documentation writes one; nothing in it knows of loops."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.01)


def trainer(epochs: int) -> pl.Trainer:
    """A quiet one."""
    return pl.Trainer(max_epochs=epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False)
