"""The Label screen as it would be with Streamlit's own buttons: a fragment, `st.button(shortcut=...)`, no prefetching.

Run by bench_labeler_latency.py for comparison; the project's folder comes in LABELLOOP_PROJECT.
"""

import streamlit as st

from app.screens.content.sample import draw_large
from app.screens.shared.session import database, project_id
from storage.labels import record_decision
from storage.projects import get_or_create_annotator, list_classes
from storage.queue import claim_batch


def decide(token: str, sample_id: int, class_index: int) -> None:
    """Store one label."""
    identity = project_id()
    with database().write() as session:
        record_decision(
            session,
            project_id=identity,
            sample_id=sample_id,
            annotator_id=get_or_create_annotator(session, project_id=identity, name="buttons"),
            action="label",
            class_index=class_index,
            request_id=token,
        )


@st.fragment
def labeling() -> None:
    """One sample and a button for each class."""
    identity = project_id()
    with database().write() as session:
        person = get_or_create_annotator(session, project_id=identity, name="buttons")
        [claimed] = claim_batch(session, project_id=identity, annotator_id=person, count=1)
        classes = list_classes(session, project_id=identity)
    with st.container(key="sample"):
        draw_large(claimed.sample, width="stretch")
    with st.container(key=f"token_{claimed.token}", horizontal=True):
        for entry in classes:
            key = f"{entry.index}_{claimed.token}"
            given = (claimed.token, claimed.sample.id, entry.index)
            st.button(entry.name, key=key, shortcut=entry.name, on_click=decide, args=given)


labeling()
