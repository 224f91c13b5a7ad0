"""The border where errors become sentences: no screen ever shows a traceback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.errors import AppError
from app.formats.errors import ImportingError
from app.screens.shared.gone import is_gone, say_gone
from app.screens.shared.plain_text import escaped
from storage.errors import StorageError

logger = logging.getLogger(__name__)


@contextmanager
def as_sentences() -> Iterator[None]:
    """Show an error raised inside as a sentence. Fragments need their own: they rerun without the page around them."""
    try:
        yield
    except (StorageError, AppError, ImportingError) as error:
        if is_gone():
            say_gone()
        else:
            st.error(escaped(str(error)), icon=":material/error:")
    except Exception:
        logger.exception("a screen failed")
        st.error(
            "This screen could not be drawn; your labels are safe. The reason stands in the server's log.",
            icon=":material/error:",
        )
