"""A script whose rounds two processes fit together; each writes down what it saw.

python -m tests.loops.two_processes FOLDER whole|kill|resume|fail
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from loops import ActiveLearningDataModule, ActiveLearningLoop
from tests.loops.attached import Classifier, KilledAt, a_trainer, blobs


class Normed(Classifier):
    """With statistics that differ between the processes: each saw other batches."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))


class Seen(pl.Callback):
    """The rows of each fit."""

    def __init__(self) -> None:
        self.fits: list[list[float]] = []

    def on_train_start(self, *_: Any) -> None:
        self.fits.append([])

    def on_train_batch_start(self, _trainer: Any, _module: Any, batch: list[Tensor], _batch_idx: int) -> None:
        self.fits[-1] += batch[0].sum(1).tolist()


def main(folder: Path, how: str) -> None:
    """One process's part."""
    torch.set_num_threads(1)  # the first process may have been forked from one that had loaded it with more
    torch.manual_seed(9 if how == "resume" else 0)
    asked: list[list[int]] = []

    def oracle(ids: list[int]) -> list[int]:
        asked.append(ids)
        if how == "fail" and len(asked) == 2:
            raise RuntimeError("nobody is there")
        return [i % 3 for i in ids]

    seen = Seen()
    trainer = a_trainer(
        folder,
        callbacks=(seen, *([KilledAt(3)] if how == "kill" else [])),
        strategy="ddp",
        accelerator="cpu",
        devices=2,
    )
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    data = ActiveLearningDataModule(
        blobs(40),
        oracle=oracle,
        query_size=8,
        acquisition="bald",
        test=blobs(12, 1),
        batch_size=2,
    )
    module = Normed()
    trainer.fit(module, data, ckpt_path="last" if how == "resume" else None)
    found = {
        "asked": asked,
        "curve": loop.curve,
        "reason": loop.stop_reason,
        "fits": seen.fits,
        "weights": [weight.flatten().tolist() for weight in module.parameters()],
    }
    (folder / f"{trainer.global_rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
