"""Several optimizers, one training step: a generator that yields one loss for each of them."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from pytorch_lightning.loops.optimization.optimizer_loop import OptimizerLoop
from torch.optim import Optimizer

from loops.errors import YieldedLossesError
from loops.protocol import no_silent_end

_ENDED = object()


class YieldLoop(OptimizerLoop):
    """Each optimizer steps on its loss before the training step goes on to compute the next one.

        done     every optimizer has stepped
        reset    the first optimizer. Restarted: the one that was due
        advance  resume the training step up to its next loss; one step of its optimizer

    A GAN is then written as it is explained, with its variables shared between the losses:

        def training_step(self, batch, batch_idx):
            noise = torch.randn(len(batch), 16)
            yield self.discriminator_loss(batch, self.generator(noise).detach())
            yield self.generator_loss(self.generator(noise))
            self.log("noise", noise.std())

        trainer.fit_loop.epoch_loop.batch_loop.connect(optimizer_loop=YieldLoop())

    It is automatic optimization in all else: gradients are accumulated, clipped, scaled and logged by Lightning. Only
    the parameters of the optimizer whose loss is due require gradients, so what was computed before a `yield` carries
    none for a later optimizer. Dicts with a `loss` may be yielded, and None, which skips that optimizer. What follows
    the last loss runs after all optimizers have stepped, without gradients.

    A generator cannot be saved. A loop restarted within a step runs its beginning again, from the random numbers it
    had, and drops the losses whose optimizers have stepped: each steps once per batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self._losses: LossSequence | None = None
        self._random_state: dict[str, torch.Tensor] = {}  # as the step began; empty between steps
        self._arguments: tuple[Any, ...] = ()

    def on_run_start(self, optimizers: list[tuple[int, Optimizer]], kwargs: OrderedDict[str, Any]) -> None:
        """Takes the batch, and goes back to the beginning of the step that a restart interrupted."""
        position = self.optim_progress.optimizer_position
        super().on_run_start(optimizers, kwargs)
        if self._random_state and self.restarting:
            self.optim_progress.optimizer_position = position  # past the last, Lightning would begin a new batch
            _restore_random_state(self._random_state)
        self._random_state = _random_state(self.trainer.strategy.root_device)
        self._arguments = tuple(kwargs.values())
        wanted = len(self.trainer.optimizers)
        self._losses = LossSequence(self.trainer.lightning_module.training_step, wanted=wanted)
        if len(optimizers) < wanted:
            raise YieldedLossesError(f"frequencies let only {len(optimizers)} of them step", wanted=wanted)

    @no_silent_end
    def advance(self, optimizers: list[tuple[int, Optimizer]], kwargs: OrderedDict[str, Any]) -> None:
        """One loss, one optimizer."""
        with self._stand_in(self._next_loss):
            super().advance(optimizers, kwargs)

    @no_silent_end
    def on_run_end(self) -> dict[int, dict[str, Any]]:
        """Runs what follows the last loss, and refuses one loss too many."""
        # `_call_strategy_hook` is private, but what `OptimizerLoop` calls: without it `self.log` does not know where it
        # is. No gradients: no optimizer is left to use them, and DistributedDataParallel would wait for a backward.
        with self._stand_in(self._finish), torch.no_grad():
            self.trainer._call_strategy_hook("training_step", *self._arguments)
        self._losses, self._random_state, self._arguments = None, {}, ()
        return super().on_run_end()

    def on_save_checkpoint(self) -> dict[str, Any]:
        """Within a step, the random numbers it began with."""
        return {"random_state": dict(self._random_state)}

    def on_load_checkpoint(self, state_dict: dict[str, Any]) -> None:
        """Takes over what the interrupted run noted."""
        self._random_state = dict(state_dict.get("random_state", {}))

    @contextmanager
    def _stand_in(self, training_step: Callable[..., Any]) -> Iterator[None]:
        """Has Lightning call `training_step` where it would call the module's.

        The way that needs no private member of Lightning, and runs each part of the generator, not only the call that
        makes it, inside all that surrounds a training step: autocast, the profiler, `self.log`, a parallel strategy's
        forward.
        """
        attributes: dict[str, Any] = self.trainer.lightning_module.__dict__
        before = attributes.get("training_step")
        attributes["training_step"] = training_step
        try:
            yield
        finally:
            del attributes["training_step"]
            if before is not None:
                attributes["training_step"] = before

    def _next_loss(self, *arguments: Any) -> Any:  # noqa: ANN401
        assert self._losses is not None, "on_run_start() comes before advance()"
        return self._losses.loss(self.optim_progress.optimizer_position, arguments[: len(self._arguments)])

    def _finish(self, *arguments: Any) -> None:  # noqa: ANN401
        assert self._losses is not None, "on_run_start() comes before on_run_end()"
        self._losses.finish(arguments)


class LossSequence:
    """The losses of one training step, computed one by one.

    Args:
        training_step: Returns a generator of losses; called with the arguments of the first call below.
        wanted: How many it must yield.
    """

    def __init__(self, training_step: Callable[..., Any], *, wanted: int) -> None:
        self.wanted = wanted
        self.yielded = 0
        self._training_step = training_step
        self._generator: Generator[Any, Any, Any] | None = None

    def loss(self, index: int, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
        """Goes on to the loss of that index, past those before it that were never asked for.

        Raises:
            YieldedLossesError: If the step is no generator, ends before that loss, or has passed it.
        """
        if index < self.yielded:
            raise YieldedLossesError("one asked for its loss twice within a step, as LBFGS does", wanted=self.wanted)
        loss = _ENDED
        while self.yielded <= index:
            loss = next(self._started(arguments), _ENDED)
            if loss is _ENDED:
                raise YieldedLossesError(f"it ended after {self.yielded}", wanted=self.wanted)
            self.yielded += 1
        return loss

    def finish(self, arguments: tuple[Any, ...]) -> None:
        """Runs what follows the last loss.

        Raises:
            YieldedLossesError: If that is another loss.
        """
        if self.yielded < self.wanted:
            self.loss(self.wanted - 1, arguments)
        if next(self._started(arguments), _ENDED) is not _ENDED:
            raise YieldedLossesError(f"it went on to yield loss {self.wanted + 1}", wanted=self.wanted)

    def _started(self, arguments: tuple[Any, ...]) -> Generator[Any, Any, Any]:
        if self._generator is None:
            returned = self._training_step(*arguments)
            if not inspect.isgenerator(returned):
                kind = type(returned).__name__
                raise YieldedLossesError(f"it is no generator but returned a {kind}", wanted=self.wanted)
            self._generator = returned
        return self._generator


def _random_state(device: torch.device) -> dict[str, torch.Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states[str(device)] = torch.cuda.get_rng_state(device)
    return states


def _restore_random_state(states: dict[str, torch.Tensor]) -> None:
    for device, state in states.items():
        if device == "cpu":
            torch.set_rng_state(state)
        else:
            torch.cuda.set_rng_state(state, device)
