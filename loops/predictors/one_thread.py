"""One thread for a fit: several would add up in the order in which they finish, and no fit could be repeated."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def one_thread() -> AbstractContextManager[Any]:
    """Hold the libraries of linear algebra to one thread."""
    return _controller().limit(limits=1)  # type: ignore[no-any-return]


@cache
def _controller() -> ThreadpoolController:
    """Looking for the loaded libraries takes as long as a fit; they are loaded before the first one."""
    return ThreadpoolController()
