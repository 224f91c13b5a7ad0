"""Review's part on several annotators: how far they agree, and the samples on which they do not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.project.agreement import Agreement, agreement, alpha_words
from app.screens.review_page.disagreements import disagreement_queue
from app.screens.shared.accepted import accepted_line
from app.screens.shared.session import current_project, database, project_id
from storage.engine import Session
from storage.labels import last_event_id
from storage.votes import list_disagreements, list_votes

_WIDTH = 165  # pixels; a metric's name in full, and two beside each other on a phone
_ROW = 35  # pixels


def agreement_box(classes: Sequence[str], *, hidden: frozenset[int]) -> None:
    """Draw the figures, the pairs and the queue.

    Args:
        classes: class names in their order.
        hidden: samples that others are still to decide on, blind.
    """
    identity = project_id()
    with database().read() as session:
        last = last_event_id(session, project_id=identity)
        found = _measured(current_project().database_url, identity, last, session)
        disputed = [each for each in list_disagreements(session, project_id=identity) if each.sample_id not in hidden]
    accepted_line()
    if not found.samples:
        _nothing_yet()
        return
    _figures(found, disputed=len(disputed))
    _pairs(found)
    disagreement_queue(disputed, classes)


# Events are only appended, so the last one's id tells whether anything changed since agreement was measured.
@st.cache_data(max_entries=4, show_spinner=False)
def _measured(database_url: str, identity: int, last: int, _session: Session) -> Agreement:  # noqa: ARG001
    return agreement(list_votes(_session, project_id=identity))


def _nothing_yet() -> None:
    if current_project().settings().overlap == 1:
        advice = "To have some labeled twice, set 'Annotators per sample' on the Setup screen to 2 or more."
    else:
        advice = "The overlapping samples come to the second annotator between the others."
    st.info(f"No sample has labels of two annotators yet. {advice}", icon=":material/group:")


def _figures(found: Agreement, *, disputed: int) -> None:
    with st.container(horizontal=True, key="agreement_figures"):
        alpha = "-" if found.alpha is None else f"{found.alpha:.3f}"  # .797 is not yet the .8 of the sentence below
        st.metric(
            "Krippendorff's alpha",
            alpha,
            width=_WIDTH,
            help="Agreement of all annotators beyond chance: 1 is perfect, 0 is what chance gives.",
        )
        st.metric("Samples behind it", f"{found.samples:,}", width=_WIDTH)
        st.metric("All agree on", f"{100 * found.unanimous / found.samples:.0f} %", width=_WIDTH)
        st.metric("Still disputed", f"{disputed:,}", width=_WIDTH)
    st.caption(alpha_words(found.alpha))


def _pairs(found: Agreement) -> None:
    rows = pd.DataFrame(
        {
            "Annotators": [f"{pair.first} and {pair.second}" for pair in found.pairs],
            "Samples": [pair.samples for pair in found.pairs],
            "Same label": [100 * pair.same / pair.samples for pair in found.pairs],
            "Cohen's kappa": [pair.kappa for pair in found.pairs],
        }
    )
    st.dataframe(
        rows,
        hide_index=True,
        key="agreement_pairs",
        height=min(12, len(rows) + 1) * _ROW + 3,
        column_config={
            "Samples": st.column_config.NumberColumn("Samples in common"),
            "Same label": st.column_config.NumberColumn(format="%.0f %%"),
            "Cohen's kappa": st.column_config.NumberColumn(
                format="%.2f",
                help="Agreement of the two beyond chance: 1 is perfect, 0 is what chance gives. "
                "Empty where both gave one class only.",
            ),
        },
    )
