"""An image on a page of the server."""

from __future__ import annotations

import io
from functools import cache
from typing import Any, Literal

import streamlit as st

from app.kinds.kind import Shown

TITLE = "Image"
RULES = """
[class*="st-key-pick_"] img { width: 100%; height: 100px; object-fit: contain; border-radius: 6px;
  background: color-mix(in srgb, currentColor 6%, transparent); }
[class*="st-key-neighbor_"] img { height: 84px; object-fit: contain; border-radius: 6px;
  background: color-mix(in srgb, currentColor 6%, transparent); }
"""

_PLACEHOLDER_COLOR = (128, 128, 128)
_SIDE = 160  # pixels, of a placeholder


def draw(shown: Shown, *, large: bool, width: int | Literal["stretch"], alt: str) -> None:  # noqa: ARG001 - its bytes are
    """Draw it; a plain placeholder if the file cannot be read."""
    is_readable = "address" in shown
    image = shown["address"] if is_readable else _placeholder()
    st.image(image, width=width, alt=alt if is_readable else f"{alt}, cannot be read")


def cell(shown: Shown) -> str:
    """Return its address."""
    return str(shown.get("address", ""))


def column() -> Any:  # noqa: ANN401 - Streamlit does not name the type
    """Draw the addresses as images."""
    return st.column_config.ImageColumn(width="small")


@cache
def _placeholder() -> bytes:
    from PIL import Image, ImageDraw  # a fifth of a second that no start of a page should pay for

    image, buffer = Image.new("RGB", (_SIDE, _SIDE), _PLACEHOLDER_COLOR), io.BytesIO()
    middle = (_SIDE / 2, _SIDE / 2)
    ImageDraw.Draw(image).text(middle, "cannot be read", fill="white", anchor="mm", font_size=_SIDE // 12)
    image.save(buffer, "PNG")
    return buffer.getvalue()
