"""An import that runs beside the screens: a refresh, another click or a closed tab does not tear it.

A rerun stops a page's script at its next `st.*` call, so an import inside the script would end half-way; here a thread
does the work and the page only looks at it.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from app.errors import AppError
from app.formats.errors import ImportingError
from app.project.importing import ImportReport
from app.screens.shared.session import is_project, project_folder
from storage.errors import StorageError

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5


@dataclass
class ImportJob:
    """One import: written by its thread, read by every page."""

    doing: str = "Checked"  # or, of an address, "Fetched"
    done: int = 0  # files
    total: int = 0
    reports: list[tuple[str, ImportReport]] = field(default_factory=list)  # (what was imported, what became of it)
    error: str = ""  # why it ended early, as a sentence
    finished: threading.Event = field(default_factory=threading.Event)

    def count(self, done: int, total: int) -> None:
        """Note how far the import is."""
        self.doing, self.done, self.total = "Checked", done, total

    def count_fetched(self, done: int, total: int) -> None:
        """Note how much of an address is here."""
        self.doing, self.done, self.total = "Fetched", done, total


Work = Callable[[ImportJob], None]


@st.cache_resource(show_spinner=False)
def _jobs() -> dict[str, ImportJob]:
    return {}


def current_job() -> ImportJob | None:
    """The project's import that runs, or whose report was not closed yet."""
    return _jobs().get(str(project_folder()))


def start_job(work: Work) -> ImportJob:
    """Start an import in the place of the last one's report; a second one while one runs is not started."""
    running = current_job()
    if running is not None and not running.finished.is_set():
        return running
    job = ImportJob()
    _jobs()[str(project_folder())] = job
    threading.Thread(target=_run, args=(job, work), name="import", daemon=True).start()
    return job


def forget_job() -> None:
    """Close the report of a finished import."""
    job = current_job()
    if job is not None and job.finished.is_set():
        _jobs().pop(str(project_folder()), None)


@st.fragment(run_every=LOOK_EVERY_S)
def show_progress(job: ImportJob, *, is_drawn_as_project: bool) -> None:
    """Draw the bar until the import has ended; then the page is drawn anew, with the report."""
    if job.finished.is_set():
        st.rerun()
    text = f"{job.doing} {job.done:,} of {job.total:,} files" if job.total else "Looking for files …"
    st.progress(job.done / job.total if job.total else 0.0, text=text)
    if not is_drawn_as_project and is_project():
        st.rerun()  # the first samples are in, and may be labeled


def _run(job: ImportJob, work: Work) -> None:
    try:
        work(job)
    except (AppError, ImportingError, StorageError) as error:
        job.error = str(error)
    except Exception:
        logger.exception("an import failed")
        job.error = "The import ended early; what was added before stays. The reason stands in the server's log."
    finally:
        job.finished.set()
