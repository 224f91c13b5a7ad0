"""300 names that would lead out of a folder, as members of an archive, rows of a manifest and names of classes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from app.formats.archive import read_zip
from app.formats.copies import safe_names
from app.formats.csv_file import read_csv
from app.project.importing import run_import

WAYS_UP = (
    "../", "../../", "../../../../../../", "./../", "a/../../", "a/b/../../../", "//", "/", "..//", ".//../",
    "..\\", "..\\..\\", "a\\..\\..\\", "\\\\host\\share\\", "C:\\", "C:", "C:/", "\\\\?\\C:\\", "~/../", "../~/",
    "..\\../", "../..\\", "/proc/self/root/", "/dev/fd/../", "....//../",
)  # fmt: skip
TARGETS = (
    "evil.png", "outside/evil.png", "etc/passwd", "etc/passwd\0.png", ".ssh/evil.png", "labelloop.db",
    "settings.toml", "rounds/0001/model.ckpt", "tmp/evil.png", "secret.png", "evil.png/", "..",
)  # fmt: skip
NAMES = [way + target for way, target in product(WAYS_UP, TARGETS)]


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_are_three_hundred_names_and_all_differ():
    assert len(set(NAMES)) == 300


def test_no_member_of_an_archive_is_written_outside_its_folder(tmp_path, make_zip, painter):
    members = [name for name in NAMES if "\0" not in name]  # there a zip's name ends
    archive = make_zip(dict.fromkeys(members, painter.encoded()) | {"good.png": painter.encoded()})
    before = everything_below(tmp_path)
    source = read_zip(archive, tmp_path / "project" / "uploads")
    written = everything_below(tmp_path).keys() - before.keys()
    assert all((tmp_path / name).resolve().is_relative_to(source.root) for name in written)
    assert before.items() <= everything_below(tmp_path).items()
    assert all(entry.path.resolve().is_relative_to(source.root) for entry in source.entries)
    assert "good.png" in [entry.name for entry in source.entries]


def test_no_row_of_a_manifest_reads_a_file_outside_its_folder(tmp_path, painter, database, project_id):
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "deep"):
        for target in ("evil.png", "outside/evil.png", "secret.png", "tmp/evil.png"):
            (folder / target).parent.mkdir(exist_ok=True)
            (folder / target).write_bytes(painter.encoded())
    rows = "".join(f'"{name}"\n' for name in NAMES)
    (inside / "list.csv").write_bytes(f"path\n{rows}".encode())
    report = run_import(database, project_id=project_id, source=read_csv(inside / "list.csv"))
    assert report.added == 0
    assert len(report.refused) == 300


@pytest.mark.parametrize("start", range(0, 300, 100))
def test_no_class_makes_a_folder_outside_the_export(start):
    names = safe_names(NAMES[start : start + 100])
    assert len({name.casefold() for name in names}) == 100
    assert all(Path(name).name == name and name not in {".", ".."} for name in names)
