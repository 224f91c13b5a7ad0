"""The bytes a screen shows for an image: tiny ones enlarged smoothly, photographs reduced once and kept."""

from __future__ import annotations

import base64
import io
import logging
import os
from pathlib import Path

from PIL import Image

from app.kinds.image import load_image
from app.kinds.kind import WHOLE, Stored

LARGE_SIDES = (720, 1080, 1440, 2160)  # pixels, the longer side of what is alone on the screen
ENLARGED_SIDE = 288  # pixels; a tiny image, enlarged smoothly, of a few kB; the browser does the rest
PLAIN_PIXELS = 40_000  # up to so many an image is sent without loss
SMALL_SIDE = 160  # pixels, the longer side in histories and galleries

logger = logging.getLogger(__name__)


def address_of(sample: Stored, *, large: bool, kept: Path, side: int = 0) -> str:
    """The image as an address that needs no further request.

    Args:
        sample: the image.
        large: whether it is alone on the screen.
        kept: folder of reduced images.
        side: pixels the screen has for it, device pixels counted; 0: not known.

    Raises:
        RefusedImageError: when the file cannot be read.
    """
    image = encoded(sample, side=_large_side(sample, side) if large else SMALL_SIDE, kept=kept)
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _large_side(sample: Stored, wanted: int) -> int:
    """A few sizes for all screens, so that each is reduced once; a tiny image by a whole factor."""
    longest = max(sample.width, sample.height)
    if 2 * longest <= ENLARGED_SIDE:
        return ENLARGED_SIDE
    return (
        longest
        if wanted >= WHOLE
        else min(longest, next((one for one in LARGE_SIDES if one >= wanted), LARGE_SIDES[-1]))
    )


def encoded(sample: Stored, *, side: int, kept: Path) -> bytes:
    """The image with its longer side near `side` pixels, as PNG or JPEG."""
    reduced = kept / f"{sample.sha256}-{side}.jpg"
    if reduced.is_file():
        return reduced.read_bytes()
    image = _as_image(Path(sample.uri))
    if max(image.size) * 2 <= side:
        return _enlarged(image, side)
    if max(image.size) <= side:  # nothing to reduce: its own pixels
        return (
            _encode(image, "JPEG", quality=93) if image.width * image.height > PLAIN_PIXELS else _encode(image, "PNG")
        )
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    content = _encode(image, "JPEG", quality=88)
    _keep(reduced, content)
    return content


def _as_image(path: Path) -> Image.Image:
    pixels_H_W_C = load_image(path)
    gray = pixels_H_W_C.shape[2] == 1
    return Image.fromarray(pixels_H_W_C[:, :, 0] if gray else pixels_H_W_C)


def _enlarged(image: Image.Image, side: int) -> bytes:
    # Smoothed, because people read strokes and not squares: of an 8x8 digit in hard pixels a 9 and a 5 look alike.
    factor = side // max(image.size)
    return _encode(image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC), "PNG")


def _encode(image: Image.Image, form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _keep(path: Path, content: bytes) -> None:
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:  # a full disk costs the thumbnail, not the screen
        logger.warning("thumbnail %s was not kept: %s", path.name, error)
        partial.unlink(missing_ok=True)
