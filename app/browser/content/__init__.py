"""One sample as the browser shows it: a file per kind, and the one that asks them; labeler and grid ask only that."""

from __future__ import annotations

from app.browser import text_of
from app.kinds.kind import KINDS


def scripts() -> str:
    """What makes a sample's element, for the script of a component."""
    return text_of(*(f"content/{name}.js" for name in ("content", *KINDS)))


def styles() -> str:
    """The rules of style of samples, for a component's."""
    return text_of(*(f"content/{name}.css" for name in KINDS))
