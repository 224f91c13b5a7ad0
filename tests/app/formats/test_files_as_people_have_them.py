"""Names, links, archives, tables and moved files as they were reported by people, each with the right value."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.errors import ProjectError, UsageError
from app.formats.copies import safe_names
from app.formats.errors import SourceError
from app.formats.registry import open_source
from app.project.class_names import check_classes
from app.project.creation import Created, add_to_pool, make_project
from app.project.exporting import export
from app.project.project import Project, open_project
from app.project.settings import ProjectSettings
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.refusals import list_broken
from storage.samples import SampleInfo, list_samples


@pytest.fixture
def put(tmp_path: Path, painter) -> Callable[..., Path]:
    def write(name: str, content: bytes | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(painter.encoded() if content is None else content)
        return path

    return write


def made(folder: Path, images: Path, classes: Sequence[str], **more: object) -> Created:
    return make_project(folder, settings=ProjectSettings(name="p"), classes=classes, data=images, **more)


def samples_of(project: Project, split: str = "pool") -> list[SampleInfo]:
    database = project.open_database()
    try:
        with database.read() as session:
            return list_samples(session, project_id=project.project_id(database), split=split)
    finally:
        database.close()


def label(project: Project, decide: Callable[[SampleInfo], int | None]) -> None:
    database = project.open_database()
    project_id = project.project_id(database)
    with database.write() as session:
        ada = get_or_create_annotator(session, project_id=project_id, name="ada")
        for sample in list_samples(session, project_id=project_id, split="pool"):
            if (index := decide(sample)) is not None:
                record_decision(
                    session,
                    project_id=project_id,
                    sample_id=sample.id,
                    annotator_id=ada,
                    action="label",
                    class_index=index,
                    request_id=f"r{sample.id}",
                )
    database.close()


def exported(project: Project, format_: str, out: Path, **more: bool) -> Path:
    database = project.open_database()
    try:
        return export(database, project.project_id(database), format_, out, **more).folder
    finally:
        database.close()


def labels_in(folder: Path) -> list[str]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return [row["label"] for row in csv.DictReader(file)]


SIGNS = ("-1", "+1", "=x")


def test_signs_stay_in_a_csv_for_a_program_and_are_guarded_for_a_spreadsheet_alone(put, tmp_path):
    for number in range(3):
        put(f"in/{number}.png")
    project = made(tmp_path / "p", tmp_path / "in", SIGNS).project
    label(project, lambda sample: sample.id - 1)
    assert labels_in(exported(project, "csv", tmp_path / "o")) == list(SIGNS)
    assert labels_in(exported(project, "csv", tmp_path / "s", for_spreadsheet=True)) == ["'-1", "'+1", "'=x"]


@pytest.mark.parametrize("column", ["uri", "path"])
@pytest.mark.parametrize("place", ["o/labels.csv", "in/copied.csv", "elsewhere/labels.csv"])
def test_an_own_labels_csv_is_a_test_set_wherever_it_lies(put, tmp_path, column, place):
    for number in range(3):
        put(f"in/{number}.png")
    project = made(tmp_path / "p", tmp_path / "in", SIGNS).project
    label(project, lambda sample: sample.id - 1)
    text = (exported(project, "csv", tmp_path / "o") / "labels.csv").read_text().replace("uri", column, 1)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / place).write_text(text)
    created = made(tmp_path / "q", put("pool/1.png").parent, SIGNS, test=tmp_path / place)
    assert created.test is not None
    assert created.test.refused == ()
    assert [sample.class_index for sample in samples_of(created.project, "test")] == [0, 1, 2]


def test_a_list_that_does_not_know_the_bytes_of_a_file_elsewhere_reads_none_of_it(put, tmp_path):
    secret, listed = put("secret.png"), put("in/list.csv", b"")
    listed.write_text(f"path,label,sha256\n{secret},cat,{'0' * 64}\n")
    with pytest.raises(SourceError, match="holds other bytes than when the list was written"):
        made(tmp_path / "p", listed, ["cat", "dog"])


def raw_zip(path: Path, members: Sequence[tuple[bytes, bytes]], *, system: int = 3) -> Path:
    """A zip with exactly these bytes as names, and no flag that they are UTF-8."""
    out, directory = io.BytesIO(), b""
    for name, data in members:
        crc, offset = zlib.crc32(data), out.tell()
        sizes = struct.pack("<III", crc, len(data), len(data))
        out.write(struct.pack("<4sHHHHH", b"PK\3\4", 20, 0, 0, 0, 0x5821) + sizes + struct.pack("<HH", len(name), 0))
        out.write(name + data)
        directory += struct.pack("<4sBBHHHHH", b"PK\1\2", 20, system, 20, 0, 0, 0, 0x5821) + sizes
        directory += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0o100644 << 16, offset) + name
    start, count = out.tell(), len(members)
    out.write(directory + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), start, 0))
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize(
    ("names", "found", "classes"),
    [
        ([b"cats\\a.png", b"dogs\\b.png"], ["cats/a.png", "dogs/b.png"], ("cats", "dogs")),  # PowerShell 5
        ([b"2024-01-01 10:20:30.png"], ["2024-01-01 10:20:30.png"], ()),
        (["caf\u00e9/1.png".encode(), b"tea/1.png"], ["caf\u00e9/1.png", "tea/1.png"], ("caf\u00e9", "tea")),  # Finder
        ([b"..a.png", b"...b.png", b"x/..y/z.png"], ["...b.png", "..a.png", "x/..y/z.png"], ("..y",)),
    ],
)
def test_archives_of_windows_and_macs_come_in_as_they_are(tmp_path, painter, names, found, classes):
    archive = raw_zip(tmp_path / "a.zip", [(name, painter.encoded()) for name in names])
    source = open_source(archive, uploads=tmp_path / "uploads")
    assert sorted(entry.name for entry in source.entries) == found
    assert source.class_names == classes
    assert source.refused == ()


def test_a_project_among_the_images_is_no_folder_of_images(put, tmp_path):
    for number in range(3):
        put(f"photos/{number}.png")
    project = made(tmp_path / "photos" / "project", tmp_path / "photos", ["a", "b"]).project
    put("photos/project/thumbnails/0.jpg")
    assert add_to_pool(project, tmp_path / "photos").added == 0
    assert [Path(sample.uri).name for sample in samples_of(project)] == ["0.png", "1.png", "2.png"]


def test_what_has_two_labels_in_a_test_set_is_refused_with_both(put, tmp_path):
    put("pool/1.png"), put("in/a.png"), put("in/b.png")
    shutil.copy(tmp_path / "in/a.png", tmp_path / "in/copy.png")
    listed = put("in/t.csv", b"path,label\na.png,cat\ncopy.png,dog\na.png,dog\nb.png,dog\n")
    created = made(tmp_path / "p", tmp_path / "pool", ["cat", "dog"], test=listed)
    assert created.test is not None
    assert [(Path(s.uri).name, s.class_index) for s in samples_of(created.project, "test")] == [("b.png", 1)]
    assert [refused.name for refused in created.test.refused] == ["a.png", "copy.png", "a.png"]
    assert "cat as a.png and dog as copy.png" in created.test.refused[0].reason


def test_an_accent_is_one_character_or_two_in_labels_classes_and_file_names(put, tmp_path):
    put("pool/1.png"), put("in/a.png"), put("in/cafe\u0301.png")
    listed = put("in/n.csv", "path,label\na.png,cafe\u0301\n".encode())
    created = made(tmp_path / "q", tmp_path / "pool", ["caf\u00e9", "dog"], test=listed)
    assert [sample.class_index for sample in samples_of(created.project, "test")] == [0]
    with pytest.raises(ProjectError, match="is given twice"):
        check_classes(["caf\u00e9", "cafe\u0301"])
    composed = put("in/m.csv", "path\ncaf\u00e9.png\n".encode())
    assert made(tmp_path / "s", composed, ["a", "b"]).pool.added == 1


ODD = ["C++", "C#", "cat (black)", "dog, wet", "50%", "\U0001f431", "\U0001f436", "कि", "की", "cafe\u0301"]


def test_ordinary_class_names_are_their_folders_and_are_read_back(put, tmp_path):
    for number in range(len(ODD)):
        put(f"in/{number}.png")
    project = made(tmp_path / "p", tmp_path / "in", ODD).project
    label(project, lambda sample: sample.id - 1)
    out = exported(project, "folders", tmp_path / "o")
    assert [next(out.glob(f"*/{number}.png")).parent.name for number in range(len(ODD))] == ODD
    created = made(tmp_path / "q", put("pool/1.png").parent, ODD, test=out)
    assert created.test is not None
    assert (created.test.added, created.test.refused) == (len(ODD), ())


def test_no_two_classes_share_a_folder_and_the_list_says_what_became_what(put, tmp_path):
    classes = ["a", "class-2-A", "A", "a/b", "con"]
    for number in range(4):
        put(f"m/{number}.png")
    project = made(tmp_path / "r", tmp_path / "m", classes).project
    label(project, lambda sample: sample.id - 1)
    out = exported(project, "folders", tmp_path / "ro")
    assert {path.parent.name: path.name for path in out.glob("*/*.png")} == {
        "a": "0.png",
        "class-2-A": "1.png",
        "class-2-A-2": "2.png",
        "a_b": "3.png",
    }
    with (out / "classes.csv").open(newline="") as file:
        assert {row["class"]: row["folder"] for row in csv.DictReader(file)} == dict(
            zip(classes, ["a", "class-2-A", "class-2-A-2", "a_b", "class con"], strict=True)
        )
    assert (out / "class con").is_dir()  # without it the numbers of torchvision's classes would shift


def test_names_that_mac_and_windows_take_for_one_are_two_folders():
    assert len({name.casefold() for name in safe_names(["Caf\u00e9", "cafe\u0301", "CAF\u00c9", "caf\u00e9 "])}) == 4


def test_names_as_long_as_a_file_system_allows_are_exported_twice(put, tmp_path):
    for folder in "xy":
        put(f"long/{folder}/{'l' * 251}.png")
    project = made(tmp_path / "t", tmp_path / "long", ["a", "b"]).project
    label(project, lambda _sample: 0)
    assert len(list(exported(project, "folders", tmp_path / "to").glob("a/*.png"))) == 2


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("hub/snapshots/1/cat/rex.png", "hub/blobs/0123456789abcdef"),
        ("annex/rex.png", "annex/.git/annex/objects/SHA256E-s1--ab"),
        ("repo/data/rex.png", "repo/.dvc/cache/files/md5/ab/cdef"),
    ],
)
def test_links_into_stores_are_named_by_what_they_are_called(put, tmp_path, link, target):
    put(target)
    (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / link).symlink_to(os.path.relpath(tmp_path / target, (tmp_path / link).parent))
    root = tmp_path / Path(link).parts[0]
    root = {"hub": root / "snapshots/1", "annex": root, "repo": root / "data"}[root.name]
    project = made(tmp_path / "p", root, ["a", "b"]).project
    assert [sample.uri for sample in samples_of(project)] == [str(tmp_path / link)]
    label(project, lambda _sample: 0)
    assert [path.name for path in exported(project, "folders", tmp_path / "f").glob("a/*")] == ["rex.png"]


@pytest.mark.parametrize(
    "content",
    [
        "path;label\na.png;cat\nsub/b.png;dog\n",
        "Path,Label\na.png,cat\nsub/b.png,dog\n",
        " PATH , LABEL \na.png , cat\nsub/b.png , dog\n",
        "path\tlabel\na.png\tcat\nsub/b.png\tdog\n",
        "sep=;\npath;label\na.png;cat\nsub/b.png;dog\n",
        "a.png,cat\nsub/b.png,dog\n",
        "path,label\r\na.png,cat\r\nsub\\b.png,dog\r\n",
        "filename,class\na.png,cat\nsub/b.png,dog\n",
        "path,label\n/home/ann/photos/a.png,cat\n/home/ann/photos/sub/b.png,dog\n",
        "path,label\nC:\\photos\\a.png,cat\nC:\\photos\\sub\\b.png,dog\n",
    ],
)
def test_tables_are_read_as_spreadsheets_and_people_write_them(put, tmp_path, content):
    put("in/a.png"), put("in/sub/b.png")
    listed = put("in/list.csv", content.encode())
    created = made(tmp_path / "p", listed, [], labeled=True)
    assert [Path(sample.uri).name for sample in samples_of(created.project)] == ["a.png", "b.png"]
    assert (created.pool.taken.labels, created.pool.refused) == (2, ())


def test_absolute_names_with_one_end_never_lead_to_one_file(put, tmp_path):
    put("in/1.png")
    listed = put("in/list.csv", b"path,label\n/home/ann/x/1.png,cat\n/home/ann/y/1.png,dog\n")
    with pytest.raises(SourceError, match="None of the 2 files"):
        made(tmp_path / "p", listed, ["cat", "dog"])


def test_what_is_on_the_web_is_refused_with_what_to_do(put, tmp_path):
    put("in/a.png")
    listed = put("in/list.csv", b"path\na.png\nhttps://host/b.png\ns3://bucket/c.png\n")
    report = made(tmp_path / "p", listed, ["a", "b"]).pool
    assert {refused.reason for refused in report.refused} == {
        "lies on the web; download the files and name them by their paths"
    }
    assert report.added == 1


def test_a_list_that_names_no_file_that_is_there_may_be_of_rows(put, tmp_path):
    listed = put("in/list.csv", b"path,age\nnorth,3\nsouth,4\n")
    with pytest.raises(SourceError) as refused:
        made(tmp_path / "p", listed, ["a", "b"])
    assert str(refused.value) == (
        "None of the 2 files of list.csv can be imported; each: there is no such file. If its rows are the samples "
        "themselves, make the project with 'labelloop init' and --kind text or --kind table."
    )
    put("in/north", b"words")
    with pytest.raises(SourceError, match=r"there is no such file\.$|is not a readable PNG[^.]*\.$"):
        made(tmp_path / "p", listed, ["a", "b"])


def test_nothing_importable_is_one_reason_and_no_project_and_the_next_try_works(put, tmp_path):
    put("in/notes.txt", b"words"), put("in/more.txt", b"words")
    with pytest.raises(SourceError, match=r"None of the 2 files of .* can be imported; each: is not a readable"):
        made(tmp_path / "p", tmp_path / "in", ["a", "b"])
    assert not (tmp_path / "p").exists()
    put("in/a.png")
    assert made(tmp_path / "p", tmp_path / "in", ["a", "b"]).pool.added == 1


def test_an_archive_of_nothing_leaves_nothing_behind(tmp_path):
    archive = raw_zip(tmp_path / "a.zip", [(b"notes.txt", b"words")])
    with pytest.raises(SourceError, match=r"The only file of .* cannot be imported: it is not a readable"):
        made(tmp_path / "p", archive, ["a", "b"])
    assert not (tmp_path / "p").exists()


def test_images_that_were_moved_are_found_again_by_their_bytes(put, tmp_path):
    for number in range(4):
        put(f"in/{number}.png")
    project = made(tmp_path / "p", tmp_path / "in", ["a", "b"]).project
    label(project, lambda sample: sample.id % 2)
    (tmp_path / "in").rename(tmp_path / "new")
    report = add_to_pool(project, tmp_path / "new")
    assert (report.added, report.duplicates, len(report.moved)) == (0, (), 4)
    assert len(list(exported(project, "folders", tmp_path / "out").glob("*/*.png"))) == 4


def test_a_project_that_was_moved_has_its_unpacked_images_with_it(tmp_path, painter):
    archive = raw_zip(tmp_path / "x.zip", [(b"%d.png" % number, painter.encoded()) for number in range(4)])
    label(made(tmp_path / "q", archive, ["a", "b"]).project, lambda sample: sample.id % 2)
    (tmp_path / "q").rename(tmp_path / "q2")
    moved = open_project(tmp_path / "q2")
    assert len(list(exported(moved, "folders", tmp_path / "out").glob("*/*.png"))) == 4
    assert all(Path(sample.uri).is_relative_to(tmp_path / "q2") for sample in samples_of(moved))


def test_labels_stay_with_the_pixels_they_were_given_for(put, tmp_path):
    for name in "abc":
        put(f"in/{name}.png")
    project = made(tmp_path / "p", tmp_path / "in", ["cat", "dog"]).project
    label(project, lambda _sample: 0)
    before = {Path(sample.uri).name: sample.sha256 for sample in samples_of(project)}
    put("in/a.png")  # another picture
    (tmp_path / "in/b.png").rename(tmp_path / "in/x")
    (tmp_path / "in/c.png").rename(tmp_path / "in/b.png")
    (tmp_path / "in/x").rename(tmp_path / "in/c.png")
    report = add_to_pool(project, tmp_path / "in")
    assert (report.added, len(report.moved)) == (1, 3)
    after = {sample.sha256: Path(sample.uri).name for sample in samples_of(project)}
    assert (after[before["b.png"]], after[before["c.png"]]) == ("c.png", "b.png")
    database = project.open_database()
    with database.read() as session:
        broken = list_broken(session, project_id=project.project_id(database))
    database.close()
    assert [(sample.sample_id, "another picture" in sample.reason) for sample in broken] == [(1, True)]
    label(project, lambda sample: 1 if sample.id == 4 else None)
    rows = (exported(project, "jsonl", tmp_path / "o") / "labels.jsonl").read_text().splitlines()
    assert sorted((Path(row["uri"]).name, row["label"]) for row in map(json.loads, rows)) == [
        ("a.png", "dog"),
        ("b.png", "cat"),
        ("c.png", "cat"),
    ]


def test_a_file_that_changed_is_not_exported_under_its_old_label(put, tmp_path):
    put("in/a.png"), put("in/b.png")
    project = made(tmp_path / "p", tmp_path / "in", ["cat", "dog"]).project
    label(project, lambda _sample: 0)
    put("in/a.png")
    assert [path.name for path in exported(project, "folders", tmp_path / "f").glob("*/*.png")] == ["b.png"]


def test_a_refused_file_is_told_once(put, tmp_path):
    put("in/a.png"), put("in/notes.txt", b"words"), put("in/more.txt", b"words")
    created = made(tmp_path / "p", tmp_path / "in", ["a", "b"])
    assert len(created.pool.refused) == 2
    again = add_to_pool(created.project, tmp_path / "in")
    assert (again.refused, again.refused_before) == ((), 2)


def test_folders_without_an_image_are_no_classes(put, tmp_path):
    put("in/cat/1.png"), put("in/dog/1.png"), put("in/docs/readme.pdf", b"%PDF"), put("in/scripts/x.py", b"")
    assert open_source(tmp_path / "in", uploads=tmp_path / "u").class_names == ("cat", "dog")


def test_a_list_whose_files_lie_in_another_folder_is_told_which(put: Callable[..., Path], tmp_path: Path) -> None:
    """COCO's own archives have the lists in one folder and the images in another."""
    images = [{"id": number, "file_name": f"{number}.png"} for number in (1, 2)]
    listed = {"images": images, "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "dog"}], "annotations": []}
    instances = put("coco/annotations/instances.json", json.dumps(listed).encode())
    put("coco/train/1.png")
    with pytest.raises(SourceError, match=r"such file\. 1\.png is in \S*/coco/train: put the list there\.$"):
        made(tmp_path / "p", instances, ["cat", "dog"])


def test_a_folder_within_that_of_another_class_is_said_to_be_a_class(put: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2024/2.png", "cat/2024/3.png", "dog/4.png", "5.png"):
        put(f"pets/{name}")
    assert open_source(tmp_path / "pets", uploads=tmp_path / "up").notes == (
        "2 images lie in a folder within one of another class, such as cat/2024: they are taken for 2024, not for cat; "
        "move them up if that is wrong.",
    )
    for name in ("train/cat/1.png", "train/dog/2.png", "test/cat/3.png", "4.png"):
        put(f"split/{name}")
    assert open_source(tmp_path / "split", uploads=tmp_path / "up").notes == ()


def test_a_table_whose_column_of_labels_is_called_otherwise_is_told_how_to_name_it(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    table = put("t.csv", "Länge;Gewicht;Klasse\n1,5;2;Apfel\n2,5;3;Birne\n".encode("utf-8-sig"))
    with pytest.raises(UsageError, match=r"--classes A,B, or the column of their labels with --label-column NAME: "):
        made(tmp_path / "p", table, [])
