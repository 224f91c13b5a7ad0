"""`init --embedding`: tried on the images before anything is made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import ProjectError, SettingsError
from app.formats.registry import open_source
from app.project import embedding_check
from app.project.creation import add_to_pool, make_project
from app.project.given_rows import read_order
from app.project.own_embedding import check_embedding, refuse_code
from app.project.project import Project
from app.project.settings import ProjectSettings

FUNCTION = "import numpy\ndef means(images):\n    return numpy.array([image.mean(axis=(0, 1)) for image in images])\n"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for value in range(4):
        Image.new("L", (9, 9), value * 40).save(folder / f"{value}.png")
    (folder / "2.png").write_bytes(b"broken")
    return folder


def make(folder: Path, images: Path, embedding: str, test: Path | None = None) -> Project:
    settings = ProjectSettings("mine", embedding=embedding)
    return make_project(folder / "project", settings=settings, classes=["a", "b"], data=images, test=test).project


def test_a_function_beside_the_person_is_found_again_by_a_trainer_that_runs_elsewhere(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_this_process(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[3:5] == ["-m", "app.project.embedding_check"]
        found = embedding_check.dimensions(command[5], [Path(path) for path in command[6:]])
        return subprocess.CompletedProcess(command, 0, f"{found}\n", "")

    monkeypatch.setattr(subprocess, "run", in_this_process)  # another one would load torch for three seconds
    (tmp_path / "mine.py").write_text(FUNCTION)
    monkeypatch.chdir(tmp_path)
    project = make(tmp_path, images, "mine:means")
    assert project.settings().embedding == f"{tmp_path / 'mine.py'}:means"


@pytest.mark.parametrize(
    ("embedding", "said"),
    [
        ("resnet", r"cannot be used: an embedding is given as module:function"),
        ("gone.pt", r"cannot be used: there is no file .*gone\.pt\."),
        ("no_such_module:embed", "there is no module no_such_module"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_made(
    tmp_path: Path, images: Path, embedding: str, said: str
) -> None:
    with pytest.raises(ProjectError, match=said):
        make(tmp_path, images, embedding)
    assert not (tmp_path / "project").exists()


def test_it_is_tried_on_images_that_can_be_read(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(FUNCTION)
    monkeypatch.setattr("sys.argv", ["", f"{tmp_path}/mine.py:means", f"{images}/2.png", f"{images}/3.png"])
    assert embedding_check.main() == 0
    assert capsys.readouterr().out == "3\n"
    monkeypatch.setattr("sys.argv", ["", f"{tmp_path}/mine.py:means", f"{images}/2.png"])
    assert embedding_check.main() == 1
    assert capsys.readouterr().err == "there is no image to try the embedding on\n"


def test_rows_in_the_order_of_a_folder_belong_to_its_files_by_name(tmp_path: Path, images: Path) -> None:
    np.save(tmp_path / "rows.npy", np.arange(8).reshape(4, 2))
    project = make(tmp_path, images, str(tmp_path / "rows.npy"))
    assert {Path(path).name: row for path, row in read_order(project).items()} == {
        "0.png": 0, "1.png": 1, "2.png": 2, "3.png": 3,
    }  # fmt: skip


def test_rows_that_are_named_may_come_in_any_order_and_cover_the_test_set(tmp_path: Path, images: Path) -> None:
    np.save(images / "rows.npy", np.arange(10).reshape(5, 2))
    (images / "rows.csv").write_text("path\n3.png\nt.png\n1.png\n0.png\n2.png\n")
    Image.new("L", (9, 9), 255).save(images / "t.png")
    (images / "pool.csv").write_text("path\n0.png\n1.png\n3.png\n")
    (images / "test.csv").write_text("path,label\nt.png,a\n")
    project = make(tmp_path, images / "pool.csv", str(images / "rows.npy"), test=images / "test.csv")
    assert read_order(project)[str(images / "t.png")] == 1
    (images / "new.csv").write_text("path\nnew.png\n0.png\n")
    with pytest.raises(ProjectError, match=r"1 images have no row in the array file of this project, the first is new"):
        add_to_pool(project, open_source(images / "new.csv", uploads=tmp_path))


def test_too_few_rows_or_an_image_without_one_are_refused(tmp_path: Path, images: Path) -> None:
    np.save(tmp_path / "rows.npy", np.zeros((3, 2)))
    source = open_source(images, uploads=tmp_path)
    with pytest.raises(ProjectError, match="it has 3 rows, but there are 4 files; one row per image is needed"):
        check_embedding(str(tmp_path / "rows.npy"), source, None)
    np.save(tmp_path / "rows.npy", np.zeros((4, 2)))
    (images / "other.csv").write_text("path,label\n../elsewhere.png,a\n")
    with pytest.raises(ProjectError, match=r"no row for \.\./elsewhere\.png; rows\.csv beside it can name them"):
        check_embedding(str(tmp_path / "rows.npy"), source, open_source(images / "other.csv", uploads=tmp_path))


@pytest.mark.parametrize("number", [np.nan, np.inf, -1e300])
def test_a_row_that_holds_no_usable_number_is_named(tmp_path: Path, images: Path, number: float) -> None:
    rows = np.zeros((4, 2))
    rows[3, 1] = number
    np.save(tmp_path / "rows.npy", rows)
    with pytest.raises(ProjectError, match=r"row 3, of 3\.png, holds a number that is not finite"):
        make(tmp_path, images, str(tmp_path / "rows.npy"))


def test_an_embedding_and_a_network_of_pixels_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="learns from pixels, not from an embedding"):
        ProjectSettings("mine", predictor="cnn", embedding="timm:resnet18")


def test_from_a_page_comes_data_and_no_code() -> None:
    refuse_code("")
    refuse_code("/home/me/features.npy")
    for code in ("os:system", "/home/me/evil.py:embed"):
        with pytest.raises(ProjectError, match="is given on the command line"):
            refuse_code(code)
    with pytest.raises(ProjectError, match="cannot be used: an embedding is given as"):
        refuse_code("features")
