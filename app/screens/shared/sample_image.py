"""The bytes a screen shows for a sample: tiny images enlarged smoothly, photographs reduced once and kept."""

import base64
import io
import logging
import os
from pathlib import Path

import streamlit as st
from PIL import Image, ImageDraw

from app.kinds.image import load_image
from app.screens.shared.session import current_project
from storage.samples import SampleInfo

LARGE_SIDE = 720  # pixels, the longer side of the sample on the Label screen
THUMBNAIL_SIDE = 160  # pixels, the longer side in histories and galleries
PLACEHOLDER_COLOR = (128, 128, 128)
UNREADABLE = "data:,"  # no browser takes it for an image; the pages for deciding say so, and label no such sample

logger = logging.getLogger(__name__)


def large(sample: SampleInfo) -> bytes:
    """The sample as large as the Label screen shows it (PNG or JPEG)."""
    return image_bytes(sample, side=LARGE_SIDE, folder=current_project().thumbnails_dir)


def thumbnail(sample: SampleInfo) -> bytes:
    """The sample for a history or a gallery (PNG or JPEG)."""
    return image_bytes(sample, side=THUMBNAIL_SIDE, folder=current_project().thumbnails_dir)


def to_decide(sample: SampleInfo, *, side: int) -> str:
    """The sample as an address for a page on which it gets a label; UNREADABLE if there is nothing to see."""
    image = _readable(sample, side, current_project().thumbnails_dir)
    return UNREADABLE if image is None else data_url(image)


def data_url(image: bytes) -> str:
    """An encoded image as an address that needs no further request."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def image_bytes(sample: SampleInfo, *, side: int, folder: Path) -> bytes:
    """The sample with its longer side near `side` pixels; a plain placeholder if the file cannot be read."""
    return _readable(sample, side, folder) or _placeholder(side)


def _readable(sample: SampleInfo, side: int, folder: Path) -> bytes | None:
    try:
        return _encoded(sample.uri, sample.sha256, side, str(folder))
    except Exception as error:  # noqa: BLE001  a broken file raises six exception types and must not stop a screen
        logger.warning("sample %s cannot be shown: %s", sample.id, error)
        return None


@st.cache_data(max_entries=2000, show_spinner=False)
def _encoded(uri: str, sha256: str, side: int, folder: str) -> bytes:
    kept = Path(folder) / f"{sha256}-{side}.jpg"
    if kept.is_file():
        return kept.read_bytes()
    image = _as_image(Path(uri))
    if max(image.size) * 2 <= side:
        return _enlarged(image, side)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    content = _encode(image, "JPEG", quality=88)
    _keep(kept, content)
    return content


def _as_image(path: Path) -> Image.Image:
    pixels_H_W_C = load_image(path)
    gray = pixels_H_W_C.ndim == 3 and pixels_H_W_C.shape[2] == 1
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


def _placeholder(side: int) -> bytes:
    image = Image.new("RGB", (side, side), PLACEHOLDER_COLOR)
    draw = ImageDraw.Draw(image)
    draw.text((side / 2, side / 2), "cannot be read", fill="white", anchor="mm", font_size=max(10, side // 12))
    return _encode(image, "PNG")
