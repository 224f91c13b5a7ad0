"""Training without a Trainer: a loop of epochs around a loop of optimizer steps, on Lightning's Fabric.

The two inner loops of Lightning's own tree, written from scratch, for whom starting a `Trainer` takes longer than the
training. See docs/decisions/0008-instant-head.md.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric  # type: ignore[import-untyped]
from pytorch_lightning.loops.loop import Loop
from pytorch_lightning.trainer.progress import Progress
from torch import Tensor, nn
from torch.optim import Optimizer

from loops.protocol import no_silent_end
from loops.seeding import seed_of

Loss = Callable[[nn.Module, Any], Tensor]  # model, batch -> a number


class Batches(Protocol):
    """A dataloader, or a list of batches."""

    def __len__(self) -> int:
        """Batches per epoch."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Yields the batches of one epoch."""
        ...


class TrainingEpochLoop(Loop[None]):
    """One optimizer step for each batch of a dataloader.

        done     there was a step for every batch
        reset    makes the iterator; restarted: winds it forward to where it stopped
        advance  one optimizer step

    Order, augmentation and dropout follow from seed, epoch and step alone (as far as torch draws them in this process),
    so a loop that is restored at any step takes the same steps as one that was never stopped. There is no Trainer to
    save the weights beside the loop's state, so its state holds them and the optimizer's.

    Args:
        fabric: Where to train and in which precision.
        model: Trained in place.
        optimizer: Of the model's parameters; may call its closure more than once, as L-BFGS does.
        dataloader: Plain, not set up by Fabric: Fabric's counts the epochs of this process, so in a restored run its
            samplers would begin with epoch 0 again.
        loss: Of model and batch.
        seed: Of all that is random; None: nothing is, and torch's random numbers, which all threads share, are let be.
    """

    def __init__(
        self,
        fabric: Fabric,
        *,
        model: nn.Module,
        optimizer: Optimizer,
        dataloader: Batches,
        loss: Loss,
        seed: int | None,
    ) -> None:
        super().__init__()
        self.progress = Progress()
        self.epoch = 0
        self._fabric = fabric
        self._model, self._optimizer = model, optimizer
        self._set_up_model, self._set_up_optimizer = fabric.setup(model, optimizer)
        self._dataloader = dataloader
        self._loss = loss
        self._seed = seed
        self._batches: Iterator[Any] = iter(())

    @property
    def done(self) -> bool:
        """There was a step for every batch."""
        return self.progress.current.completed >= len(self._dataloader)

    def reset(self) -> None:
        """Makes the iterator, and draws the batches whose steps were taken before a restart."""
        if self.restarting:
            self.progress.reset_on_restart()
        else:
            self.progress.reset_on_run()
        with self._random_numbers_of("order"):
            self._set_epoch()
            self._batches = iter(self._dataloader)
        for step in range(self.progress.current.completed):
            with self._random_numbers_of(step):
                next(self._batches)

    def on_advance_start(self) -> None:
        """Counts the step as ready."""
        self.progress.increment_ready()

    @no_silent_end
    def advance(self) -> None:
        """One optimizer step."""
        with self._random_numbers_of(self.progress.current.completed):
            batch = self._fabric.to_device(next(self._batches))
            self.progress.increment_started()
            self._set_up_optimizer.step(lambda: self._backward(batch))
        self.progress.increment_processed()

    def on_advance_end(self) -> None:
        """Counts the step as completed."""
        self.progress.increment_completed()

    def on_save_checkpoint(self) -> dict[str, Any]:
        """Weights and optimizer beside the progress; copies, for the next step changes them in place."""
        state = {"model": self._model.state_dict(), "optimizer": self._optimizer.state_dict()}
        return {"epoch": self.epoch, **copy.deepcopy(state)}

    def on_load_checkpoint(self, state_dict: dict[str, Any]) -> None:
        """Takes over weights and optimizer. (Not through Fabric's optimizer: it would load them past the real one.)"""
        self.epoch = state_dict["epoch"]
        self._model.load_state_dict(state_dict["model"])
        self._optimizer.load_state_dict(copy.deepcopy(state_dict["optimizer"]))

    def _backward(self, batch: object) -> Tensor:
        self._set_up_optimizer.zero_grad()
        loss = self._loss(self._set_up_model, batch)
        self._fabric.backward(loss)
        return loss

    def _set_epoch(self) -> None:
        sampler: Any = getattr(self._dataloader, "sampler", None)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(self.epoch)

    @contextmanager
    def _random_numbers_of(self, step: int | str) -> Iterator[None]:
        """Random numbers of that step of that epoch; afterwards the process goes on with its own."""
        if self._seed is None:
            yield
            return
        with torch.random.fork_rng(range(min(1, torch.cuda.device_count()))):
            torch.manual_seed(seed_of(self._seed, "epoch", self.epoch, step))
            yield


class FitLoop(Loop[None]):
    """Epochs, one behind the other.

        done     `max_epochs` were completed
        reset    first run: epoch 0. Restarted: the epoch that was interrupted
        advance  one epoch: runs the inner loop

    Args:
        epoch_loop: The inner loop.
        max_epochs: Of each run.
    """

    def __init__(self, epoch_loop: TrainingEpochLoop, *, max_epochs: int) -> None:
        super().__init__()
        self.progress = Progress()
        self.epoch_loop = epoch_loop
        self._max_epochs = max_epochs

    @property
    def done(self) -> bool:
        """`max_epochs` were completed."""
        return self.progress.current.completed >= self._max_epochs

    def reset(self) -> None:
        """Begins with epoch 0, or with the one that was interrupted."""
        if self.restarting:
            self.progress.reset_on_restart()
        else:
            self.progress.reset_on_run()

    def on_advance_start(self) -> None:
        """Counts the epoch as ready, and tells the inner loop which one it is."""
        self.progress.increment_ready()
        self.epoch_loop.epoch = self.progress.current.completed

    @no_silent_end
    def advance(self) -> None:
        """One epoch."""
        self.progress.increment_started()
        self.epoch_loop.run()
        self.progress.increment_processed()

    def on_advance_end(self) -> None:
        """Counts the epoch as completed; a state saved from now on belongs to the next, which has taken no step."""
        self.progress.increment_completed()
        self.epoch_loop.progress.reset_on_run()
