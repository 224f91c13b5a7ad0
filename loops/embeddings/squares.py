"""An image of any size and mode as the square that a network takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TRANSFORM = "squares 1"  # how an image becomes network input; another word makes every store compute its rows anew


def to_square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Brings an image of any size and mode to a square, `[side, side, 3]`.

    Squeezed rather than cropped: what is at the border may be what the label is about. Transparency is laid over white.

    Raises:
        ValueError: If it is no image.
    """
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or image.dtype != np.uint8 or 0 in image.shape or image.shape[2] > 4:
        raise ValueError(f"an image is uint8 [H, W, 1..4], found {image.dtype} {list(image.shape)}")
    if image.shape[2] in (2, 4):
        image = _over_white(image)
    if image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    if image.shape[:2] == (side, side):
        return image
    # In two steps: which direction Pillow takes first, and so the last bit, differs among its versions.
    narrow = Image.fromarray(image, "RGB").resize((side, len(image)), Image.Resampling.BILINEAR)
    return np.asarray(narrow.resize((side, side), Image.Resampling.BILINEAR), np.uint8)


def _over_white(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = image[:, :, -1:].astype(np.float32) / 255
    blended: NDArray[np.uint8] = np.rint(image[:, :, :-1] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return blended
