"""Labels that scripts give, as class indices: whatever holds a whole number is one, and all else is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from loops.errors import AttachError

_SCALARS = (bool, int, float, np.bool_, np.number)


def class_index(label: Any) -> int:  # noqa: ANN401
    """A label as a number from 0: an int, or what holds just one, such as a tensor.

    Raises:
        AttachError: If it is none: a name, a fraction, a row of numbers, or below 0, which a loss may pass over.
    """
    number = _single(label)
    if not isinstance(number, _SCALARS) or not float(number).is_integer() or number < 0:
        raise AttachError(f"labels must be class indices 0, 1, 2, ... (None skips a sample), found {label!r}")
    return int(number)


def class_indices(labels: Any, num_classes: int | None = None) -> list[int | None]:  # noqa: ANN401
    """The labels of some samples, one after the other.

    Args:
        labels: In the order of the samples; None where there is none.
        num_classes: C; None: not known yet.

    Raises:
        AttachError: If one is no class index, or too large, or if they have no order.
    """
    if not isinstance(labels, Iterable) or isinstance(labels, Mapping | set | frozenset):
        raise AttachError(
            f"labels must come in the order of the samples, one for each, found a {type(labels).__name__}"
        )
    found = [None if label is None else class_index(label) for label in labels]
    beyond = next((label for label in found if num_classes and label is not None and label >= num_classes), None)
    if beyond is not None:
        raise AttachError(f"forward() gives {num_classes} logits, so labels must be below that, found {beyond}")
    return found


def _single(label: Any) -> Any:  # noqa: ANN401
    """What a tensor or array of one holds; anything else as it is. Without torch, which the screens do not load."""
    try:
        return label.item() if hasattr(label, "item") else label
    except (RuntimeError, ValueError):  # it holds several
        return label
