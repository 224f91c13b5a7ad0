"""The bytes a screen shows for an image: tiny ones enlarged smoothly, photographs reduced once and kept."""

from __future__ import annotations

import base64
import io
import logging
import os
from pathlib import Path

from PIL import Image

from app.kinds.image import load_image
from app.kinds.kind import Stored

LARGE_SIDE = 720  # pixels, the longer side of what is alone on the screen
ENLARGED_SIDE = 288  # pixels; a tiny image, enlarged smoothly, of a few kB; the browser does the rest
SMALL_SIDE = 160  # pixels, the longer side in histories and galleries

logger = logging.getLogger(__name__)


def address_of(sample: Stored, *, large: bool, kept: Path) -> str:
    """The image as an address that needs no further request.

    Raises:
        RefusedImageError: when the file cannot be read.
    """
    image = encoded(sample, side=_large_side(sample) if large else SMALL_SIDE, kept=kept)
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _large_side(sample: Stored) -> int:
    return ENLARGED_SIDE if 2 * max(sample.width, sample.height) <= LARGE_SIDE else LARGE_SIDE


def encoded(sample: Stored, *, side: int, kept: Path) -> bytes:
    """The image with its longer side near `side` pixels, as PNG or JPEG."""
    reduced = kept / f"{sample.sha256}-{side}.jpg"
    if reduced.is_file():
        return reduced.read_bytes()
    image = _as_image(Path(sample.uri))
    if max(image.size) * 2 <= side:
        return _enlarged(image, side)
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
