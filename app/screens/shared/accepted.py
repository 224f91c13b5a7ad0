"""How many of the wrong suggestions, which are shown on purpose, people accepted: one sentence."""

from collections.abc import Sequence

import streamlit as st

from app.screens.shared.identity import given_name
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database, project_id
from storage.suggestions import Acceptance, seeded_acceptances

_WHY = "Now and then one is wrong on purpose, to see who looks."


def accepted_line() -> None:
    """Draw the sentence; nothing before anybody decided beside such a suggestion."""
    with database().read() as session:
        found = seeded_acceptances(session, project_id=project_id())
    if found:
        st.caption(escaped(accepted_sentence(found, reader=given_name())))


def accepted_sentence(found: Sequence[Acceptance], *, reader: str) -> str:
    """Say who accepted how many.

    Args:
        found: One of each person, at least one.
        reader: Who reads it is "you", and comes first.
    """
    ordered = sorted(found, key=lambda one: one.annotator != reader)
    said = [f"{'you' if one.annotator == reader else one.annotator} {one.words}" for one in ordered]
    sentence = "; ".join(said)
    return f"{sentence[0].upper() if ordered[0].annotator == reader else sentence[0]}{sentence[1:]}. {_WHY}"
