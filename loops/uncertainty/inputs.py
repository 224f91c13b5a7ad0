"""What a network takes: a tensor, or a dictionary, list or tuple of tensors whose first dimension is the sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor


def tensors_of(x: Any) -> list[Tensor]:  # noqa: ANN401
    """All tensors, in order."""
    found: list[Tensor] = []
    apply_to_collection(x, Tensor, found.append)
    return found


def samples_of(x: Any) -> int:  # noqa: ANN401
    """How many samples a batch holds."""
    return len(tensors_of(x)[0])


def device_of(x: Any) -> torch.device:  # noqa: ANN401
    """The device that a batch is on."""
    return tensors_of(x)[0].device


def some_of(x: Any, start: int, stop: int) -> Any:  # noqa: ANN401
    """The samples from `start` to before `stop`."""
    return apply_to_collection(x, Tensor, lambda tensor: tensor[start:stop])


def split(x: Any, rows: int) -> Iterator[Any]:  # noqa: ANN401
    """The batch in pieces of at most `rows` samples."""
    return (some_of(x, start, start + rows) for start in range(0, samples_of(x), rows))


def stacked(x: Any, copies: int) -> Any:  # noqa: ANN401
    """So many copies of each tensor behind one another: `[copies * B, ...]`."""
    return apply_to_collection(
        x, Tensor, lambda tensor: tensor.unsqueeze(0).expand(copies, *tensor.shape).flatten(0, 1)
    )


def repeated(x: Any, times: int) -> Any:  # noqa: ANN401
    """The same samples so many times, each beside its copies."""
    return apply_to_collection(x, Tensor, lambda tensor: tensor.repeat_interleave(times, 0))
