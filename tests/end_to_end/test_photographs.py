"""The same on photographs, with the frozen backbone; they are not part of the repository."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from app.project.creation import make_project
from app.project.settings import ProjectSettings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

CLASSES = ("ants", "bees")
POOL, TEST = 30, 12  # photographs of each class


@pytest.fixture
def photographs(repository: Path) -> Path:
    """A folder with train/ants, train/bees, val/ants, val/bees."""
    named = os.environ.get("LABELLOOP_TEST_PHOTOGRAPHS")
    folder = Path(named) if named else repository.parent / "shared" / "data" / "hymenoptera"
    if not (folder / "train" / "ants").is_dir():
        pytest.skip("no photographs: name a folder with {train,val}/{ants,bees} in LABELLOOP_TEST_PHOTOGRAPHS")
    return folder


def copy_some(photographs: Path, images: Path) -> dict[str, int]:
    """Copy a few of each class; return the class of each by file name."""
    labels = {}
    for split, count in (("train", POOL), ("val", TEST)):
        (images / split).mkdir(parents=True)
        for index, name in enumerate(CLASSES):
            for path in sorted((photographs / split / name).iterdir())[:count]:
                shutil.copy(path, images / split)
                labels[path.name] = index
    rows = [f"{path.name},{CLASSES[labels[path.name]]}\n" for path in (images / "val").iterdir()]
    (images / "val" / "test.csv").write_text("path,label\n" + "".join(rows))
    return labels


def test_photographs_are_labeled_with_features(start, labeler, photographs, tmp_path, wait_for):
    labels = copy_some(photographs, tmp_path / "images")
    settings = ProjectSettings(name="photographs", query_size=4, mc_iterations=4)
    images = tmp_path / "images"
    created = make_project(
        tmp_path / "project",
        settings=settings,
        classes=CLASSES,
        data=images / "train",
        test=images / "val" / "test.csv",
    )
    assert created.pool.added == 2 * POOL
    running = start(created.project)
    running.labels = labels
    person = labeler(running)
    token = person.open()
    for _ in range(8):
        key = str(running.class_of(person.sample_id()) + 1)  # classes with names have the keys 1, 2, ...
        token = person.press(key, token)
    person.wait_until_saved()
    # It may be round 0: who labels before the trainer has looked at the images is asked at random meanwhile.
    measured = "SELECT count(*) FROM metrics WHERE name = 'accuracy_test'"
    wait_for(lambda: running.rows(measured) > [(0,)], "the first trained round")

    given = running.rows(
        "SELECT uri, label_events.class_index FROM label_events JOIN samples ON samples.id = sample_id"
    )
    assert len(given) == 8
    assert all(labels[Path(str(uri)).name] == class_index for uri, class_index in given)
    assert running.rows("SELECT DISTINCT learner FROM rounds") == [("features",)]
