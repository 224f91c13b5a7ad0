"""Whatever draws random numbers in a fit, and wherever: killed and resumed, a run equals one that was left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate

from loops import ActiveLearningDataModule, ActiveLearningLoop
from tests.loops.attached import QUIET, Classifier, Killed, KilledAt, a_trainer, blobs, equal, weights_of

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]


def noisy(x: Tensor) -> Tensor:
    return x + 0.1 * torch.randn_like(x)


class InCollate(pl.LightningDataModule):
    """Distorts whole batches, as Flash's transforms and mixup do."""

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(blobs(30), batch_size=3, collate_fn=self.collate)

    def collate(self, samples: list[Any]) -> list[Tensor]:
        rows, labels = default_collate(samples)
        return [noisy(rows), labels]


class InTransfer(Classifier):
    """Distorts on the device, as Kornia does."""

    def on_after_batch_transfer(self, batch: Any, _dataloader_idx: int) -> Any:
        return [noisy(batch[0]), batch[1]] if self.training else batch


class InEpochStart(Classifier):
    def on_train_epoch_start(self) -> None:
        self.scale = torch.rand(1)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return super().training_step([batch[0] * self.scale, batch[1]], batch_idx)


class InValidation(Classifier):
    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[float] = []

    def validation_step(self, _batch: Any, _batch_idx: int) -> None:
        self.drawn.append(torch.rand(()).item())


class InForward(Classifier):
    """In evaluation too, as a variational encoder does."""

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x + torch.randn_like(x))


def a_run(folder: Path, module: pl.LightningModule, dataset: Any, *, kill: int = 10**6, resume: bool = False) -> Any:
    trainer = a_trainer(folder, callbacks=(KilledAt(kill),), val_check_interval=1)  # a validation after each batch
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    validated = {"val": blobs(3, 2)} if isinstance(module, InValidation) else {}
    data = ActiveLearningDataModule(
        dataset, query_size=6, acquisition="bald", batch_size=3, test=blobs(12, 1), **validated
    )
    trainer.fit(module, data, ckpt_path="last" if resume else None)
    return loop.curve, list(loop._oracle.answered.items())  # type: ignore[union-attr]


def begun(kind: Callable[[], Any], seed: int) -> Any:
    """A module of a process that began with that seed."""
    torch.manual_seed(seed)
    return kind()


@pytest.mark.filterwarnings("ignore:You have overridden `on_after_batch_transfer`:UserWarning")
@pytest.mark.parametrize("kill", [2, 5])
@pytest.mark.parametrize(
    ("kind", "dataset"),
    [(Classifier, InCollate), (InTransfer, None), (InEpochStart, None), (InForward, None), (InValidation, None)],
)
def test_what_is_drawn_follows_from_seed_round_epoch_and_batch(
    tmp_path: Path, kind: Callable[[], Any], dataset: Callable[[], Any] | None, kill: int
) -> None:
    whole, killed, resumed = begun(kind, 0), begun(kind, 0), begun(kind, 9)
    samples = blobs(30) if dataset is None else dataset()
    found = a_run(tmp_path / "whole", whole, samples)
    with pytest.raises(Killed):
        a_run(tmp_path / "killed", killed, samples, kill=kill)
    assert a_run(tmp_path / "killed", resumed, samples, resume=True) == found
    assert equal(weights_of(resumed), weights_of(whole))
    if isinstance(resumed, InValidation):
        assert resumed.drawn == whole.drawn[-len(resumed.drawn) :]
