"""A loop's hold on the Trainer it is attached to: what each fit starts from, and what a checkpoint keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loops.fit_loop import FitLoop
from pytorch_lightning.trainer.states import TrainerFn
from torch.nn.parameter import is_lazy

from loops.acquisition.catalog import AcquisitionFunction
from loops.data import ActiveLearningDataModule
from loops.errors import AttachError
from loops.lightning_private import FitStart, WrappingLoop, before_transfers, callbacks_of
from loops.module_state import State, copied, give, state_of, unsaved_of
from loops.predictors.lightning import LightningPredictor
from loops.predictors.logits import Logits, LogitsOf
from loops.predictors.predictor import Predictor
from loops.random_numbers import seed_all
from loops.seeding import seed_of
from loops.unfinished_fit import Unfinished, epoch_is_over, run_on


class Attachment:
    """Made when a loop begins to run under a Trainer.

    Args:
        loop: In `trainer.fit_loop`, or inside a loop that is.
        seed: Of all that is drawn.
        logits: See `Logits`.
        mc_iterations: K.
        reset_weights: Whether each fit starts from the weights of the beginning.
        state: Of an interrupted run: what `state_dict` gave.

    Raises:
        AttachError: If a loop is inside one that it should wrap, or a lazy layer of the module has no weights yet.
    """

    def __init__(
        self,
        loop: WrappingLoop[Any],
        *,
        seed: int,
        logits: LogitsOf,
        mc_iterations: int,
        reset_weights: bool = True,
        state: dict[str, Any] | None = None,
    ) -> None:
        assert loop.wrapped is not None
        _refuse_disorder(loop)
        self.trainer, self.wrapped, self._fit_loop = loop.trainer, loop.wrapped, loop.fit_loop
        self.data, self.module = data_of(loop.trainer), loop.trainer.lightning_module
        self.seed, self.mc_iterations, self._logits = seed, mc_iterations, logits
        _refuse_unborn_weights(self.module)
        self._reset_weights, self._unfinished = reset_weights, (state or {}).get("unfinished", {})
        self._weights = state_of(self.module) if state is None else state["weights"]
        self._unsaved = unsaved_of(self.module)
        self._start = FitStart(self.trainer, None if state is None else state["start"])
        self.untrained = self.network_of(self._weights)
        callbacks = callbacks_of(self.trainer)
        if not any(isinstance(callback, BatchSeeds) for callback in callbacks):
            callbacks.insert(0, BatchSeeds())

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: weights and callbacks of the beginning, and what belongs to no whole batch."""
        is_innermost = isinstance(self.wrapped, FitLoop)
        return {
            "weights": self._weights,
            "start": self._start.state_dict(),
            "unfinished": Unfinished.state_dict(self.trainer, self._fit_loop) if is_innermost else {},
        }

    def predictor(self, acquisition: AcquisitionFunction) -> Predictor:
        """The module as a predictor, or a committee of such where the acquisition function needs one.

        Raises:
            AttachError: If it needs a graph of the pool, which only the application builds.
        """
        if acquisition.needs == "graph":
            raise AttachError(f"{acquisition.name} asks by a graph of the pool; attached to a Trainer choose another")
        from loops.predictors.committee import Committee  # it runs a KFoldLoop, which may be attached itself

        predictor = LightningPredictor(self)
        return Committee(predictor) if acquisition.needs == "committee" else predictor

    def predictor_of_fold(self, fold: int) -> LightningPredictor:
        """The module as a predictor that has learned nothing."""
        return LightningPredictor(self, fold)

    def begin(self) -> tuple[int, int]:
        """Begins a fit anew: in epoch 0, no batch is done."""
        if self._reset_weights:
            give(self.module, self._weights, self._unsaved)
        self.wrapped.restarting = False
        self._start.begin(self.trainer, self._fit_loop)
        return 0, 0

    def go_on(self) -> tuple[int, int]:
        """Goes on with the fit of a checkpoint; returns its epoch, and how many of its batches are done."""
        if not isinstance(self.wrapped, FitLoop):
            return 0, 0
        return Unfinished.load_state_dict(self.trainer, self._fit_loop, self._unfinished)

    def run(self, *, goes_on: bool) -> None:
        """Runs the wrapped loop: the fit that begins, or the rest of one that goes on."""
        if goes_on and isinstance(self.wrapped, FitLoop):
            run_on(self.trainer, self.wrapped)
        else:
            self.wrapped.run()

    def network_of(self, weights: State | None = None) -> Logits:
        """A copy of the module, as it is or with other weights."""
        network = Logits(copied(self.module), self._logits).eval()
        for name in ("log", "log_dict"):  # what is scored belongs to no step that could log it
            setattr(network.module, name, _nothing_is_logged)
        if weights is not None:
            give(network.module, weights)
        return network

    def fitted(self) -> Sequence[Logits]:
        """Copies of what the wrapped loop fitted: one, or those that vote."""
        voters: Sequence[State] | None = getattr(self.wrapped, "voters", None)
        return [self.network_of()] if voters is None else [self.network_of(weights) for weights in voters]


class BatchSeeds(pl.Callback):
    """Gives each batch, epoch and validation of a fit its own random numbers, so that a resumed run repeats it.

    It stays in the Trainer, and does nothing there while no loop is attached.
    """

    def on_train_start(self, trainer: pl.Trainer, *_: object) -> None:
        """Has each batch seeded before hooks bring it to the device, too."""
        if isinstance(trainer.fit_loop, WrappingLoop):
            before_transfers(trainer.fit_loop.fit_loop, partial(_seed_batch, trainer, "transfer"))

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: object) -> None:
        """Seeds what draws once an epoch."""
        _seed(trainer, "epoch", trainer.current_epoch)

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: object) -> None:
        """An interrupted epoch ends as a whole one does."""
        if isinstance(trainer.fit_loop, WrappingLoop):
            epoch_is_over(trainer.fit_loop.fit_loop)

    def on_train_batch_start(self, trainer: pl.Trainer, _module: object, _batch: object, batch_idx: int) -> None:
        """Seeds whatever the module draws."""
        _seed_batch(trainer, "batch", batch_idx)

    def on_validation_start(self, trainer: pl.Trainer, *_: object) -> None:
        """Seeds a validation inside a fit, which early stopping may look at."""
        if trainer.state.fn == TrainerFn.FITTING:
            _seed(trainer, "validation", trainer.current_epoch, trainer.global_step)


def _seed_batch(trainer: pl.Trainer, name: str, batch_idx: int) -> None:
    """Another one in each of several processes."""
    _seed(trainer, name, trainer.current_epoch, batch_idx, process=trainer.global_rank)


def _seed(trainer: pl.Trainer, *what: str | int, process: int = 0) -> None:
    if isinstance(trainer.fit_loop, WrappingLoop):
        seed_all(seed_of(data_of(trainer).fit_seed, *what) + process)


def _refuse_disorder(loop: WrappingLoop[Any]) -> None:
    inner = loop.wrapped
    while isinstance(inner, WrappingLoop):
        if loop.place and inner.place >= loop.place:
            raise AttachError(
                f"{type(loop).__name__} cannot wrap {type(inner).__name__}: "
                "rounds are outermost, folds inside them, and each of them once"
            )
        inner = inner.wrapped


def _refuse_unborn_weights(module: pl.LightningModule) -> None:
    unborn = [name for name, value in module.state_dict().items() if is_lazy(value)]
    if unborn:
        raise AttachError(
            f"{unborn[0]} of a lazy layer has no shape yet; call the module on one batch of inputs before trainer.fit"
        )


def data_of(trainer: pl.Trainer) -> ActiveLearningDataModule:
    """The data of an attached loop.

    Raises:
        AttachError: If the Trainer was given others.
    """
    data = getattr(trainer, "datamodule", None)
    if not isinstance(data, ActiveLearningDataModule):
        found = "none" if data is None else f"a {type(data).__name__}"
        raise AttachError(f"trainer.fit(module, data) needs an ActiveLearningDataModule as data; found {found}")
    return data


def _nothing_is_logged(*_: object, **__: object) -> None:
    """A function of the module's file, so that the network can be pickled."""
