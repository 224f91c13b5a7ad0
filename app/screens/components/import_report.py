"""What became of the files of an import: added, duplicates and refused ones by name and reason."""

from collections.abc import Iterable, Sequence

import streamlit as st

from app.importing.run import ImportReport
from app.screens.components.session import database, project_id
from storage.samples import Refusal, list_broken, list_refusals

REPORT_KEY = "import_report"


def keep_report(title: str, report: ImportReport) -> None:
    """Keep a report for the next drawing of the page."""
    st.session_state.setdefault(REPORT_KEY, []).append((title, report))


def show_reports() -> None:
    """Draw the reports of the imports just made, until the person closes them."""
    reports: Sequence[tuple[str, ImportReport]] = st.session_state.get(REPORT_KEY, [])
    for title, report in reports:
        _show(title, report)
    if reports:
        st.button("Close the report", key="import_report_close", on_click=_forget)


def past_refusals() -> None:
    """Draw every file that was ever refused, and every sample whose file could not be read later."""
    identity = project_id()
    with database().read() as session:
        refusals = list_refusals(session, project_id=identity)
        broken = list_broken(session, project_id=identity)
    rows = [(refusal.uri, refusal.reason, _when(refusal)) for refusal in refusals]
    rows += [(sample.uri, sample.reason, "when it was to be shown or learned from") for sample in broken]
    with st.expander(f"Files that could not be used ({len(rows):,})", icon=":material/report:"):
        if rows:
            _table(rows, ("File", "Reason", "When"))
        else:
            st.caption("None so far.")


def _show(title: str, report: ImportReport) -> None:
    with st.container(border=True):
        said = [f"**{title}**: {report.added:,} added"]
        said += [f"{len(report.duplicates):,} duplicates"] if report.duplicates else []
        said += [f"{len(report.refused):,} refused"] if report.refused else []
        st.markdown(", ".join(said) + ".")
        if report.labels_ignored:
            st.caption(
                f"{report.labels_ignored:,} labels in the source were not taken over: labels are given by people."
            )
        if report.refused:
            st.markdown("Refused:")
            _table(((file.name, file.reason) for file in report.refused), ("File", "Reason"))
        if report.duplicates:
            st.markdown("Duplicates:")
            _table(((file.name, file.reason) for file in report.duplicates), ("File", "Reason"))


def _table(rows: Iterable[tuple[str, ...]], names: tuple[str, ...]) -> None:
    columns = list(zip(*rows, strict=True))
    st.dataframe(dict(zip(names, columns, strict=True)), width="stretch", hide_index=True)


def _when(refusal: Refusal) -> str:
    return refusal.created_at.astimezone().strftime("%Y-%m-%d %H:%M")


def _forget() -> None:
    st.session_state.pop(REPORT_KEY, None)
