from __future__ import annotations

from pathlib import Path

import pytest

from app.formats.csv_file import read_csv
from app.formats.errors import SourceError
from app.formats.folders import read_folder
from app.formats.registry import open_source
from app.formats.source import printable
from app.project.importing import run_import
from storage.projects import create_project
from storage.samples import list_samples


def manifest(folder: Path, content: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_rows_keep_their_order_and_their_labels(tmp_path):
    source = read_csv(manifest(tmp_path, "path,label\nb.png,cat\na.png,\n"))
    assert [(entry.name, entry.class_name) for entry in source.entries] == [("b.png", "cat"), ("a.png", "")]
    assert source.labels_given == 1


def test_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    source = read_csv(manifest(tmp_path, b"\xef\xbb\xbfpath,label\r\na.png,cat\r\n\r\n"))
    assert [(entry.name, entry.class_name) for entry in source.entries] == [("a.png", "cat")]


def test_a_manifest_without_labels_is_fine(tmp_path):
    assert [entry.class_name for entry in read_csv(manifest(tmp_path, "path\na.png\n")).entries] == [""]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("file,label\na.png,cat\n", "no column `path`: wanted path,label, found file, label"),
        ("nummer;label\na.png;cat\n", "found nummer, label"),
        ("", "labels.csv is empty"),
        (b"path,label\n\xff\xfe,cat\n", "not UTF-8"),
        ("path,label\n".encode("utf-16-le") + b"\xff", "not UTF-8"),
        ('path,label\na.png,cat\n"b.png\nc.png,cat\nd.png,cat\n', "cannot be read from line 3 on: unexpected end"),
    ],
)
def test_a_manifest_that_is_none_is_refused_with_a_sentence(tmp_path, content, words):
    with pytest.raises(SourceError, match=words):
        read_csv(manifest(tmp_path, content))


def test_rows_that_lead_out_of_the_folder_are_refused_by_name(tmp_path, painter, database, project_id):
    (tmp_path / "outside.png").write_bytes(painter.encoded())
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.png").write_bytes(painter.encoded())
    rows = ["../outside.png", str(tmp_path / "outside.png"), "a.png", "gone.png", "/etc/passwd", "~/x.png", "a\0.png"]
    report = run_import(database, project_id=project_id, source=read_csv(manifest(inside, "path\n" + "\n".join(rows))))
    assert report.added == 1
    assert [refused.name for refused in report.refused] == [printable(row) for row in rows if row != "a.png"]


def test_a_row_that_is_there_twice_is_a_duplicate(tmp_path, painter, database, project_id):
    (tmp_path / "a.png").write_bytes(painter.encoded())
    report = run_import(
        database, project_id=project_id, source=read_csv(manifest(tmp_path, "path\na.png\na.png\n./a.png\n"))
    )
    assert report.added == 1
    assert [duplicate.name for duplicate in report.duplicates] == ["a.png", "./a.png"]


def test_labels_of_the_pool_are_not_taken_over_but_counted(tmp_path, painter, database, project_id):
    (tmp_path / "a.png").write_bytes(painter.encoded())
    report = run_import(database, project_id=project_id, source=read_csv(manifest(tmp_path, "path,label\na.png,1\n")))
    assert report.labels_ignored == 1
    with database.read() as session:
        assert [sample.class_index for sample in list_samples(session, project_id=project_id, split="pool")] == [None]


def test_a_test_sample_needs_a_label_the_project_knows(tmp_path, painter, database, project_id):
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(painter.encoded())
    source = read_csv(manifest(tmp_path, "path,label\na.png,1\nb.png,\nc.png,cat\n"))
    report = run_import(database, project_id=project_id, source=source, split="test", classes=["0", "1"])
    assert [refused.reason for refused in report.refused] == [
        "has no label, and a test sample needs one",
        "its label cat is none of the project's classes",
    ]
    with database.read() as session:
        assert [sample.class_index for sample in list_samples(session, project_id=project_id, split="test")] == [1]


def test_a_test_image_that_is_in_the_pool_already_is_no_test_sample(tmp_path, painter, database, project_id):
    content = painter.encoded()
    for folder in ("pool", "1"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(content)
    run_import(database, project_id=project_id, source=read_folder(tmp_path / "pool"))
    (tmp_path / "test").mkdir()
    (tmp_path / "1").rename(tmp_path / "test" / "1")
    source = read_folder(tmp_path / "test")
    report = run_import(database, project_id=project_id, source=source, split="test", classes=["0", "1"])
    assert report.added == 0
    assert [duplicate.reason for duplicate in report.duplicates] == [
        f"is the same image as {tmp_path / 'pool' / 'a.png'}"
    ]


def test_folders_name_the_classes_of_their_files(tmp_path, painter):
    for name in ("ants/a.png", "bees/b.png", "bees/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(painter.encoded())
    source = read_folder(tmp_path)
    assert [(entry.name, entry.class_name) for entry in source.entries] == [
        ("ants/a.png", "ants"),
        ("bees/b.png", "bees"),
        ("bees/c.png", "bees"),
    ]
    assert source.class_names == ("ants", "bees")


def test_classes_that_are_numbers_are_sorted_as_numbers(tmp_path):
    assert read_csv(manifest(tmp_path, "path,label\na,10\nb,9\nc,cat\n")).class_names == ("9", "10", "cat")


@pytest.mark.parametrize("name", ["gone", "notes.txt"])
def test_what_is_no_source_is_refused_with_a_sentence(tmp_path, name):
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(SourceError, match=name):
        open_source(tmp_path / name, uploads=tmp_path / "uploads")


def test_an_import_reports_its_progress(tmp_path, painter, database, project_id):
    for number in range(101):
        (tmp_path / f"{number}.png").write_bytes(painter.encoded())
    told: list[tuple[int, int]] = []
    source = read_folder(tmp_path)
    run_import(database, project_id=project_id, source=source, progress=lambda done, total: told.append((done, total)))
    assert told == [(100, len(source.entries)), (len(source.entries), len(source.entries))]


def test_the_sample_data_comes_in_whole(digits, database):
    classes = [str(digit) for digit in range(10)]
    with database.write() as session:
        project_id = create_project(session, name="all digits", classes=classes, seed=0)
    pool = run_import(database, project_id=project_id, source=read_folder(digits / "pool"))
    test = run_import(
        database, project_id=project_id, source=read_csv(digits / "test.csv"), split="test", classes=classes
    )
    assert (pool.added, test.added) == (1397, 400)
    assert (*pool.refused, *pool.duplicates, *test.refused, *test.duplicates) == ()
