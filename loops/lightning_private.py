"""What our loops need of Lightning 1.9.5 beyond its public API, in one place.

A loop that stands in `trainer.fit_loop` is asked for what only Lightning's own `FitLoop` has: progress bars, loggers,
checkpoints and the Trainer's properties look there. So a loop that runs another inside passes these names on, each by a
line of its own: a `__getattr__` that passes on whatever is missing would turn a typo inside `done` into silence.
`tests/loops/test_lightning_private.py` says of each member what is needed of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import pytorch_lightning as pl
from pytorch_lightning.callbacks import (
    BaseFinetuning,
    BatchSizeFinder,
    EarlyStopping,
    LearningRateFinder,
    ModelCheckpoint,
    StochasticWeightAveraging,
    Timer,
)
from pytorch_lightning.loops.fit_loop import FitLoop
from pytorch_lightning.loops.loop import Loop
from pytorch_lightning.trainer.progress import BaseProgress
from pytorch_lightning.utilities.fetching import DataFetcher

from loops.errors import AttachError
from loops.several_processes import refuse_other_strategies

T = TypeVar("T")

PUBLIC = (
    "batch_idx",  # progress bars, the learning-rate finder
    "epoch_loop",  # `Trainer.global_step`, validation, loggers
    "epoch_progress",  # `Trainer.current_epoch`, distributed samplers
    "max_epochs",
    "max_steps",
    "min_epochs",
    "min_steps",
    "running_loss",  # the progress bar's loss
    "split_idx",
    "total_batch_idx",
)
PRIVATE = (
    "_can_stop_early",  # `TrainingEpochLoop.done`, when `trainer.should_stop` is set
    "_results",  # `LightningModule.log`
    "_should_accumulate",  # `OptimizerLoop`, when gradients are accumulated
    "_skip_backward",  # stochastic weight averaging
)


class _OfWrapped:
    """An attribute that a wrapping loop has because the loop it wraps has it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, loop: Any, owner: type | None = None) -> Any:  # noqa: ANN401
        return self if loop is None else getattr(_wrapped(loop, self._name), self._name)

    def __set__(self, loop: Any, value: Any) -> None:  # noqa: ANN401
        setattr(_wrapped(loop, self._name), self._name, value)


def _wrapped(loop: Any, name: str) -> Any:  # noqa: ANN401 - a FitLoop, or what wraps one
    if loop.wrapped is None:
        raise AttributeError(f"{type(loop).__name__} wraps no fit loop, so it has no {name}")
    return loop.wrapped


class WrappingLoop(Loop[T], Generic[T]):
    """A loop that can stand in `trainer.fit_loop` and run another one inside, or none.

    Args:
        wrapping: Lightning's `FitLoop`, or a loop that wraps one; None: it runs without a Trainer.
    """

    batch_idx, epoch_loop, epoch_progress = _OfWrapped(), _OfWrapped(), _OfWrapped()
    max_epochs, max_steps, min_epochs, min_steps = _OfWrapped(), _OfWrapped(), _OfWrapped(), _OfWrapped()
    running_loss, split_idx, total_batch_idx = _OfWrapped(), _OfWrapped(), _OfWrapped()
    _can_stop_early, _results, _should_accumulate, _skip_backward = (
        _OfWrapped(),
        _OfWrapped(),
        _OfWrapped(),
        _OfWrapped(),
    )

    place = 0  # of two loops, one in the other, the outer one's is higher; 0: anywhere

    def __init__(self, wrapping: Loop[Any] | None = None) -> None:
        super().__init__()
        self.wrapped = wrapping

    @property
    def trainer(self) -> pl.Trainer:
        """What it is attached to.

        Raises:
            AttachError: When it is set to a Trainer of several processes whose strategy does not suit.
        """
        return super().trainer

    @trainer.setter
    def trainer(self, trainer: pl.Trainer) -> None:
        refuse_other_strategies(trainer)  # now, and not in each of the processes once they have been started
        Loop.trainer.fset(self, trainer)  # type: ignore[attr-defined]

    @property
    def fit_loop(self) -> FitLoop:
        """The `FitLoop` at the bottom."""
        inner = self.wrapped
        while isinstance(inner, WrappingLoop):
            inner = inner.wrapped
        if not isinstance(inner, FitLoop):
            raise AttributeError(f"{type(self).__name__} wraps no fit loop")
        return inner

    def connect(self, *, wrapped: Loop[Any] | None = None, **loops: Loop[Any]) -> None:
        """Puts another loop in the wrapped one's place, or others inside the `FitLoop` at the bottom.

        Args:
            wrapped: Lightning's `FitLoop`, or a loop that wraps one.
            loops: What a `FitLoop` connects, such as `epoch_loop`; Lightning's own `connect` would drop them silently.
        """
        if wrapped is not None:
            self.wrapped = wrapped
        if loops:
            self.fit_loop.connect(**loops)  # type: ignore[arg-type]

    def teardown(self) -> None:
        """Has the wrapped loop let go of its dataloaders and metrics."""
        if self.wrapped is not None:
            self.wrapped.teardown()


def callbacks_of(trainer: pl.Trainer) -> list[pl.Callback]:
    """The Trainer's own list, which its connector sets without a word to type checkers."""
    found: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return found


def refuse_searches(trainer: pl.Trainer) -> None:
    """What looks for a learning rate or batch size runs the Trainer's fit loop, and with it questions and all rounds.

    Raises:
        AttachError: If a search is to run a wrapping loop.
    """
    searches = [c for c in callbacks_of(trainer) if isinstance(c, LearningRateFinder | BatchSizeFinder)]
    if isinstance(trainer.fit_loop, WrappingLoop) and (searches or trainer.state.fn == "tune"):
        raise AttachError("search learning rate and batch size before a loop is attached, on labels that are known")


class FitStart:
    """What a fit starts from, so that each round's or fold's is a fit of its own.

    The Trainer was made for one fit; it counts epochs and steps, and callbacks remember the best score so far. Of the
    callbacks only those are taken back whose state is about one fit: early stopping, checkpoints, fine-tuning,
    averaged weights and the time that is left.

    Args:
        trainer: Before its first step.
        state: Of an interrupted run: what `state_dict` gave; None notes how the trainer stands now.
    """

    def __init__(self, trainer: pl.Trainer, state: dict[str, Any] | None = None) -> None:
        module = trainer.lightning_module
        self._callbacks = [c for c in callbacks_of(trainer) if isinstance(c, EarlyStopping | ModelCheckpoint)]
        self._state = state or {
            "callbacks": {c.state_key: copy.deepcopy(c.state_dict()) for c in self._callbacks},
            "frozen": [name for name, weight in module.named_parameters() if not weight.requires_grad],
        }

    def state_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return self._state

    def begin(self, trainer: pl.Trainer, fit_loop: FitLoop) -> None:
        """Sets everything but the weights back, and makes optimizers and schedulers anew."""
        reset_progress(fit_loop)
        set_restarting(fit_loop, restarting=False)
        trainer.should_stop = False
        self._thaw(trainer.lightning_module)
        for callback in callbacks_of(trainer):
            if isinstance(callback, BaseFinetuning):
                callback.freeze_before_training(trainer.lightning_module)
            elif isinstance(callback, StochasticWeightAveraging):
                _average_anew(callback, fit_loop)
            elif isinstance(callback, Timer):  # from the end of the fit before it would count backwards, without end
                callback._end_time = dict.fromkeys(callback._end_time)
                callback._offset = 0
        for callback in self._callbacks:
            self._take_back(callback)
        trainer.train_dataloader = None  # `estimated_stepping_batches` would count those of the fit before
        trainer.strategy.setup_optimizers(trainer)

    def _thaw(self, module: pl.LightningModule) -> None:
        for name, weight in module.named_parameters():
            weight.requires_grad = name not in self._state["frozen"]

    def _take_back(self, callback: EarlyStopping | ModelCheckpoint) -> None:
        state = copy.deepcopy(self._state["callbacks"].get(callback.state_key))
        if state is None:  # a callback that the interrupted run did not have
            return
        if isinstance(callback, ModelCheckpoint):
            state["last_model_path"] = callback.last_model_path  # `last.ckpt` is one file for all rounds
            # Private: with steps counted from 0 again it would take a round's last checkpoint for saved already.
            callback._last_global_step_saved = 0
        callback.load_state_dict(state)


def _average_anew(callback: StochasticWeightAveraging, fit_loop: FitLoop) -> None:
    """It averages once, and at the end of every later fit would put that average in place of the weights."""
    callback.n_averaged, callback._init_n_averaged, callback._latest_update_epoch = None, 0, -1
    callback._initialized, callback._scheduler_state, callback._swa_scheduler = False, None, None
    if callback._model_contains_batch_norm:  # one more epoch gathers its statistics; the fit before took it back
        fit_loop.max_epochs = callback._max_epochs + 1


def reset_progress(loop: Loop[Any]) -> None:
    """Counts a loop's epochs, batches and steps from 0 again, and those of the loops within."""
    for value in vars(loop).values():
        if isinstance(value, BaseProgress):
            value.reset()
        elif isinstance(value, Loop):
            reset_progress(value)


def trainer_of(module: pl.LightningModule) -> pl.Trainer | None:
    """The Trainer that a module belongs to; its public `trainer` raises where there is none."""
    return module._trainer


def before_transfer(module: pl.LightningModule, batch: Any) -> Any:  # noqa: ANN401
    """What the data's hook makes of it, or the module's own where the data have none."""
    return module._on_before_batch_transfer(batch)


def before_transfers(fit_loop: FitLoop, act: Callable[[int], None]) -> None:
    """Has something done with the index of each batch of a run, before hooks of module or data bring it to the device.

    Where `training_step` takes the iterator itself, nothing is brought for it.
    """
    fetcher = fit_loop._data_fetcher
    if not isinstance(fetcher, DataFetcher):
        return
    wait = fetcher.wait

    def waited() -> None:
        wait()
        act(fit_loop.epoch_loop.batch_progress.current.ready)

    fetcher.wait = waited  # type: ignore[method-assign]


def set_restarting(fit_loop: FitLoop, *, restarting: bool) -> None:
    """Its own setter makes True of False where `max_steps` is given, and the fit would begin with a validation."""
    Loop.restarting.fset(fit_loop, restarting)  # type: ignore[attr-defined]
