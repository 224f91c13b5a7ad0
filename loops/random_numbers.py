"""Whoever draws random numbers in a script: torch, NumPy or Python, all seeded together."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seeds torch on all devices, NumPy's old generator and Python's own."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the one that other people's datasets and modules draw from
    random.seed(seed)


@contextmanager
def random_numbers_of(seed: int) -> Iterator[None]:
    """Random numbers that follow from a seed; afterwards the process goes on with its own."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    on_gpu = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    seed_all(seed)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        random.setstate(states[2])
        if on_gpu is not None:
            torch.cuda.set_rng_state_all(on_gpu)


def draws(act: Callable[[], object]) -> bool:
    """Whether something draws random numbers in this process."""
    with random_numbers_of(0):
        before = _numbers_ahead()
        act()
        return before != _numbers_ahead()


def _numbers_ahead() -> tuple[bytes, object, object]:
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    return torch.get_rng_state().numpy().tobytes(), (state["key"].tobytes(), state["pos"]), random.getstate()
