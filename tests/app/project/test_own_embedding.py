"""`init --embedding`: tried on the images before anything is made."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from app.errors import ProjectError, SettingsError
from app.formats.registry import open_source
from app.project import embedding_check, own_embedding
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
    def in_this_process(command: list[str], _: Path) -> int:
        assert command[3:5] == ["-m", "app.project.embedding_check"]
        embedding_check.main(*command[5:])
        return 0

    monkeypatch.setattr(own_embedding, "_ended", in_this_process)  # another one would load torch for three seconds
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


def test_it_is_tried_on_images_that_can_be_read(tmp_path: Path, images: Path) -> None:
    (tmp_path / "mine.py").write_text(FUNCTION)
    answer = tmp_path / "answer.json"
    given = tmp_path / "samples.json"
    given.write_text(json.dumps({"kind": "image", "samples": [[f"{images}/2.png", None], [f"{images}/3.png", None]]}))
    embedding_check.main(str(answer), f"{tmp_path}/mine.py:means", str(given))
    assert json.loads(answer.read_text()) == {"dimensions": 3}
    given.write_text(json.dumps({"kind": "image", "samples": [[f"{images}/2.png", None]]}))
    embedding_check.main(str(answer), f"{tmp_path}/mine.py:means", str(given))
    assert json.loads(answer.read_text()) == {"refused": "there is no image to try the embedding on"}


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


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("    exit(0)\n", "the embedding function failed: SystemExit: 0"),
        ("    import os; os._exit(0)\n", "it ended the program with exit code 0 before it gave an answer"),
        ("    import os; os.kill(os.getpid(), 9)\n", "it was ended by signal 9 before it gave an answer"),
        ("    input()\n", "the embedding function failed: EOFError"),
    ],
)
def test_code_that_ends_the_program_is_refused_with_a_sentence(
    tmp_path: Path, images: Path, code: str, said: str
) -> None:
    (tmp_path / "mine.py").write_text(f"def means(images):\n{code}")
    with pytest.raises(ProjectError, match=re.escape(said)):
        make(tmp_path, images, f"{tmp_path / 'mine.py'}:means")
    assert not (tmp_path / "project").exists()


def test_code_may_print_what_it_likes_and_when_it_likes(tmp_path: Path, images: Path) -> None:
    noise = (
        "import atexit, sys\nprint('7 x')\natexit.register(print, 'bye')\natexit.register(sys.stderr.write, 'bye')\n"
    )
    (tmp_path / "mine.py").write_text(noise + FUNCTION)
    assert (
        check_embedding(f"{tmp_path / 'mine.py'}:means", open_source(images, uploads=tmp_path / "u"), None).dimensions
        == 3
    )


def test_code_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_embedding, "LONGEST_TRY_S", 2.0)
    (tmp_path / "mine.py").write_text(FUNCTION)
    started = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid"
    noted = f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str({started}))"
    # In place of the check, which would load torch first.
    monkeypatch.setattr(
        sys, "executable", _script(tmp_path, f"import pathlib, subprocess, sys, time\n{noted}\ntime.sleep(60)\n")
    )
    with pytest.raises(ProjectError, match="4 images took it more than 2 s"):
        make(tmp_path, images, f"{tmp_path / 'mine.py'}:means")
    assert _ends(int((tmp_path / "pid").read_text()))


def _ends(number: int) -> bool:
    """Whether a process is gone, or waits to be collected, within the half minute before it would end by itself."""
    for _ in range(300):
        try:
            if psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


def _script(folder: Path, code: str) -> str:
    script = folder / "hangs"
    script.write_text(f"#!{sys.executable}\n{code}")
    script.chmod(0o755)
    return str(script)
