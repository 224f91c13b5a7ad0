"""Rounds under a Trainer of several processes: they fit together, one asks, and all go on with what it heard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import pytorch_lightning as pl
from pytorch_lightning.strategies.ddp import DDPStrategy

from loops.errors import AttachError

T = TypeVar("T")


def refuse_other_strategies(trainer: pl.Trainer) -> None:
    """Of the strategies for several processes, `ddp` keeps whole weights in each, and gives the script its loop back.

    Raises:
        AttachError: If it is another.
    """
    if trainer.world_size > 1 and type(trainer.strategy) is not DDPStrategy:
        found = getattr(trainer.strategy, "strategy_name", type(trainer.strategy).__name__)
        raise AttachError(f"rounds in several processes need Trainer(strategy='ddp'); found {found!r}")


def as_the_first_has_it(trainer: pl.Trainer, find: Callable[[], T]) -> T:
    """What the first process finds, in all of them; the others do not look. Each must come here, and waits.

    Raises:
        AttachError: In the others, if the first could not find it; that one raises why.
    """
    if trainer.world_size == 1:
        return find()
    told: tuple[T | None, bool] = (None, False)
    try:
        if trainer.is_global_zero:
            told = find(), True
    finally:  # the others wait: they are told of a failure too
        told = trainer.strategy.broadcast(told)
    found, is_found = told
    if not is_found:
        raise AttachError("the first process could not go on; what it says is the reason")
    return cast(T, found)
