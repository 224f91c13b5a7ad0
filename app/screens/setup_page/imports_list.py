"""The imports that brought labels, each of which can be taken back as one."""

import streamlit as st

from app.project.import_words import UNDOER
from app.screens.shared.identity import given_name
from app.screens.shared.plain_text import escaped
from app.screens.shared.reader_time import reader_time
from app.screens.shared.session import database, project_id
from storage.imported import ImportInfo, list_imports, undo_import
from storage.projects import get_or_create_annotator


def imports_list() -> None:
    """Draw the imports that brought labels; nothing where there is none."""
    with database().read() as session:
        found = [info for info in list_imports(session, project_id=project_id()) if info.labels]
    if not found:
        return
    with st.expander(f"Labels that came with a source ({sum(info.labels for info in found):,})"):
        for info in found:
            with st.container(horizontal=True, vertical_alignment="center"):
                when = reader_time(info.created_at)
                st.markdown(escaped(f"{info.labels:,} labels of {info.source} ({info.format}), {when}"))
                st.button("Take back", key=f"undo_import_{info.id}", on_click=_take_back, args=(info,))


def _take_back(info: ImportInfo) -> None:
    identity = project_id()
    with database().write() as session:
        annotator_id = get_or_create_annotator(session, project_id=identity, name=given_name() or UNDOER)
        count = undo_import(session, project_id=identity, import_id=info.id, annotator_id=annotator_id)
    st.toast(f"{count:,} decisions were taken back; the samples stay.", icon=":material/undo:")
