"""A sample on the screen, whatever its kind: what the browser is sent, and what a page of the server draws."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import streamlit as st

from app.kinds.kind import Shown, kind_named
from app.screens.content import image, table, text
from app.screens.shared.session import current_project, kind_name
from storage.samples import SampleInfo

Width = int | Literal["stretch"]  # pixels

logger = logging.getLogger(__name__)


class Content(Protocol):
    """A module of this folder: what `show` of its kind gives, drawn by Streamlit."""

    TITLE: str  # of a column of a table
    RULES: str  # of style

    def draw(self, shown: Shown, *, large: bool, width: Width, alt: str) -> None:
        """Draw a sample; says so where there is nothing to see. ``alt`` is for those who do not see it."""
        ...

    def cell(self, shown: Shown) -> str:
        """Return what stands in a table."""
        ...

    def column(self) -> Any:  # noqa: ANN401 - Streamlit does not name the type
        """Return how the table draws it."""
        ...


CONTENTS: Mapping[str, Content] = {"image": image, "text": text, "table": table}


def to_send(sample: SampleInfo, *, large: bool, side: int = 0) -> Shown:
    """The sample as plain data for the browser; with nothing but its kind where there is nothing to see.

    Args:
        sample: to be shown.
        large: whether it is alone on the screen.
        side: pixels the screen has for it; 0: not known.
    """
    kind = kind_name()
    try:
        kept = current_project().thumbnails_dir
        if large:  # a page asks for each once, and two thousand photographs are no small memory
            return kind_named(kind).show(sample, large=True, side=side, kept=kept)
        return _small(kind, sample.uri, sample.sha256, str(kept), sample)
    except Exception as error:  # noqa: BLE001  a broken file raises six exception types and must not stop a screen
        logger.warning("sample %s cannot be shown: %s", sample.id, error)
        return {"kind": kind}


def draw_large(sample: SampleInfo, *, width: Width) -> None:
    """Draw the sample as what the page is about."""
    CONTENTS[kind_name()].draw(to_send(sample, large=True), large=True, width=width, alt=_in_words(sample))


def draw_small(sample: SampleInfo, *, width: Width) -> None:
    """Draw the sample as one of several."""
    CONTENTS[kind_name()].draw(to_send(sample, large=False), large=False, width=width, alt=_in_words(sample))


def _in_words(sample: SampleInfo) -> str:
    return f"Sample {sample.id}, {Path(sample.uri).name}"


def table_cell(sample: SampleInfo) -> str:
    """The sample in a table, in the column that `content_column` draws."""
    return CONTENTS[kind_name()].cell(to_send(sample, large=False))


def column_title() -> str:
    """What the column of samples is called."""
    return CONTENTS[kind_name()].TITLE


def content_column() -> Any:  # noqa: ANN401 - Streamlit does not name the type
    """How a table draws samples."""
    return CONTENTS[kind_name()].column()


# By its name too: a file that was moved away must not be shown from memory, for it cannot be embedded any more.
@st.cache_data(max_entries=2000, show_spinner=False)
def _small(kind: str, uri: str, sha256: str, kept: str, _sample: SampleInfo) -> Shown:  # noqa: ARG001
    return kind_named(kind).show(_sample, large=False, kept=Path(kept))
