"""Data at an address, read through fsspec: its in-memory file system, and a local server that speaks S3."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from app.formats import connection
from app.formats.connection import is_address, shown
from app.formats.errors import LostConnectionError, SourceError
from app.formats.registry import open_source
from app.project.creation import Created, add_to_pool, make_project, open_for
from app.project.settings import ProjectSettings
from storage.imported import list_imports
from storage.samples import list_samples

FOLDER = "memory://bucket/pets"


def picture(shade: int) -> bytes:
    file = BytesIO()
    Image.new("L", (8, 8), shade).save(file, "PNG")
    return file.getvalue()


class Elsewhere:
    """A file system that may lose its connection, and counts what is fetched of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetched: list[str] = []
        self.answers = 10**9  # so many times more
        self.error: Exception = ConnectionResetError("https://secret@host?signature=secret")
        real = MemoryFileSystem.get_file

        def get_file(system: MemoryFileSystem, path: str, local: str) -> None:
            self.answers -= 1
            if self.answers < 0:
                raise self.error
            self.fetched.append(path)
            real(system, path, local)

        monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)

    def put(self, name: str, content: bytes) -> None:
        MemoryFileSystem().pipe_file(f"/bucket/pets/{name}", content)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """Two cats and two dogs, a folder per class."""
    monkeypatch.setattr(connection, "WAITS_S", (0, 0))
    made = Elsewhere(monkeypatch)
    for number, name in enumerate(("cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png")):
        made.put(name, picture(number))
    yield made
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def make(tmp_path: Path, address: str = FOLDER, **more: object) -> Created:
    return make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=address, **more)  # type: ignore[arg-type]


def again(created: Created, address: str = FOLDER) -> int:
    found = open_for(created.project, address)
    return add_to_pool(created.project, found, given_as=shown(address)).added


def test_a_folder_per_class_is_read_with_its_labels(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.put(".git/HEAD", b"hidden")
    created = make(tmp_path, labeled=True)
    assert (created.pool.added, created.pool.taken.labels, created.pool.refused) == (4, 4, ())
    database = created.project.open_database()
    with database.read() as session:
        uris = [Path(info.uri) for info in list_samples(session, project_id=1, split="pool")]
        assert [given.source for given in list_imports(session, project_id=1)] == [FOLDER]
    database.close()
    assert [uri.relative_to(created.project.uploads_dir).parts[1:] for uri in uris] == [
        ("pets", "cat", "0.png"), ("pets", "cat", "1.png"), ("pets", "dog", "2.png"), ("pets", "dog", "3.png"),
    ]  # fmt: skip
    assert all(uri.is_file() for uri in uris)


def test_what_is_here_is_not_fetched_again(tmp_path: Path, elsewhere: Elsewhere) -> None:
    created = make(tmp_path)
    elsewhere.put("dog/4.png", picture(4))
    assert again(created) == 1
    assert len(elsewhere.fetched) == 5


def test_a_file_that_changed_elsewhere_is_fetched_and_what_was_labeled_stays(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    created = make(tmp_path)
    elsewhere.put("cat/0.png", picture(100))
    found = open_for(created.project, FOLDER)
    report = add_to_pool(created.project, found)
    assert report.added == 1
    assert [moved.reason.split()[0] for moved in report.moved] == ["is"]  # "is at ... now", not "holds another picture"
    files = sorted(path.name for path in (found.root / "cat").iterdir())
    assert [name.split(".")[0] for name in files] == ["0", "0", "1"]
    assert (found.root / "cat" / "0.png").read_bytes() == picture(100)


def test_a_short_loss_is_waited_for(tmp_path: Path, elsewhere: Elsewhere, caplog: pytest.LogCaptureFixture) -> None:
    lost = iter([True, True])
    real = MemoryFileSystem.get_file

    def get_file(system: MemoryFileSystem, path: str, local: str) -> None:
        if next(lost, False):
            raise TimeoutError
        real(system, path, local)

    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(MemoryFileSystem, "get_file", get_file)
        assert make(tmp_path).pool.added == 4
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == f"{FOLDER} does not answer (TimeoutError); trying again for 0 s."


def test_a_lost_connection_is_one_sentence_and_the_next_import_goes_on(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.answers = 3
    with pytest.raises(LostConnectionError) as lost:
        make(tmp_path)
    assert str(lost.value) == (
        f"{FOLDER} does not answer (ConnectionResetError): 3 of 4 files are here, and the same command goes on with "
        "the others."
    )
    elsewhere.answers = 10**9
    assert make(tmp_path).pool.added == 4
    assert sorted(elsewhere.fetched) == sorted(set(elsewhere.fetched))  # none twice


def test_labeling_needs_no_connection(tmp_path: Path, elsewhere: Elsewhere) -> None:
    created = make(tmp_path)
    MemoryFileSystem.store.clear()
    database = created.project.open_database()
    with database.read() as session:
        samples = list_samples(session, project_id=1, split="pool")
    database.close()
    assert [Path(info.uri).read_bytes() for info in samples] == [picture(number) for number in range(4)]


def test_a_list_brings_the_files_that_it_names(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.put("list.csv", b"path,label\ncat/0.png,cat\ndog/2.png,dog\ngone.png,cat\n../../etc/passwd,dog\n")
    created = make(tmp_path, f"{FOLDER}/list.csv", labeled=True)
    assert (created.pool.added, created.pool.taken.labels) == (2, 2)
    assert {refused.name: refused.reason for refused in created.pool.refused} == {
        "gone.png": "there is no such file or folder",
        "../../etc/passwd": "there is no such file",
    }
    assert again(created, f"{FOLDER}/list.csv") == 0


def test_a_table_and_an_archive_are_one_file(tmp_path: Path, elsewhere: Elsewhere) -> None:
    from zipfile import ZipFile

    elsewhere.put("texts.csv", b"text,label\ngood,yes\nbad,no\n")
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("cat/1.png", picture(7))
        archive.writestr("dog/2.png", picture(8))
    elsewhere.put("pets.zip", packed.getvalue())
    texts = open_source(f"{FOLDER}/texts.csv", uploads=tmp_path / "u")
    assert (texts.kind, [entry.text for entry in texts.entries]) == ("text", ["good", "bad"])
    assert open_source(f"{FOLDER}/pets.zip", uploads=tmp_path / "u").class_names == ("cat", "dog")


def test_names_that_lead_out_and_files_too_large_are_refused(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.put("a/../../../b.png", picture(9))
    elsewhere.put("large.png", bytes(50_000_001))
    source = open_source(FOLDER, uploads=tmp_path / "u")
    assert {refused.name: refused.reason for refused in source.refused} == {
        "a/../../../b.png": "its name leads out of the archive's folder",
        "large.png": "is larger than 50 MB",
    }
    assert not list(tmp_path.rglob("b.png"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError("secret"), "may not be read with the credentials that the environment holds"),
        (FileNotFoundError("secret"), "there is no such file or folder"),
        (ValueError("secret"), "cannot be had (ValueError)"),
    ],
)
def test_what_another_try_would_not_change_costs_one_file(
    tmp_path: Path, elsewhere: Elsewhere, error: Exception, said: str
) -> None:
    elsewhere.answers, elsewhere.error = 0, error
    source = open_source(FOLDER, uploads=tmp_path / "u")
    assert [refused.reason for refused in source.refused] == [said] * 4
    assert -elsewhere.answers == 4


def test_a_full_disk_is_no_lost_connection(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.answers, elsewhere.error = 0, OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        open_source(FOLDER, uploads=tmp_path / "u")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("memory://bucket/nothing", "memory://bucket/nothing: there is no such file or folder."),
        ("gopher://host/x", "gopher://host/x cannot be read; what can be is s3://, gs://"),
        ("s3://key:secret@bucket/x", "The address s3://bucket/x was given with a password"),
        ("az://container/x", "To read az:// addresses, install: pip install 'labelloop[az]'."),
        ("https://a/b.zip::https://c/d", "https://a/b.zip::https://c/d chains two addresses; name one."),
    ],
)
def test_what_is_no_address_is_said_in_one_sentence(
    tmp_path: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adlfs", None)  # as where it is not installed
    with pytest.raises(SourceError) as refused:
        open_source(address, uploads=tmp_path / "u")
    assert str(refused.value).startswith(said)
    assert "secret" not in str(refused.value)


def test_a_web_server_that_is_away_is_waited_for_and_not_said_to_have_no_such_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAITS_S", (0,))
    with pytest.raises(LostConnectionError, match="does not answer"):
        open_source("http://127.0.0.1:9/list.csv", uploads=tmp_path / "u")


def test_no_secret_of_an_address_is_shown() -> None:
    assert shown("https://host/a.zip?X-Amz-Signature=secret#part") == "https://host/a.zip"
    assert shown("https://ann:secret@host/a.zip") == "https://host/a.zip"
    assert shown("az://container@account/a") == "az://container@account/a"
    assert shown("photos/a?b") == "photos/a?b"
    assert [is_address(given) for given in ("s3://b", "C:/a", "file:///a", "photos")] == [True, False, False, False]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a local web server that serves a folder of three files."""
    folder = tmp_path / "web"
    (folder / "a b").mkdir(parents=True)
    (folder / "a b" / "0.png").write_bytes(picture(0))
    (folder / "list.csv").write_text("path,label\na b/0.png,cat\ngone.png,dog\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_list_on_the_web_and_no_part_of_its_signature_stays(tmp_path: Path, web: str) -> None:
    created = make(tmp_path, f"{web}/list.csv?signature=secret", classes=["cat", "dog"], labeled=True)
    assert (created.pool.added, created.pool.taken.labels) == (1, 1)
    assert [refused.name for refused in created.pool.refused] == ["gone.png"]
    database = created.project.open_database()
    with database.read() as session:
        assert [given.source for given in list_imports(session, project_id=1)] == [f"{web}/list.csv"]
    database.close()
    kept = b"".join(path.read_bytes() for path in created.project.folder.rglob("*") if path.is_file())
    assert b"secret" not in kept
