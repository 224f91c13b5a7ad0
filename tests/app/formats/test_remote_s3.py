"""A local server that speaks S3: images and labels come in, the connection is cut, the next import goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import boto3
import pytest
import s3fs
from moto.server import ThreadedMotoServer
from PIL import Image

from app.formats import connection
from app.formats.errors import LostConnectionError, SourceError
from app.formats.registry import open_source
from app.project.creation import add_to_pool, make_project, open_for
from app.project.settings import ProjectSettings
from storage.samples import list_samples

PHOTOS = "s3://photos/pets"


class Bucket:
    """A server of one bucket, which can be cut off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._port = 0
        self.start()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": "key-in-the-environment",
            "AWS_SECRET_ACCESS_KEY": "secret-in-the-environment",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            monkeypatch.setenv(name, value)
        self._client = boto3.client("s3")
        self._client.create_bucket(Bucket="photos")

    def start(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]

    def cut(self) -> None:
        self._server.stop()

    def put(self, name: str, shade: int) -> None:
        file = BytesIO()
        Image.new("L", (8, 8), shade).save(file, "PNG")
        self._client.put_object(Bucket="photos", Key=f"pets/{name}", Body=file.getvalue())


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setattr(connection, "WAITS_S", (0,))
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    s3fs.S3FileSystem.clear_instance_cache()
    made = Bucket(monkeypatch)
    for number in range(4):
        made.put(f"{'cat' if number < 2 else 'dog'}/{number}.png", number)
    yield made
    made.cut()
    s3fs.S3FileSystem.clear_instance_cache()


def test_labels_come_in_the_connection_is_cut_and_the_next_import_goes_on(
    bucket: Bucket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    created = make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=PHOTOS, labeled=True)
    assert (created.pool.added, created.pool.taken.labels) == (4, 4)
    bucket.put("dog/4.png", 4)
    bucket.cut()
    with pytest.raises(LostConnectionError, match=rf"^{PHOTOS} does not answer \(\w+\)\.$"):
        open_for(created.project, PHOTOS)
    database = created.project.open_database()
    with database.read() as session:
        samples = list_samples(session, project_id=1, split="pool")
    database.close()
    assert [Path(info.uri).is_file() for info in samples] == [True] * 4
    bucket.start()
    assert add_to_pool(created.project, open_for(created.project, PHOTOS)).added == 1
    kept = b"".join(path.read_bytes() for path in (tmp_path / "p").rglob("*") if path.is_file())
    assert b"in-the-environment" not in kept
    assert "in-the-environment" not in "".join(
        record.getMessage() for record in caplog.records if "app." in record.name
    )


def test_a_bucket_that_is_not_there_is_one_sentence(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^s3://others/x: there is no such file or folder\.$"):
        open_source("s3://others/x", uploads=tmp_path)
