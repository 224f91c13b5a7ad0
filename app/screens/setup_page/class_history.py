"""What was done to the classes, each with a button that takes it back."""

from zoneinfo import ZoneInfo

import streamlit as st

from app.errors import AppError
from app.project.class_changes import PastChange, past_changes, take_back
from app.screens.shared.gallery import page_of
from app.screens.shared.identity import given_name
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database, project_id
from storage.errors import StorageError

NOBODY = "Setup page"  # who it was, before anyone has said who they are
PAGE_SIZE = 10
_REFUSED_KEY = "class_undo_refused"  # (number of the change, why it was not taken back)


def who_changes() -> str:
    """The name under which changes of classes are kept."""
    return given_name() or NOBODY


def class_history() -> None:
    """Draw what was done, newest first; nothing where nothing was."""
    with database().read() as session:
        changes = past_changes(session, project_id=project_id())
    if not changes:
        return
    st.markdown("**What was done**")
    refused = st.session_state.pop(_REFUSED_KEY, (0, ""))
    for change in changes[page_of(len(changes), key="class_history", size=PAGE_SIZE)]:
        _row(change)
        if refused[0] == change.info.id:
            st.error(escaped(refused[1]), icon=":material/error:")


def _row(change: PastChange) -> None:
    zone = ZoneInfo(st.context.timezone or "UTC")  # the reader's
    when = change.info.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    with st.container(horizontal=True, vertical_alignment="center", key=f"class_change_{change.info.id}"):
        st.markdown(escaped(f"{change.said}, by {change.info.who}, {when}"))
        if change.taken_back:
            st.caption("taken back")
            return
        st.button(
            "Undo",
            key=f"undo_class_change_{change.info.id}",
            icon=":material/undo:",
            on_click=_undo,
            args=(change.info.id,),
        )


def _undo(number: int) -> None:
    try:
        with database().write() as session:
            said = take_back(session, project_id=project_id(), number=str(number), who=who_changes())
    except (AppError, StorageError) as error:
        st.session_state[_REFUSED_KEY] = (number, str(error))
        return
    st.toast(said, icon=":material/undo:")
