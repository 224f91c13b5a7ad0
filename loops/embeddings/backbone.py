"""What is stored for a sample: pixels, features of a pretrained network, or what one's own embedding makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PIXELS = re.compile(r"pixels-(\d+)")

# From rows, and a generator of torch that draws, to rows distorted so little that they keep their label.
Distort = Callable[[NDArray[np.generic], Any], NDArray[np.generic]]


@dataclass(frozen=True)
class Backbone:
    """What is stored for a sample."""

    name: str
    side: int  # pixels; images are brought to this square; 0: they stay as they are, or are none
    row_shape: tuple[int, ...]  # of pixels: for colors; a store of gray images has one channel until the first color.
    # Empty of one's own embedding, and of one that is fitted to the pool: the first rows tell.
    made_by: str  # what rows depend on besides the sample: the transform, and the weights of the network
    source: str = field(default="", repr=False)  # of one's own embedding, as it was given
    has_columns: bool = False  # whether each number of a row means something by itself, as a table's columns do

    @property
    def is_pixels(self) -> bool:
        """Whether rows are the images themselves."""
        return is_pixels(self.name)

    @property
    def dtype(self) -> str:
        """Type of the numbers of a row."""
        return dtype_of(self.name)


def dtype_of(name: str) -> str:
    """Type of the numbers that a backbone's rows consist of; pixels are bytes."""
    return "uint8" if _PIXELS.fullmatch(name) else "float32"


def is_pixels(name: str) -> bool:
    """Whether rows of a backbone of this name are the images themselves."""
    return _PIXELS.fullmatch(name) is not None
