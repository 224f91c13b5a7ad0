"""A Flash classification task on images, and the images, for every loop alike."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from loops.acquisition.choosing import random_ranking
from loops.frozen import ClassificationTask, FlashDataModule, RunningStage
from loops.seeding import seed_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from flash.core.data.io.input import DataKeys, Input

POOL, TEST, START, RATE = 600, 300, 20, 3e-3


@dataclass(frozen=True)
class Images:
    """What all loops are given."""

    pool: Tensor  # `[N, C, S, S]`, 0..1
    labels: list[int]
    test: Tensor
    test_labels: list[int]
    classes: int

    @classmethod
    def read(cls, folder: Path, side: int) -> Images:
        """The first images of pool and test set, as squares."""
        pool, test = (table(folder, split)[:count] for split, count in (("pool", POOL), ("test", TEST)))
        names = sorted({name for _, name in pool})
        labels, test_labels = ([names.index(name) for _, name in part] for part in (pool, test))
        return cls(pixels(pool, side), labels, pixels(test, side), test_labels, len(names))

    def accuracy(self, task: nn.Module) -> float:
        """On the test images, dropout off."""
        was = task.training
        with torch.no_grad():
            predicted = task.eval()(self.test).argmax(1)
        task.train(was)
        return (predicted == torch.tensor(self.test_labels)).float().mean().item()

    def dictionaries(self, split: str) -> list[dict]:
        """As Flash has samples."""
        found = (self.pool, self.labels) if split == "pool" else (self.test, self.test_labels)
        return [{DataKeys.INPUT: x, DataKeys.TARGET: y} for x, y in zip(*found, strict=True)]

    def data_module(self) -> FlashDataModule:
        """All the pool, labeled; each loop hides the labels from itself."""
        return FlashDataModule(
            Samples(RunningStage.TRAINING, self.dictionaries("pool"), self.classes), batch_size=16, num_workers=0
        )

    def first(self, seed: int) -> list[int]:
        """The places of the first labels, which our cold start draws and the other loops are given."""
        drawn = random_ranking(np.arange(len(self.labels)), START, seed_of(seed, "random", 0))
        return sorted(ranked.sample_id for ranked in drawn)

    def task(self, seed: int) -> Task:
        """That has learned nothing; of one seed every loop gets the same weights."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Task(self.pool.shape[1], self.pool.shape[2], self.classes)


def table(folder: Path, split: str) -> list[tuple[Path, str]]:
    """Paths and labels of a split; the sample digits have both splits in one table."""
    listed = folder / f"{split}.csv" if (folder / f"{split}.csv").exists() else folder / "labels.csv"
    with listed.open() as file:
        rows = [(folder / row["path"], row["label"]) for row in csv.DictReader(file)]
    return [row for row in rows if row[0].is_relative_to(folder / split)]


def pixels(rows: Sequence[tuple[Path, str]], side: int) -> Tensor:
    """Gray where the first image is, colored otherwise."""
    mode = "L" if Image.open(rows[0][0]).mode == "L" else "RGB"
    found = [np.atleast_3d(np.asarray(Image.open(path).convert(mode).resize((side, side)))) for path, _ in rows]
    return torch.from_numpy(np.stack(found) / 255).float().permute(0, 3, 1, 2).contiguous()


class Samples(Input):
    """As Flash's own inputs are written."""

    def load_data(self, samples: list[dict], classes: int) -> list[dict]:
        self.num_classes = classes
        return samples


class Task(ClassificationTask):
    """A backbone and a head with dropout, as in the demo."""

    def __init__(self, channels: int, side: int, classes: int) -> None:
        super().__init__(
            loss_fn=nn.functional.cross_entropy, num_classes=classes, optimizer="adam", learning_rate=RATE, metrics=[]
        )
        layers: list[nn.Module] = []
        width = 16
        while side > 4:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            channels, width, side = width, 2 * width, side // 2
        self.backbone = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(channels * side**2, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))

    def training_step(self, batch: Any, _batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self(batch[DataKeys.INPUT]), batch[DataKeys.TARGET])

    def predict_step(self, batch: Any, _batch_idx: int, dataloader_idx: int = 0) -> Any:  # noqa: ARG002 - Flash's name
        return {DataKeys.PREDS: torch.softmax(self(batch[DataKeys.INPUT]), 1)}
