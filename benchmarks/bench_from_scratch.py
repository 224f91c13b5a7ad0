"""The MNIST example of the loops written from scratch: `FitLoop` around `TrainingEpochLoop`, without a Trainer.

python benchmarks/bench_from_scratch.py --npz mnist.npz     MNIST, Keras' file format
python benchmarks/bench_from_scratch.py                     the digits of sample_data
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from loops.fit import FitLoop, TrainingEpochLoop

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"


def main() -> None:
    """Trains a small network for some epochs and prints its test accuracy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npz", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train, test = from_npz(options.npz) if options.npz else from_digits()
    torch.manual_seed(options.seed)
    pixels = train.tensors[0][0].numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    epoch_loop = TrainingEpochLoop(
        Fabric(accelerator="auto", devices=1),
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), 1e-3),
        dataloader=DataLoader(train, batch_size=64, shuffle=True),
        loss=cross_entropy,
        seed=options.seed,
    )
    started = time.perf_counter()
    FitLoop(epoch_loop, max_epochs=options.epochs).run()
    seconds = time.perf_counter() - started
    images, labels = (tensor.to(next(model.parameters()).device) for tensor in test.tensors)
    with torch.no_grad():
        accuracy = (model.eval()(images).argmax(1) == labels).float().mean().item()
    print(f"{options.epochs} epochs of {len(train)} images: test accuracy {accuracy:.2%}, {seconds:.1f} s")


def cross_entropy(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The loss of a batch of (images, class indices)."""
    images, labels = batch
    return nn.functional.cross_entropy(model(images), labels)


def from_npz(path: Path) -> tuple[TensorDataset, TensorDataset]:
    """Training and test set of a file in Keras' MNIST format."""
    with np.load(path) as data:
        return tuple(dataset(data[f"x_{split}"], data[f"y_{split}"]) for split in ("train", "test"))


def from_digits() -> tuple[TensorDataset, TensorDataset]:
    """The sample data's pool, labels and all, and its test set."""
    with (DIGITS / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    splits = ([row for row in rows if row["path"].startswith(f"{split}/")] for split in ("pool", "test"))
    return tuple(
        dataset(
            np.stack([np.asarray(Image.open(DIGITS / row["path"])) for row in split]),
            np.array([int(row["label"]) for row in split]),
        )
        for split in splits
    )


def dataset(images: np.ndarray, labels: np.ndarray) -> TensorDataset:
    """Pixels from 0 to 1, and class indices."""
    return TensorDataset(torch.from_numpy(images / 255).float(), torch.from_numpy(labels).long())


if __name__ == "__main__":
    main()
