"""The form that makes the folder a project: name, samples, classes, test set, settings."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from app.errors import ProjectError
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.formats.source import Source
from app.project.class_changes import names_in
from app.project.creation import create_with_embedding, nothing_left_behind
from app.project.importing import refuse_unusable
from app.project.own_embedding import refuse_code
from app.project.project import Project
from app.project.settings import RECOMMENDED_NETWORK, ProjectSettings
from app.screens.setup_page.download_box import download_box
from app.screens.setup_page.import_box import (
    Chosen,
    import_samples,
    keep_upload,
    place_of,
    source_box,
    source_name,
    what_is_wrong,
)
from app.screens.setup_page.import_job import ImportJob, start_job
from app.screens.setup_page.import_preview import ImportChoice, preview_box
from app.screens.setup_page.import_report import show_job, why_it_failed
from app.screens.setup_page.settings_form import refuse_numbers, settings_fields
from app.screens.setup_page.typed import stays
from app.screens.setup_page.upload_box import take_away
from app.screens.shared.failures import as_sentences
from app.screens.shared.plain_text import escaped
from app.screens.shared.session import project_folder


@dataclass(frozen=True)
class NewProject:
    """What the person entered."""

    settings: ProjectSettings
    samples: Chosen
    classes: tuple[str, ...]
    test_csv: str
    wanted: ImportChoice


def new_project_form(*, busy: bool) -> NewProject | None:
    """Draw two fields and a button, and all else behind Advanced; what was entered once it is sent.

    Args:
        busy: whether an import runs: the form stays as it is, so that nothing typed or uploaded is lost if it fails.
    """
    samples = source_box(prefix="new")
    why_it_failed()
    show_job()
    main = st.container()
    with st.expander("Advanced", icon=":material/tune:"):
        name, test_csv, values, wanted = _advanced(samples)
    with main:
        classes = _classes_field()
        if st.button("Create the project", key="create", type="primary", icon=":material/add:", disabled=busy):
            with as_sentences():
                return _entered(name, samples, classes, test_csv, values, wanted)
    return None


def _classes_field() -> str:
    classes = st.text_area(
        "Classes", key="new_classes_text", persist_state="session", placeholder="cat, dog", height=100
    )
    st.caption("One per line or with commas. Left empty: the names of the folders, or the labels of the CSV.")
    return classes


def _advanced(samples: Chosen) -> tuple[str, str, dict[str, Any], ImportChoice]:
    """Everything that has a good default: the name, labels that come along, a test set, the settings."""
    folder = project_folder()
    name: str = st.text_input("Name of the project", **stays("new_name", folder.name))
    with as_sentences():
        ProjectSettings(name=name.strip())
    wanted = preview_box(samples, prefix="new", uploads=Project(folder).uploads_dir, classes=lambda: ())
    test_csv = st.text_input(
        "Labeled test set (a file, optional)",
        key="new_test_csv",
        persist_state="session",
        placeholder="/home/me/test.csv",
    )
    if said := what_is_wrong(test_csv):
        st.error(escaped(said), icon=":material/error:")
    st.caption(
        "Rows like the others, each with a label. It is never trained on: accuracy is measured on it, beside the "
        "audit samples."
    )
    values = settings_fields(ProjectSettings(name="new"), prefix="new") | embedding_field()
    return name, test_csv, values, wanted


def embedding_field() -> dict[str, str]:
    """Features that somebody computed or a network of one's own; never a function, which would be code from a page."""
    source = st.text_input(
        "Your own features (optional)",
        key="new_embedding",
        persist_state="session",
        placeholder="/home/me/features.npy",
    ).strip()
    with as_sentences():
        refuse_code(source)
    st.caption(
        "An array file `.npy` with a row per image, a TorchScript file `.pt` or an `.onnx` file, on the machine "
        "LabelLoop runs on; or a network by its name, `timm:NAME`, `open_clip:MODEL/WEIGHTS` or, of texts, "
        f"`sentence-transformers:NAME`. Recommended for photographs: DINOv2 small, `{RECOMMENDED_NETWORK}`. A Python "
        "function runs code: give it to `labelloop init --embedding`."
    )
    download_box(source)
    return {"embedding": source}


def _entered(
    name: str, samples: Chosen, classes: str, test_csv: str, values: dict[str, Any], wanted: ImportChoice
) -> NewProject:
    """What was entered, or why nothing can be made of it; beside its field it is said too."""
    if not samples.given:
        raise ProjectError("Say first where the samples are: a folder, a file or an upload.")
    for said in (what_is_wrong(samples.path), what_is_wrong(test_csv)):
        if said:
            raise ProjectError(f"Nothing was made yet. {said}")
    refuse_code(values["embedding"])
    refuse_numbers(values)
    settings = replace(ProjectSettings(name=name.strip()), **values)
    return NewProject(settings, samples, tuple(names_in(classes)), test_csv.strip(), wanted)


def make_project(entered: NewProject) -> None:
    """Make the project and import its samples, in a thread of its own."""
    planned = Project(project_folder())
    path = keep_upload(entered.samples, planned.uploads_dir)
    start_job(lambda job: _make(job, planned, entered, path))


def _make(job: ImportJob, planned: Project, entered: NewProject, path: Path | str) -> None:
    """A wrong path is refused before anything is made."""
    uploads, is_used = planned.uploads_dir, False
    try:
        with nothing_left_behind(planned.folder):
            reading = Reading(outside=entered.wanted.outside)
            opened = open_source(path, uploads=uploads, reading=reading, progress=job.count_fetched)
            source = opened.with_classes_renamed(entered.wanted.new_names)
            as_pool = replace(reading, kind=source.kind)
            test = _open_test(entered.test_csv, uploads, as_pool, job) if entered.test_csv else None
            classes = entered.classes or source.class_names or (test.class_names if test else ())
            refuse_unusable(source)
            if test is not None:
                refuse_unusable(test)
        project = create_with_embedding(
            planned.folder, settings=entered.settings, classes=classes, pool=source, test=test
        )
        is_used = True
        if test is not None:  # first: an image that is in both must not be trained on
            import_samples(job, project, test, title="Test set", split="test")
        import_samples(
            job,
            project,
            source,
            title="Samples",
            split="pool",
            labeled=entered.wanted.labeled,
            given_as=source_name(path),
        )
    finally:
        if entered.samples.uploads:
            take_away(Path(path), uploads, is_used=is_used)


def _open_test(typed: str, uploads: Path, as_pool: Reading, job: ImportJob) -> Source:
    return open_source(place_of(typed), uploads=uploads, reading=as_pool, progress=job.count_fetched)
