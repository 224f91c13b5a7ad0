from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from app.formats.archive import read_zip
from app.formats.errors import SourceError
from app.project.importing import run_import

ESCAPES = [
    "../evil.png",
    "../../evil.png",
    "a/../../evil.png",
    "a/b/../../../evil.png",
    "/evil.png",
    "//evil.png",
    "/tmp/evil.png",
    "..\\evil.png",
    "a\\..\\..\\evil.png",
    "C:\\evil.png",
    "C:evil.png",
    "\\\\host\\share\\evil.png",
    "..",
    "./../evil.png",
    "a/..",
]


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_archive_of_images_comes_in(tmp_path, make_zip, painter, database, project_id):
    archive = make_zip({"digits/a.png": painter.encoded(), "digits/b.jpg": painter.encoded("JPEG"), "notes.txt": b"x"})
    report = run_import(database, project_id=project_id, source=read_zip(archive, tmp_path / "uploads"))
    assert report.added == 2
    assert [refused.name for refused in report.refused] == ["notes.txt"]


def test_the_same_archive_again_brings_duplicates_only(tmp_path, make_zip, painter, database, project_id):
    archive = make_zip({"a.png": painter.encoded(), "b.png": painter.encoded()})
    run_import(database, project_id=project_id, source=read_zip(archive, tmp_path / "uploads"))
    report = run_import(database, project_id=project_id, source=read_zip(archive, tmp_path / "uploads"))
    assert (report.added, len(report.duplicates)) == (0, 2)
    assert len(list((tmp_path / "uploads").iterdir())) == 1


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_leaves_the_folder(tmp_path, make_zip, painter, name):
    archive = make_zip({name: painter.encoded(), "good.png": painter.encoded()})
    before = everything_below(tmp_path)
    source = read_zip(archive, tmp_path / "project" / "uploads")
    assert [entry.name for entry in source.entries] == ["good.png"]
    assert len(source.refused) == 1
    written = everything_below(tmp_path) - before
    assert written == {str((source.root / "good.png").relative_to(tmp_path))}


def test_a_name_with_a_zero_byte_is_refused(tmp_path, make_zip, painter):
    archive = make_zip({"evil.png?.txt": painter.encoded()})
    archive.write_bytes(archive.read_bytes().replace(b"evil.png?", b"evil.png\0"))
    source = read_zip(archive, tmp_path / "uploads")
    assert (source.entries, len(source.refused)) == ((), 1)


def test_links_are_refused(tmp_path, painter):
    archive = tmp_path / "links.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
        opened.writestr("good.png", painter.encoded())
    source = read_zip(archive, tmp_path / "uploads")
    assert [(refused.name, refused.reason) for refused in source.refused] == [("link.png", "is a link")]


def test_a_member_that_unpacks_beyond_what_an_image_may_have_is_refused(tmp_path, make_zip, painter):
    archive = make_zip({"huge.png": bytes(50_000_001), "good.png": painter.encoded()})
    source = read_zip(archive, tmp_path / "uploads")
    assert [(refused.name, refused.reason) for refused in source.refused] == [("huge.png", "is larger than 50 MB")]


def test_an_archive_that_unpacks_to_a_hundred_times_its_size_is_refused_whole(tmp_path, make_zip):
    archive = make_zip({f"{number}.bmp": bytes(20_000_000) for number in range(6)})
    with pytest.raises(SourceError, match="more than 100 times its size"):
        read_zip(archive, tmp_path / "uploads")
    assert everything_below(tmp_path / "uploads") == set()


def test_names_that_collide_are_refused_after_the_first(tmp_path, painter):
    archive = tmp_path / "twice.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.png", painter.encoded())
        with pytest.warns(UserWarning, match="Duplicate name"):
            opened.writestr("a.png", painter.encoded())
        opened.writestr("a.png/b.png", painter.encoded())
        opened.writestr("x" * 250 + ".png", painter.encoded())
    source = read_zip(archive, tmp_path / "uploads")
    assert len(source.entries) == 1
    assert [refused.reason for refused in source.refused] == [
        "its name collides with that of a file before it",
        "its name collides with that of a file before it",
        "a part of its name is longer than 200 bytes",
    ]


def test_a_damaged_member_is_refused_by_name(tmp_path, painter):
    archive = tmp_path / "damaged.zip"
    with zipfile.ZipFile(archive, "w") as opened:  # stored, not packed: the bytes can be found and changed
        opened.writestr("bad.png", b"needle" * 10)
        opened.writestr("good.png", painter.encoded())
    archive.write_bytes(archive.read_bytes().replace(b"needle", b"noodle", 1))
    source = read_zip(archive, tmp_path / "uploads")
    assert [entry.name for entry in source.entries] == ["good.png"]
    assert "Bad CRC-32" in source.refused[0].reason


def test_a_member_whose_packed_bytes_are_damaged_is_refused_by_name(tmp_path, painter):
    archive = tmp_path / "damaged.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as opened:
        opened.writestr("bad.png", painter.encoded())
        opened.writestr("good.png", painter.encoded())
    content = bytearray(archive.read_bytes())
    content[60] ^= 0xFF
    archive.write_bytes(content)
    source = read_zip(archive, tmp_path / "uploads")
    assert [entry.name for entry in source.entries] == ["good.png"]
    assert [refused.name for refused in source.refused] == ["bad.png"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_what_is_no_archive_is_refused_with_a_sentence(tmp_path, content):
    archive = tmp_path / "x.zip"
    archive.write_bytes(content)
    with pytest.raises(SourceError, match=r"x\.zip cannot be unpacked"):
        read_zip(archive, tmp_path / "uploads")
    assert everything_below(tmp_path / "uploads") == set()


def test_hidden_files_of_an_archive_are_skipped(tmp_path, make_zip, painter):
    archive = make_zip({"__MACOSX/._a.png": b"x", ".DS_Store": b"x", "a/.git/c": b"x", "good.png": painter.encoded()})
    source = read_zip(archive, tmp_path / "uploads")
    assert [entry.name for entry in source.entries] == ["good.png"]
    assert source.refused == ()
