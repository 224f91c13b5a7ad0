"""Setup: make the project, or see and change its samples, classes and settings."""

import streamlit as st

from app.screens.setup_page.class_editor import class_editor
from app.screens.setup_page.import_job import current_job
from app.screens.setup_page.import_report import show_job
from app.screens.setup_page.new_project import make_project, new_project_form
from app.screens.setup_page.project_setup import add_samples_box, sample_counts, settings_editor
from app.screens.shared.failures import as_sentences
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import current_project, is_project, project_folder

job = current_job()
if is_project():
    project = current_project()
    st.title(escaped(project.settings().name), anchor=False)
    st.caption(escaped(f"{project.folder}"))
    sample_counts()
    show_job()
    samples, classes, settings = st.tabs(["Add samples", "Classes", "Settings"], key="setup_tabs")
    with samples, as_sentences():
        add_samples_box(project)
    with classes, as_sentences():
        class_editor()
    with settings, as_sentences():
        settings_editor(project)
else:
    st.title("A new project")
    st.caption(escaped(f"It will be kept in {project_folder()}"))
    entered = new_project_form(busy=job is not None and not job.finished.is_set())
    if entered is not None:
        make_project(entered)
        st.rerun()
