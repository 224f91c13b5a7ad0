"""The demo project: handwritten digits that ship with the source, made on the first ``labelloop run``."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.errors import DemoError
from app.project.creation import Progress, add_test_set, add_to_pool, make_project
from app.project.home import home_folder
from app.project.project import Project, new_project, open_project
from app.project.settings import ProjectSettings

DEMO_NAME = "Digits demo"
DEMO_CLASSES = tuple("0123456789")


def demo_folder() -> Path:
    """Return where the demo project lives."""
    return home_folder() / "demo"


def sample_data() -> Path:
    """Find ``sample_data/digits`` beside the source, where an editable install leaves it, or in the working folder.

    Raises:
        DemoError: When it is in neither.
    """
    places = (Path(__file__).resolve().parents[2], Path.cwd())
    for place in places:
        digits = place / "sample_data" / "digits"
        if (digits / "test.csv").is_file() and (digits / "pool").is_dir():
            return digits
    raise DemoError(
        "The sample data of the demo (sample_data/digits) was not found; run this in a checkout of LabelLoop, "
        "or make a project of your own images with 'labelloop init'."
    )


def open_demo(*, progress: Progress | None = None) -> Project:
    """Open the demo project, and make it first when it is not there.

    The pool's labels are not given to it: a person gives them. The test set's are.
    """
    folder = demo_folder()
    unfinished = folder.with_name("demo.unfinished")  # there while it is made: Ctrl-C half way is made good next time
    if (folder / "settings.toml").is_file():
        project = open_project(folder)
        if unfinished.exists():
            _import_again(project, progress)
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        project = _make(folder, progress)
    unfinished.unlink(missing_ok=True)
    return project


def _make(folder: Path, progress: Progress | None) -> Project:
    copied = _copy_images(new_project(folder))
    created = make_project(
        folder,
        settings=ProjectSettings(name=DEMO_NAME),
        classes=DEMO_CLASSES,
        data=copied / "pool",
        test=copied / "test.csv",
        progress=progress,
    )
    return created.project


def _import_again(project: Project, progress: Progress | None) -> None:
    """Import what is missing; what is there is a duplicate and stays as it is."""
    copied = _copy_images(project)
    add_test_set(project, copied / "test.csv", progress=progress)
    add_to_pool(project, copied / "pool", progress=progress)


def _copy_images(project: Project) -> Path:
    """Copy the digits into the project, which outlives the checkout it was made from; the pool's labels stay out."""
    digits, copied = sample_data(), project.uploads_dir / "digits"
    copied.mkdir(parents=True, exist_ok=True)
    for part in ("pool", "test"):
        shutil.copytree(digits / part, copied / part, dirs_exist_ok=True)
    shutil.copyfile(digits / "test.csv", copied / "test.csv")
    return copied
