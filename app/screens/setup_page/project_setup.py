"""Setup of a project that exists: its samples, classes and settings."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from app.errors import ProjectError
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.project.project import Project
from app.project.settings import save_settings
from app.project.watched import watch, watched_as
from app.project.watching import seen_now
from app.screens.setup_page.import_box import (
    Chosen,
    Split,
    import_samples,
    keep_upload,
    source_box,
    source_name,
    what_is_wrong,
)
from app.screens.setup_page.import_job import ImportJob, current_job, start_job
from app.screens.setup_page.import_preview import ImportChoice, preview_box
from app.screens.setup_page.import_report import past_refusals, why_it_failed
from app.screens.setup_page.imports_list import imports_list
from app.screens.setup_page.settings_form import refuse_numbers, settings_fields
from app.screens.setup_page.upload_box import take_away
from app.screens.setup_page.watched_list import watched_list
from app.screens.shared.session import database, kind_name, project_classes, project_id, sample_kind
from storage.imported import count_imported
from storage.samples import count_samples

SPLITS: dict[str, Split] = {"To be labeled": "pool", "Labeled test set": "test"}


def sample_counts() -> None:
    """Draw how many samples there are, and where they stand."""
    identity = project_id()
    with database().read() as session:
        counts = count_samples(session, project_id=identity)
        imported = count_imported(session, project_id=identity)
    with st.container(horizontal=True):
        for name, value in (
            ("To be labeled", counts.pool),
            ("Labeled", counts.labeled),
            *([("of them imported", imported)] if imported else []),
            ("Skipped", counts.skipped),
            ("Test set", counts.test),
            ("Unreadable", counts.broken),
        ):
            st.metric(name, f"{value:,}", border=True, width=165)


def add_samples_box(project: Project) -> None:
    """Draw the import of further samples, and every file that could not be used so far."""
    chosen = source_box(prefix="add")
    why_it_failed()
    use = st.segmented_control(
        "Use them as", list(SPLITS), default="To be labeled", required=True, key="add_split", persist_state="session"
    )
    st.caption("A test set needs a label for each sample; it is never trained on and never asked about.")
    if can_be_watched := use != "Labeled test set" and not chosen.uploads:
        st.checkbox("Watch it: new samples come in by themselves", key="add_watch", persist_state="session")
        st.caption(
            "While the project runs. What is half written waits; a disk or a connection that is away marks nothing."
        )
    is_watched = can_be_watched and bool(st.session_state.get("add_watch"))
    wanted = preview_box(chosen, prefix="add", uploads=project.uploads_dir, classes=_class_names)
    job = current_job()
    busy = job is not None and not job.finished.is_set()
    if st.button("Add samples", key="add_samples", type="primary", icon=":material/add:", disabled=busy):
        if not chosen.given:
            raise ProjectError("Say first where the samples are: a folder, a file or an upload.")
        if said := what_is_wrong(chosen.path):
            raise ProjectError(f"Nothing was added yet. {said}")
        _start(project, chosen, use or "To be labeled", wanted, is_watched=is_watched)
        st.rerun()
    watched_list(project)
    imports_list()
    past_refusals()


def _class_names() -> list[str]:
    return [entry.name for entry in project_classes()]


def _start(project: Project, chosen: Chosen, use: str, wanted: ImportChoice, *, is_watched: bool) -> None:
    path = keep_upload(chosen, project.uploads_dir)
    reading = Reading(kind=kind_name(), outside=wanted.outside)
    how = {"labeled": wanted.labeled, "outside": wanted.outside, "new_names": wanted.new_names}
    watched = watched_as(path, **how) if is_watched else None

    def work(job: ImportJob) -> None:
        is_used = False
        try:
            opened = open_source(path, uploads=project.uploads_dir, reading=reading, progress=job.count_fetched)
            source = opened.with_classes_renamed(wanted.new_names)
            is_used = True
            seen = seen_now(source, watched) if watched is not None else {}
            import_samples(
                job, project, source, title=use, split=SPLITS[use], labeled=wanted.labeled, given_as=source_name(path)
            )
            if watched is not None:
                watch(project, watched, seen)
        finally:
            if chosen.uploads:
                take_away(Path(path), project.uploads_dir, is_used=is_used)

    start_job(work)


def settings_editor(project: Project) -> None:
    """Draw the settings and save what was changed; a value that cannot be used is refused with a sentence."""
    settings = project.settings()
    values = settings_fields(settings, prefix="settings", suiting=sample_kind().PREDICTORS)
    if st.button("Save settings", key="save_settings", type="primary", icon=":material/save:"):
        refuse_numbers(values)
        save_settings(project.settings_path, replace(settings, **values))
        st.toast("Settings saved; the next round uses them.", icon=":material/check:")
