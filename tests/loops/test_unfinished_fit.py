"""A fit goes on from every moment at which a checkpoint is saved, and equals one that was left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint, EarlyStopping, StochasticWeightAveraging
from pytorch_lightning.trainer.states import RunningStage
from torch import Tensor, nn

from loops import ActiveLearningDataModule, ActiveLearningLoop
from tests.loops.attached import QUIET, Classifier, Noisy, a_trainer, blobs, equal, weights_of

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]


class SavedAtEachMoment(Checkpoint):
    """When `ModelCheckpoint` may save, and last of all callbacks as that does."""

    def __init__(self, folder: Path | None) -> None:
        self.folder, self.saved = folder, 0

    def save(self, trainer: pl.Trainer, *_: Any) -> None:
        if self.folder is not None and trainer.state.stage != RunningStage.SANITY_CHECKING:
            trainer.save_checkpoint(self.folder / f"{self.saved:03d}.ckpt")
            self.saved += 1

    on_train_batch_end = on_validation_end = on_train_epoch_end = save


class Validated(Classifier):
    def validation_step(self, batch: Any, batch_idx: int) -> None:
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("val_loss", loss, batch_size=len(batch[0]))


class Plateau(Validated):
    """Looks at what was measured, by epoch or by step."""

    monitor, interval, frequency = "val_loss", "epoch", 1

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), self.learning_rate)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, threshold=0.2)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": schedule,
                "monitor": self.monitor,
                "interval": self.interval,
                "frequency": self.frequency,
            },
        }


class PlateauOfSteps(Plateau):
    monitor, interval = "train_loss_step", "step"


class PlateauOfTwoEpochs(Plateau):
    frequency = 2


class Normed(Validated):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


class WarmedUp(Validated):
    """Sets its learning rate by itself, in the optimizer that Lightning gives it."""

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.optimizers().param_groups[0]["lr"] = 0.01 * (1 + batch_idx)  # type: ignore[union-attr]
        return super().training_step(batch, batch_idx)


def averaging() -> pl.Callback:
    return StochasticWeightAveraging(0.1, swa_epoch_start=0.5, annealing_epochs=2)


def stopping() -> pl.Callback:
    return EarlyStopping("val_loss", patience=0, mode="max", check_on_train_epoch_end=True)


@pytest.mark.parametrize(
    ("kind", "callback", "options"),
    [
        (Validated, None, {"overfit_batches": 2}),
        (Plateau, None, {"val_check_interval": 1}),
        (PlateauOfSteps, None, {}),
        (PlateauOfTwoEpochs, None, {"limit_val_batches": 1}),
        (Validated, stopping, {}),
        (Validated, None, {"max_steps": 4, "max_epochs": -1}),
        (Validated, averaging, {}),
        (Normed, averaging, {}),
        (WarmedUp, None, {}),
    ],
)
def test_it_goes_on_from_each_moment_to_the_last_bit(
    tmp_path: Path, kind: type[Classifier], callback: Callable[[], pl.Callback] | None, options: dict[str, Any]
) -> None:
    def run(folder: Path | None = None, ckpt_path: str | None = None) -> tuple[Any, ...]:
        torch.manual_seed(0 if ckpt_path is None else 1)
        module, saving = kind(), SavedAtEachMoment(folder)
        callbacks = (saving,) if callback is None else (callback(), saving)
        trainer = a_trainer(callbacks=callbacks, **({"max_epochs": 3, "enable_checkpointing": True} | options))
        loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
        trainer.fit_loop = loop  # type: ignore[assignment]
        data = ActiveLearningDataModule(Noisy(30), query_size=6, batch_size=3, test=blobs(12, 1), val=blobs(6, 2))
        trainer.fit(module, data, ckpt_path=ckpt_path)
        return loop.curve, (trainer.current_epoch, trainer.global_step), weights_of(module)

    whole = run(tmp_path)
    saved = sorted(tmp_path.glob("*.ckpt"))
    for path in [*saved[::3], saved[-1]]:  # in turn after batches, validations and epochs
        resumed = run(ckpt_path=str(path))
        assert resumed[:2] == whole[:2], path.name
        assert equal(resumed[2], whole[2]), path.name


class Happened(pl.Callback):
    def __init__(self) -> None:
        self.what: list[str] = []

    def on_train_batch_end(self, *_: Any) -> None:
        self.what.append("batch")

    def on_validation_end(self, *_: Any) -> None:
        self.what.append("validation")


def happened(ckpt_path: str | None = None, *callbacks: pl.Callback, **options: Any) -> list[str]:
    seen = Happened()
    trainer = a_trainer(callbacks=(seen, *callbacks), enable_checkpointing=bool(callbacks), **options)
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=1)  # type: ignore[assignment]
    data = ActiveLearningDataModule(blobs(30), query_size=6, batch_size=3, val=blobs(6, 2))
    trainer.fit(Validated(), data, ckpt_path=ckpt_path)
    return seen.what


def test_a_round_of_so_many_steps_begins_with_a_batch() -> None:
    assert happened(max_epochs=-1, max_steps=2) == ["batch", "batch", "validation"]


def test_a_validation_comes_once_whether_it_was_before_the_kill_or_not(tmp_path: Path) -> None:
    options: dict[str, Any] = {"max_epochs": 1, "val_check_interval": 1}
    assert happened(None, SavedAtEachMoment(tmp_path), **options) == ["batch", "validation"] * 2
    after_batch, after_validation = (str(tmp_path / f"00{moment}.ckpt") for moment in (0, 1))
    assert happened(after_batch, **options) == ["validation", "batch", "validation"]
    assert happened(after_validation, **options) == ["batch", "validation"]
