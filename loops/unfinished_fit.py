"""A fit of Lightning's in the middle: what a checkpoint needs to hold of it, and how it goes on to the last bit.

As `lightning_private.py`, it holds on to names that Lightning 1.9.5 does not promise.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import StochasticWeightAveraging
from pytorch_lightning.loops.epoch.training_epoch_loop import TrainingEpochLoop
from pytorch_lightning.loops.fit_loop import FitLoop
from pytorch_lightning.trainer.progress import ProcessedTracker

from loops.lightning_private import callbacks_of, set_restarting
from loops.module_state import give, state_of


class Unfinished:
    """What Lightning 1.9.5 leaves out of a checkpoint in the middle of a fit, and what it counts wrong after one.

    Its own way is the fault-tolerant mode, an environment variable that makes checkpoints of objects. Left out are
    gradients that are accumulated and not yet used, the sums behind `self.log(..., on_epoch=True)`, the metrics
    that early stopping and schedulers look at, whether something asked the fit to stop, and what was still to be done
    about the last batch.
    """

    @staticmethod
    def state_dict(trainer: pl.Trainer, fit_loop: FitLoop) -> dict[str, Any]:
        """Plain values and tensors; empty before the first batch."""
        epochs = fit_loop.epoch_progress.current
        assert isinstance(epochs, ProcessedTracker)
        if not fit_loop.epoch_loop.batch_progress.current.ready:
            return {}
        between = epochs.processed == epochs.ready
        return {
            "metrics": {name: value.detach().clone() for name, value in trainer.callback_metrics.items()},
            "gradients": _gradients(trainer, fit_loop, between=between),
            "sums": [] if between else _sums(fit_loop),
            "plateau_due": between and epochs.completed < epochs.processed,
            "should_stop": trainer.should_stop,
            "batch_due": "" if between else _due(trainer, fit_loop.epoch_loop),
        }

    @staticmethod
    def load_state_dict(trainer: pl.Trainer, fit_loop: FitLoop, state: dict[str, Any]) -> tuple[int, int]:
        """Takes it over.

        Returns:
            The epoch, and how many of its batches are done.
        """
        batches, epochs = fit_loop.epoch_loop.batch_progress, fit_loop.epoch_progress.current
        assert isinstance(epochs, ProcessedTracker)
        for tracker in (batches.current, batches.total):
            # A checkpoint is saved before its batch counts as completed, and a restart would train on it once more.
            assert isinstance(tracker, ProcessedTracker)
            tracker.completed = tracker.processed
            tracker.reset_on_restart()
        set_restarting(fit_loop, restarting=epochs.ready != epochs.processed)
        # Optimizers that got their state back have other groups than Lightning's wrappers, which modules are given.
        trainer.strategy.optimizers = trainer.strategy.optimizers
        for name, weight in trainer.lightning_module.named_parameters():
            if name in state.get("gradients", {}):
                weight.grad = state["gradients"][name].to(weight.device)
        _take_over_sums(trainer, fit_loop, state.get("sums", []))
        trainer._logger_connector._callback_metrics.update(state.get("metrics", {}))
        trainer.should_stop = trainer.should_stop or state.get("should_stop", False)
        if state.get("plateau_due"):  # saved at the end of an epoch, before its plateau schedulers stepped
            fit_loop.epoch_loop.update_lr_schedulers("epoch", update_plateau_schedulers=True)
        if not fit_loop.restarting:  # nor did that epoch count as completed
            epochs.completed = epochs.processed
        _finish_batch(fit_loop.epoch_loop, state.get("batch_due", ""))
        return epochs.processed, batches.current.completed if fit_loop.restarting else 0


def _due(trainer: pl.Trainer, epoch_loop: TrainingEpochLoop) -> str:
    """What follows on the last batch: "validation" and then plateau schedulers, the "schedulers" alone, or nothing."""
    batches, dataloaders = epoch_loop.batch_progress.current, epoch_loop.val_loop.dataloader_progress.current
    assert isinstance(batches, ProcessedTracker)
    if trainer.validating:
        return "schedulers" if dataloaders.completed >= epoch_loop.val_loop.num_dataloaders else "validation"
    return "validation" if batches.processed > batches.completed else ""


def _finish_batch(epoch_loop: TrainingEpochLoop, due: str) -> None:
    """Has the next run do what is due once the epoch is entered.

    Lightning would validate again where it had, after a last batch not at all if an earlier validation is over, and
    never step the schedulers.
    """
    enter = epoch_loop.on_run_start

    def entered(*args: Any) -> None:  # noqa: ANN401
        del epoch_loop.on_run_start
        enter(*args)
        epoch_loop._restarting = epoch_loop.val_loop.restarting = False
        if due == "validation":
            epoch_loop.on_advance_end()
        elif due == "schedulers":
            epoch_loop.update_lr_schedulers("step", update_plateau_schedulers=True)
            epoch_loop._batches_that_stepped += not epoch_loop._should_accumulate()

    if epoch_loop.restarting:
        epoch_loop.on_run_start = entered  # type: ignore[method-assign, assignment]


def run_on(trainer: pl.Trainer, fit_loop: FitLoop) -> None:
    """Runs a fit that was interrupted to its end, as `FitLoop.run` would have.

    That does nothing where the last step was done, though an epoch or the fit is still to be ended. And an epoch that
    goes on is entered anew: what callbacks then make of weights and learning rates, they made of them before.
    Lightning warns of such checkpoints, as its own way of going on is not to be relied on; this one is.
    """
    warnings.filterwarnings("ignore", "You're resuming from a checkpoint that ended before the epoch ended")
    fit_loop.reset()
    fit_loop.on_run_start()
    done = fit_loop.done and not fit_loop.restarting
    while not done:
        with _kept(trainer, when=fit_loop.restarting):
            fit_loop.on_advance_start()
        fit_loop.advance()
        fit_loop.on_advance_end()
        fit_loop._restarting = False
        done = fit_loop.done
    for callback in callbacks_of(trainer):
        if isinstance(callback, StochasticWeightAveraging) and not hasattr(callback, "_accumulate_grad_batches"):
            # Where its epoch for batch norm is over it puts back what it had set, in another process.
            callback._accumulate_grad_batches = trainer.accumulate_grad_batches
    fit_loop.on_run_end()


@contextmanager
def _kept(trainer: pl.Trainer, *, when: bool) -> Iterator[None]:
    """Takes back what is done to the module's weights and buffers, and to the optimizers' options."""
    weights = state_of(trainer.lightning_module) if when else {}
    groups = [dict(group) for optimizer in trainer.optimizers for group in optimizer.param_groups] if when else []
    yield
    if when:
        give(trainer.lightning_module, weights)
    now = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
    for group, before in zip(now, groups, strict=False):  # fine-tuning may have added some
        group.update({option: value for option, value in before.items() if option != "params"})


def epoch_is_over(fit_loop: FitLoop) -> None:
    """To be called when an interrupted epoch ends: as long as it counts as restarted, schedulers step once more."""
    fit_loop._restarting = False


def _gradients(trainer: pl.Trainer, fit_loop: FitLoop, *, between: bool) -> dict[str, Any]:
    by_itself = trainer.lightning_module.automatic_optimization  # otherwise only the module knows when it steps
    if by_itself and (between or not fit_loop._should_accumulate()):
        return {}
    named: Sequence[tuple[str, Any]] = list(trainer.lightning_module.named_parameters())
    return {name: weight.grad.detach().clone() for name, weight in named if weight.grad is not None}


_REDUCTIONS = {"mean": torch.mean, "sum": torch.sum, "max": torch.max, "min": torch.min}
_LOGGED = ("prog_bar", "logger", "on_step", "on_epoch", "enable_graph", "add_dataloader_idx")


def _sums(fit_loop: FitLoop) -> list[dict[str, Any]]:
    """Numbers that were logged for a whole epoch; metric objects keep their sums themselves, or lose them."""
    return [
        {
            "fx": metric.meta.fx,
            "name": metric.meta.name,
            "reduce_fx": next(name for name, fx in _REDUCTIONS.items() if metric.meta.reduce_fx in (fx, name)),
            "value": metric.value.detach().clone(),
            "last": metric._forward_cache,  # that of the last batch, which a scheduler may look at
            "batch_size": metric.cumulated_batch_size.clone() if metric.meta.is_mean_reduction else None,
            "sync_dist": metric.meta.sync.should,
            "rank_zero_only": metric.meta.sync.rank_zero_only,
            **{option: getattr(metric.meta, option) for option in _LOGGED},
        }
        for metric in fit_loop.epoch_loop._results.result_metrics
        if metric.is_tensor and metric.meta.on_epoch and not metric.has_reset and not metric.meta.is_custom_reduction
    ]


def _take_over_sums(trainer: pl.Trainer, fit_loop: FitLoop, sums: list[dict[str, Any]]) -> None:
    results = fit_loop.epoch_loop._results
    for logged in sums:
        options = {option: logged[option] for option in (*_LOGGED, "sync_dist", "rank_zero_only")}
        options["reduce_fx"], options["sync_dist_fn"] = _REDUCTIONS[logged["reduce_fx"]], trainer.strategy.reduce
        value = logged["value"].to(trainer.strategy.root_device)
        results.log(logged["fx"], logged["name"], value, batch_size=1, **options)
        metric = results[f"{logged['fx']}.{logged['name']}"]
        metric.value, metric._forward_cache = value, logged["last"]
        if logged["batch_size"] is not None:
            metric.cumulated_batch_size = logged["batch_size"]
