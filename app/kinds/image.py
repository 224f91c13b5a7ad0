"""Images: opening a file that a stranger may have made, and the verbs of the kind.

Nothing here trusts a file's name, its size on disk, its header or what it links to. Every fault of a file ends in one
`RefusedImageError` with a reason; nothing a file contains may end the process.
"""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from app.formats.errors import RefusedImageError
from app.formats.places import called, resolve_inside
from app.kinds.image_limits import max_bytes, max_pixels, too_large, too_many_pixels
from app.kinds.kind import Admitted, Columns, CopiedFile, Given, Shown, Stored

NOUN, NOUNS = "image", "images"
PREDICTORS: tuple[str, ...] = ("auto", "cnn", "features")
IN_FILES = True
HAS_COLUMNS = False

# The photos of many phones are MPO, a JPEG with further pictures behind the first; Pillow's JPEG opens them.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")
NO_IMAGE = "is not a readable PNG, JPEG, GIF, BMP, WebP, TIFF or AVIF image"
NO_SUCH_TIFF = "is a TIFF whose pixels are neither gray nor a color; save it as PNG"
TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # how such files begin, those above 4 GB too

OWN_RANGE = (0.1, 99.9)  # percentiles that are black and white: one hot pixel must not darken the rest

# Without O_NONBLOCK the open of a FIFO waits for a writer for ever.
OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

# Process-wide on purpose: `warnings.catch_warnings` is not safe when several threads decode at once.
Image.MAX_IMAGE_PIXELS = max_pixels()
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def column(names: Columns) -> str:  # noqa: ARG001 - a manifest has one form
    """Return the column of paths."""
    return "path"


def text_of(row: Mapping[str, str], names: Columns) -> str | None:  # noqa: ARG001 - it is in its file
    """Return None: the row names a file."""
    return None


def admit(given: Given) -> Admitted:
    """Read and decode the whole image once.

    Args:
        given: a file; one that resolves to a place outside its limit is refused.

    Raises:
        RefusedImageError: with the reason.
    """
    resolved = resolve_inside(given.path, given.limit)
    content = read_file(resolved)
    pixels = decode(content, verify=True)
    digest = hashlib.sha256(content).hexdigest()
    # Named as the person calls it: what a link leads to may have a hash for its name.
    return Admitted(str(called(given.path)), digest, width=pixels.shape[1], height=pixels.shape[0])


def load(uri: str, content: str | None) -> NDArray[np.uint8]:  # noqa: ARG001 - an image is in its file
    """Return the image as `load_image` does."""
    return load_image(Path(uri))


def show(sample: Stored, *, large: bool, kept: Path, side: int = 0) -> Shown:
    """Return the image as an address that needs no further request, and its own size in pixels."""
    from app.kinds.image_shown import address_of  # a run without screens encodes none

    address = address_of(sample, large=large, kept=kept, side=side)
    return {"kind": "image", "address": address, "width": sample.width, "height": sample.height}


def copy(sample: Stored) -> CopiedFile:
    """Return the file as it is.

    Raises:
        RefusedImageError: it cannot be read, or is another file by now: a label must not go with other pixels.
    """
    path = Path(sample.uri)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RefusedImageError(f"cannot be read: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != sample.sha256:
        raise RefusedImageError("cannot be read: the file has changed since it was imported; import it again")
    return CopiedFile(path.name, content)


def columns(sample: Stored) -> dict[str, str]:  # noqa: ARG001 - its name says where it is
    """Return nothing more."""
    return {}


def is_there(sample: Stored) -> bool:
    """Say whether the file still exists; on a disk that does not answer it does not."""
    return os.path.isfile(sample.uri)  # noqa: PTH113 - pathlib's raises where a disk fails or a folder may not be read


def load_image(path: Path) -> NDArray[np.uint8]:
    """Return the image as it is displayed, uint8 [height, width, channels].

    One channel for gray images, three (RGB) for all others; turned by its EXIF orientation; transparent parts white;
    the first frame of an animation or page of a TIFF; of more than 8 bits by its own range.

    Raises:
        RefusedImageError: when the file is gone or was damaged since its import.
    """
    return decode(read_file(Path(path)))


def read_file(path: Path) -> bytes:
    """Read a regular file of sensible size; never waits for a pipe or a device."""
    try:
        descriptor = os.open(path, OPEN_FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            _check_kind(os.fstat(descriptor))
            content = file.read(max_bytes() + 1)
    except (OSError, ValueError) as error:
        raise RefusedImageError(f"cannot be read: {_plain(error)}") from error
    _check_size(len(content))
    return content


def _check_kind(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise RefusedImageError("is a folder, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise RefusedImageError("is a pipe, socket or device, not a file")


def _check_size(size: int) -> None:
    if size == 0:
        raise RefusedImageError("is empty")
    if size > max_bytes():
        raise RefusedImageError(too_large())


def decode(content: bytes, *, verify: bool = False) -> NDArray[np.uint8]:
    """Decode an image held in memory to uint8 [height, width, 1 or 3], as it is displayed.

    Raises:
        RefusedImageError: with the reason.
    """
    try:
        if verify:  # finds damage that decoding forgives, such as a wrong checksum, but uses the image up: open again
            _open(content).verify()
        return _displayed(_open(content))
    except RefusedImageError:
        raise
    except UnidentifiedImageError as error:
        raise RefusedImageError(NO_SUCH_TIFF if content.startswith(TIFFS) else NO_IMAGE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RefusedImageError(too_many_pixels()) from error
    except Exception as error:  # decoders raise whatever they trip over in a broken file
        raise RefusedImageError(f"is damaged: {_plain(error)}") from error


def _open(content: bytes) -> Image.Image:
    """Read the header only."""
    image = Image.open(BytesIO(content), formats=FORMATS)
    if min(image.size) <= 0:
        raise RefusedImageError(f"has no pixels: its header says {image.width} x {image.height}")
    if image.width * image.height > max_pixels():
        raise RefusedImageError(too_many_pixels())
    return image


def _displayed(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        return _by_own_range(np.asarray(upright, dtype=np.float64))
    pixels = np.asarray(_on_white(upright) if upright.has_transparency_data else _to_8_bit(upright), dtype=np.uint8)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def _by_own_range(pixels_H_W: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Black to white by what is in the image, for the eye and the model alike.

    A camera of 12 bits uses a sixteenth of what 16 bits can hold: by the upper byte its pictures are almost black.
    """
    is_number_H_W = np.isfinite(pixels_H_W)
    low, high = np.percentile(pixels_H_W[is_number_H_W], OWN_RANGE) if is_number_H_W.any() else (0.0, 0.0)
    scaled_H_W = (np.where(is_number_H_W, pixels_H_W, low) - low) * (255.0 / (high - low) if high > low else 0.0)
    shown_H_W: NDArray[np.uint8] = scaled_H_W.clip(0, 255).round().astype(np.uint8)
    return shown_H_W[:, :, np.newaxis]


def _to_8_bit(image: Image.Image) -> Image.Image:
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Lay a transparent image on white, as a page would show it."""
    gray = image.mode in ("1", "L", "LA", "La")
    layered = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return layered.convert("L" if gray else "RGB")


def _plain(error: BaseException) -> str:
    """Say what an error says, in one line and without paths."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (said.splitlines() or [""])[0][:200] or type(error).__name__
