"""Files outside a source's folder: refused unless a person lets them in, and never by what came from elsewhere."""

from __future__ import annotations

import pytest

from app.formats.errors import SourceError
from app.formats.places import OUTSIDE
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.project.importing import run_import
from storage.samples import list_samples

LET_IN = Reading(outside=True)


@pytest.fixture
def folder(tmp_path, painter):
    """A class that is a link out of the folder beside a file of its own; a pipe and a link to nothing are no images."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/one.png").write_bytes(painter.encoded())
    (tmp_path / "photos/cat").mkdir(parents=True)
    (tmp_path / "photos/own.png").write_bytes(painter.encoded())
    (tmp_path / "photos/cat/a cat.png").symlink_to(tmp_path / "disk/one.png")
    (tmp_path / "photos/cat/null.png").symlink_to("/dev/null")
    return tmp_path / "photos"


def imported(database, project_id, source):
    report = run_import(database, project_id=project_id, source=source)
    with database.read() as session:
        return report, [sample.uri for sample in list_samples(session, project_id=project_id, split="pool")]


def test_a_link_out_of_the_folder_comes_in_under_its_own_name_where_a_person_lets_it(
    folder, tmp_path, database, project_id
):
    closed = open_source(folder, uploads=tmp_path / "uploads")
    assert [(one.name, one.reason) for one in closed.refused] == [("cat/a cat.png", OUTSIDE), ("cat/null.png", OUTSIDE)]

    opened = open_source(folder, uploads=tmp_path / "uploads", reading=LET_IN)
    assert [one.name for one in opened.refused] == ["cat/null.png"]
    assert opened.class_names == ("cat",)
    _, uris = imported(database, project_id, opened)
    assert sorted(uris) == [str(folder / "cat/a cat.png"), str(folder / "own.png")]


def test_a_list_names_files_by_absolute_paths_where_a_person_lets_it(folder, tmp_path, database, project_id):
    (tmp_path / "lists").mkdir()
    listed = tmp_path / "lists/pool.csv"
    listed.write_text(f"path,label\n{tmp_path}/disk/one.png,cat\n../photos/own.png,dog\n/dev/null,cat\n")
    closed, uris = imported(database, project_id, open_source(listed, uploads=tmp_path / "uploads"))
    assert (len(closed.refused), uris) == (3, [])

    report, uris = imported(database, project_id, open_source(listed, uploads=tmp_path / "uploads", reading=LET_IN))
    assert uris == [str(tmp_path / "disk/one.png"), str(folder / "own.png")]
    assert [one.name for one in report.refused] == ["/dev/null"]


def test_what_was_fetched_or_unpacked_lets_nothing_in(tmp_path, make_zip, painter):
    (tmp_path / "one.png").write_bytes(painter.encoded())
    archive = make_zip({"list.csv": f"path\n{tmp_path}/one.png\n".encode()})
    for place in (archive, "https://example.org/list.csv"):
        with pytest.raises(SourceError, match="not for what is fetched or unpacked"):
            open_source(place, uploads=tmp_path / "uploads", reading=LET_IN)
