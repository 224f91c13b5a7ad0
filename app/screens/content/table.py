"""A row of a table on a page of the server: a card of names and values, as text."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

import streamlit as st

from app.kinds.kind import Shown

TITLE = "Row"
RULES = """
.sample-row { max-height: 24rem; overflow: auto; padding: .25rem .5rem; border-radius: 8px;
  background: color-mix(in srgb, currentColor 5%, transparent); }
.sample-row table { width: 100%; border-collapse: collapse; font-size: .95rem; line-height: 1.35; }
.sample-row th, .sample-row td { padding: .15rem .4rem; text-align: start; vertical-align: top;
  overflow-wrap: anywhere; }
.sample-row th { width: 40%; font-weight: 400; opacity: .75; }
.sample-row .unusual { background: color-mix(in srgb, #d9822b 22%, transparent); }
.sample-row .unusual td { font-weight: 600; }
.sample-row i { margin-inline-start: .4rem; font-size: .8em; font-weight: 400; }
.sample-row.small { height: 100px; padding: .1rem .2rem; overflow: hidden;
  mask-image: linear-gradient(#000 calc(100% - 1.2em), transparent); }
.sample-row.small table { font-size: .72rem; line-height: 1.15; }
.sample-row.small th, .sample-row.small td { padding: 0 .25rem; }
.sample-row.small i { display: none; }
[class*="_gallery"]:has(.sample-row) { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
.st-key-neighbors:has(.sample-row) { flex-direction: column; }
.st-key-neighbors:has(.sample-row) > *, [class*="st-key-neighbor_"]:has(.sample-row) { width: 100% !important;
  max-width: none; }
@media (max-width: 640px) { [class*="_gallery"]:has(.sample-row) { grid-auto-columns: 13rem; } }
"""


def draw(shown: Shown, *, large: bool, width: int | Literal["stretch"], alt: str) -> None:  # noqa: ARG001 - it is read
    """Draw it; what is unusual in the pool says so."""
    lines = "".join(_line(**cell) for cell in shown.get("cells", []))
    st.html(f'<div class="sample-row{"" if large else " small"}"><table>{lines}</table></div>')


def _line(name: str, value: str, unusual: str) -> str:
    mark = f"<i>{escape(unusual)}</i>" if unusual else ""
    row = f'<th dir="auto">{escape(name)}</th><td dir="auto">{escape(value) or "not given"}{mark}</td>'
    return f'<tr class="unusual">{row}</tr>' if unusual else f"<tr>{row}</tr>"


def cell(shown: Shown) -> str:
    """Return names and values on one line."""
    return ", ".join(f"{cell['name']}: {cell['value']}" for cell in shown.get("cells", []))


def column() -> Any:  # noqa: ANN401 - Streamlit does not name the type
    """Draw it as text."""
    return st.column_config.TextColumn(width="large")
