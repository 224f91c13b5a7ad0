"""What every loop here adds to Lightning's `Loop` protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from loops.lightning_private import WrappingLoop

__all__ = ["WrappingLoop", "no_silent_end"]

P = ParamSpec("P")
T = TypeVar("T")


def no_silent_end(advance: Callable[P, T]) -> Callable[P, T]:
    """Turns a stray `StopIteration` inside `advance` into an error.

    `Loop.run` of Lightning 1.9 takes a `StopIteration` from anywhere below `advance`, a `next()` on an empty iterator
    say, for the end of the loop, and the run ends early without a word. The same decision as PEP 479 took for
    generators.

    Raises:
        RuntimeError: In place of the `StopIteration`, which is its cause.
    """

    @wraps(advance)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return advance(*args, **kwargs)
        except StopIteration as error:
            raise RuntimeError("advance() raised StopIteration; a loop ends by `done` alone") from error

    return guarded
