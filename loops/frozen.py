"""The only door to Flash and BaaL, both of which are frozen projects.

What they get right is used: Flash's classification task, trainer and fine-tuning strategies, BaaL's layer patching and
its heuristics as a yardstick. What they warn of on import is silenced here, message by message; nothing else is.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from loops.seeding import seed_of
from loops.training_samples import Source

_IMPORT_WARNINGS = (
    (r"In the future `np\.", FutureWarning),  # flash/__init__.py patches numpy
    (r"`structlog\.threadlocal` is deprecated", DeprecationWarning),  # baal/utils/log_configuration.py
    (r"Deprecated call to `pkg_resources", DeprecationWarning),
    (r"pkg_resources is deprecated", UserWarning),
)
_TRAINER_WARNINGS = (
    (r"The dataloader, .*, does not have many workers", UserWarning),  # the samples are in memory already
    (r"The number of training batches", UserWarning),
    (r"Detected call of `lr_scheduler\.step\(\)` before", UserWarning),  # after a resume, Lightning 1.9 on torch 2
    (r"You're resuming from a checkpoint that ended before", UserWarning),
    (r"You defined a `validation_step` but have no", UserWarning),  # Flash's task defines all steps
    (r"Lightning couldn't infer the indices fetched", UserWarning),  # each batch brings its sample ids
    (r"The provided params to be frozen already exist", UserWarning),  # batch norms train from the first epoch
    (r"Detected KeyboardInterrupt", UserWarning),  # the predictor raises
    (r"GPU available but not used", UserWarning),  # the caller said so
)


@contextmanager
def _silenced(messages: Sequence[tuple[str, type[Warning]]]) -> Iterator[None]:
    with warnings.catch_warnings():
        for message, category in messages:
            warnings.filterwarnings("ignore", message, category)
        yield


def trainer_warnings_silenced() -> AbstractContextManager[None]:
    """What Lightning's Trainer warns of although nothing is wrong, and nobody at a screen can act on."""
    return _silenced(_TRAINER_WARNINGS)


with _silenced(_IMPORT_WARNINGS):
    from baal.active import heuristics
    from baal.active.heuristics import AbstractHeuristic
    from baal.bayesian.common import replace_layers_in_module
    from baal.bayesian.weight_drop import WeightDropLinear
    from flash import DataModule as FlashDataModule
    from flash import RunningStage
    from flash import Trainer as FlashTrainer
    from flash.core.classification import ClassificationTask
    from flash.core.data.io.input_transform import (
        InputTransform,
        create_device_input_transform_processor,
        create_or_configure_input_transform,
        create_worker_input_transform_processor,
    )
    from flash.core.finetuning import FlashBaseFinetuning

logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # "GPU available: False", once per fit


def heuristic_of(found: Any) -> AbstractHeuristic | None:  # noqa: ANN401 - whatever somebody named
    """A BaaL heuristic as an object, from the object, its class or a `functools.partial` of it; None if it is none."""
    made = found.func if isinstance(found, partial) else found
    if isinstance(made, type) and issubclass(made, AbstractHeuristic):
        return found()
    return found if isinstance(found, AbstractHeuristic) else None


def yardstick(name: str) -> AbstractHeuristic:
    """BaaL's heuristic of that name, which one of our functions must agree with."""
    return getattr(heuristics, name)()


def replace_layers(module: nn.Module, replacement: Callable[[nn.Module], nn.Module | None]) -> bool:
    """Replaces, in place and at any depth, each child for which `replacement` returns a layer.

    Returns:
        Whether any was replaced.
    """
    return bool(replace_layers_in_module(module, replacement))


def source_of_flash(module: pl.LightningDataModule) -> Source | None:
    """The samples, batches and transforms of a Flash `DataModule`; None if it is another kind of data module.

    The pool is scored with the transforms of validation, as a test set is.
    """
    if not isinstance(module, FlashDataModule):
        return None
    transform = create_or_configure_input_transform(module.input_transform or InputTransform())
    transform.callbacks = [module.data_fetcher]
    return Source(
        module.train_dataset,
        module.test_dataset,
        () if module.val_dataset is None else (module.val_dataset,),
        module.batch_size,
        module.num_workers,
        create_worker_input_transform_processor(RunningStage.TRAINING, transform),
        create_worker_input_transform_processor(RunningStage.VALIDATING, transform),
        create_device_input_transform_processor(RunningStage.VALIDATING, transform),
        module,
    )


def drop_connected(layer: nn.Module, p: float) -> nn.Module | None:
    """BaaL's DropConnect in place of a linear layer, with that layer's weights; None for any other layer.

    BaaL's own `patch_module` makes layers of random weights, and convolutions without stride.
    """
    if type(layer) is not nn.Linear:
        return None
    dropping = WeightDropLinear(p, in_features=layer.in_features, out_features=layer.out_features)
    dropping.weight, dropping.bias = layer.weight, layer.bias
    return dropping  # type: ignore[no-any-return]


class Classifier(ClassificationTask):  # type: ignore[misc]
    """A Flash classification task over a backbone and a head, which Flash's fine-tuning strategies know by these names.

    Args:
        prepare: Turns stored rows into network input; in training and in evaluation alike.
        augment: Distorts a prepared batch; in training only, on the device that trains.
        backbone: May be empty (`nn.Sequential()`) where features are given.
        head: Ends in `num_classes` logits.
        num_classes: C.
        total_steps: Optimizer steps of the whole fit, over which the learning rate rises and falls.
        learning_rate: The highest.
        weight_decay: Of AdamW.
        seed: Of dropout and augmentation; each epoch starts from its own, so a resumed fit repeats a whole one. Of
            several processes that fit together, each draws its own.
    """

    def __init__(
        self,
        *,
        prepare: nn.Module,
        augment: nn.Module,
        backbone: nn.Sequential,
        head: nn.Sequential,
        num_classes: int,
        total_steps: int,
        learning_rate: float,
        weight_decay: float,
        seed: int,
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            learning_rate=learning_rate,
            optimizer=("adamw", {"weight_decay": weight_decay}),
            metrics=[],
        )
        self.prepare = prepare
        self.augment = augment
        self.backbone = backbone
        self.head = head
        self.total_steps = total_steps
        self.seed = seed

    @property
    def network(self) -> nn.Sequential:
        """The network that evaluates and scores: from stored rows to logits, without augmentation."""
        return nn.Sequential(self.prepare, *self.backbone, *self.head)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits `[B, C]` of a batch of stored rows."""
        logits: Tensor = self.head(self.backbone(self.prepare(rows)))
        return logits

    def on_train_epoch_start(self) -> None:
        """Gives the epoch its own random numbers, whether or not this process ran the one before."""
        torch.manual_seed(seed_of(self.seed, "epoch", self.current_epoch) + self.global_rank)

    def training_step(self, batch: tuple[Tensor, Tensor], _batch_idx: int) -> Tensor:
        """Cross entropy of an augmented batch of (rows, class indices)."""
        rows, labels = batch
        return nn.functional.cross_entropy(self.head(self.backbone(self.augment(self.prepare(rows)))), labels)

    def predict_step(self, batch: tuple[Tensor, Tensor], _batch_idx: int, _dataloader_idx: int = 0) -> Tensor:
        """Class probabilities `[B, C]` of a batch of (sample ids, rows), dropout off."""
        return torch.softmax(self(batch[1]), dim=1)

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[dict[str, Any]]]:
        """Flash's optimizer, with a learning rate that warms up and anneals per step rather than per epoch."""
        optimizer = super().configure_optimizers()
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self._learning_rate_factor)
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

    def _learning_rate_factor(self, step: int) -> float:
        share = min(1.0, step / max(1, self.total_steps))
        warm_up = min(1.0, (share + 1 / max(1, self.total_steps)) / 0.15)
        return float(warm_up * 0.5 * (1 + np.cos(np.pi * share)))


class FreezeUnfreeze(FlashBaseFinetuning):  # type: ignore[misc]
    """Flash's strategy `freeze_unfreeze`, such that a fit can be resumed after the backbone thawed.

    Flash adds the thawed weights to a group of the optimizer that Lightning has noted down before, so its own restart
    finds an optimizer of another size and raises.

    Args:
        unfreeze_at: Epoch from which the backbone trains too.
    """

    def __init__(self, unfreeze_at: int) -> None:
        super().__init__("freeze_unfreeze", unfreeze_at)
        self._unfrozen = False

    def state_dict(self) -> dict[str, Any]:
        """Whether the backbone has thawed."""
        return {"unfrozen": self._unfrozen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what the interrupted fit noted."""
        self._unfrozen = state_dict["unfrozen"]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Classifier) -> None:
        """Thaws the backbone of a resumed fit before Lightning restores the optimizer."""
        if self._unfrozen:
            self.unfreeze_and_extend_param_group(pl_module.backbone, trainer.optimizers[0])

    def finetune_function(self, pl_module: Classifier, epoch: int, optimizer: Any, opt_idx: int) -> None:  # noqa: ANN401
        """Thaws the backbone when its epoch comes."""
        super().finetune_function(pl_module, epoch, optimizer, opt_idx)
        self._unfrozen = epoch >= self.strategy_metadata


class Trainer(FlashTrainer):  # type: ignore[misc]
    """Flash's trainer, quiet, without files of its own, with the way to resume that Flash's `fit` leaves out."""

    def __init__(
        self,
        *,
        accelerator: str,
        max_epochs: int,
        callbacks: Sequence[pl.Callback],
        plugins: Sequence[Any] = (),
        devices: int = 1,
        num_nodes: int = 1,
        fits: bool = True,
    ) -> None:
        with _silenced(_TRAINER_WARNINGS):
            super().__init__(
                accelerator=accelerator,
                devices=devices,
                num_nodes=num_nodes,
                strategy="ddp_find_unused_parameters_false" if devices * num_nodes > 1 else None,
                # Batches to fit on come with their own order, and each process knows which are its.
                replace_sampler_ddp=not fits,
                max_epochs=max_epochs,
                callbacks=list(callbacks),
                plugins=list(plugins),
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                log_every_n_steps=1,
                num_sanity_val_steps=0,
                # Warn only: a predictor without a deterministic kernel on some GPU is better than none.
                deterministic="warn" if accelerator != "cpu" and torch.cuda.is_available() else None,
            )

    def fit(self, model: pl.LightningModule, train_dataloader: Any, *, ckpt_path: Path | None = None) -> None:  # noqa: ANN401
        """Fits all layers; from `ckpt_path`, where Flash's own `fit` could only start anew."""
        with _silenced(_TRAINER_WARNINGS):
            pl.Trainer.fit(self, model, train_dataloader, ckpt_path=str(ckpt_path) if ckpt_path else None)

    def finetune(
        self,
        model: Classifier,
        train_dataloader: Any,  # noqa: ANN401
        *,
        strategy: FlashBaseFinetuning,
        ckpt_path: Path | None = None,
    ) -> None:
        """Fits by a fine-tuning strategy, e.g. `FreezeUnfreeze(epoch)`."""
        self.callbacks.extend(model.configure_finetune_callback(strategy=strategy, train_bn=True))
        self.fit(model, train_dataloader, ckpt_path=ckpt_path)

    def predict(self, model: pl.LightningModule, dataloaders: Any, *, keep: bool = True) -> list[Any]:  # noqa: ANN401
        """Returns what `predict_step` returned for each batch, whole; unless a callback keeps it.

        Flash's own would cut each batch into samples; reading the first of them only is how its active-learning loop
        came to score one sample of every batch.
        """
        with _silenced(_TRAINER_WARNINGS):
            return pl.Trainer.predict(self, model, dataloaders, return_predictions=keep) or []
