"""What became of the files of an import: added, duplicates and refused ones by name and reason."""

from collections.abc import Iterable

import streamlit as st

from app.project.import_words import label_sentences
from app.project.importing import ImportReport
from app.screens.setup_page.import_job import current_job, forget_job, show_progress
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import database, is_project, project_id
from storage.refusals import Refusal, list_broken, list_refusals


def show_job() -> None:
    """Draw the import that runs, or what became of the last one, until the person closes the report."""
    job = current_job()
    if job is None:
        return
    if not job.finished.is_set():
        show_progress(job, is_drawn_as_project=is_project())
        _start_labeling()
        return
    if not job.reports:
        return
    for title, report in job.reports:
        _show(title, report)
    _start_labeling()
    st.button("Close the report", key="import_report_close", on_click=forget_job)


def why_it_failed() -> None:
    """Draw why the last import ended early, for the place under the field that names the samples."""
    job = current_job()
    if job is not None and job.finished.is_set() and job.error:
        st.error(escaped(job.error), icon=":material/error:")


def _start_labeling() -> None:
    """The next step, once there is something to label: the first samples, while others are still being read."""
    if is_project():
        with st.container(key="start_labeling"):
            st.page_link("label.py", label="Start labeling", icon=":material/label:")


def past_refusals() -> None:
    """Draw every file that was ever refused and every sample that could not be read later; nothing where none was."""
    identity = project_id()
    with database().read() as session:
        refusals = list_refusals(session, project_id=identity)
        broken = list_broken(session, project_id=identity)
    rows = [(refusal.uri, refusal.reason, _when(refusal)) for refusal in refusals]
    rows += [(sample.uri, sample.reason, "when it was to be shown or learned from") for sample in broken]
    if rows:
        with st.expander(f"Files that could not be used ({len(rows):,})", icon=":material/report:"):
            _table(rows, ("File", "Reason", "When"))


def _show(title: str, report: ImportReport) -> None:
    with st.container(border=True):
        said = [f"**{title}**: {report.added:,} added"]
        twice = len(report.duplicates)
        said += [f"{twice:,} {'duplicate' if twice == 1 else 'duplicates'}"] if twice else []
        said += [f"{len(report.refused):,} refused"] if report.refused else []
        st.markdown(", ".join(said) + ".")
        for sentence in (*label_sentences(report), *report.notes):
            st.caption(escaped(sentence))
        if report.refused_before:
            st.caption(f"{report.refused_before:,} files were refused as before.")
        if report.refused:
            st.markdown("Refused:")
            _table(((file.name, file.reason) for file in report.refused), ("File", "Reason"))
        for heading, files in (
            ("Duplicates:", report.duplicates),
            ("Found at another place:", report.moved),
            ("Labels that contradict each other:", report.taken.contradictions),
            ("Labels of unknown classes:", report.taken.unknown),
        ):
            if files:
                st.markdown(heading)
                _table(((file.name, file.reason) for file in files), ("File", "Reason"))


def _table(rows: Iterable[tuple[str, ...]], names: tuple[str, ...]) -> None:
    columns = list(zip(*rows, strict=True))
    st.dataframe(dict(zip(names, columns, strict=True)), width="stretch", hide_index=True)


def _when(refusal: Refusal) -> str:
    return refusal.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
