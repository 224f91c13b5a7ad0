"""A text on a page of the server: as text, never as Markdown or markup."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

import streamlit as st

from app.kinds.kind import Shown

TITLE = "Text"
RULES = """
.sample-text { max-width: 70ch; max-height: 24rem; overflow-y: auto; padding: .75rem 1rem; border-radius: 8px;
  font-size: 1.15rem; line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; text-align: start;
  background: color-mix(in srgb, currentColor 5%, transparent); }
.sample-text.small { height: 100px; padding: .4rem .6rem; overflow: hidden; font-size: .875rem; line-height: 1.35;
  white-space: normal; mask-image: linear-gradient(#000 calc(100% - 1.2em), transparent); }
[class*="_gallery"]:has(.sample-text) { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
.st-key-neighbors:has(.sample-text) { flex-direction: column; }
.st-key-neighbors:has(.sample-text) > *, [class*="st-key-neighbor_"]:has(.sample-text) { width: 100% !important;
  max-width: none; }
[class*="st-key-neighbor_"] .sample-text.small { height: auto; max-height: 5.6em; }
@media (max-width: 640px) { [class*="_gallery"]:has(.sample-text) { grid-auto-columns: 13rem; } }
"""


def draw(shown: Shown, *, large: bool, width: int | Literal["stretch"], alt: str) -> None:  # noqa: ARG001 - it is read
    """Draw it; its direction is its own."""
    text = shown.get("text", "This text cannot be read.")
    st.html(f'<div class="sample-text{"" if large else " small"}" dir="auto">{escape(text)}</div>')


def cell(shown: Shown) -> str:
    """Return the text."""
    return str(shown.get("text", ""))


def column() -> Any:  # noqa: ANN401 - Streamlit does not name the type
    """Draw it as text."""
    return st.column_config.TextColumn(width="large")
