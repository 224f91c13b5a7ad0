"""What the tests of the application share."""

from __future__ import annotations

import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Connection

from storage import schema
from storage.engine import Database
from storage.opening import create_database
from storage.projects import create_project
from tests.app.project.hub_of_models import SENTENCES, Hub, hub_of_models, twice
from tests.loops.embeddings.named_libraries import write_packages


@pytest.fixture(scope="session", autouse=True)
def _migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new database gets the tables of one that was migrated; five hundred times migrating was half a minute.

    An older one is migrated, and so is a database server's. (The migrations themselves: tests/storage/test_schema.py.)
    """
    url = f"sqlite:///{tmp_path_factory.mktemp('template') / 'labelloop.db'}"
    made_by_migrating = "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    with closing(create_database(url)) as template, template.read() as session:
        statements = session.connection().exec_driver_sql(made_by_migrating).scalars().all()
    migrate = schema._migrate

    def fill(connection: Connection) -> None:
        if connection.dialect.name != "sqlite" or connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first():
            migrate(connection)
            return
        for sql in statements:
            connection.exec_driver_sql(sql)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema.HEAD,))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_migrate", fill)
        yield


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = create_database(f"sqlite:///{tmp_path / 'labelloop.db'}")
    yield opened
    opened.close()


@pytest.fixture
def project_id(database: Database) -> int:
    with database.write() as session:
        return create_project(session, name="digits", classes=["0", "1"], seed=0)


class Painter:
    """Makes images no two of which hold the same bytes."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)

    def image(self, mode: str = "RGB", size: tuple[int, int] = (6, 4)) -> Image.Image:
        width, height = size
        return Image.fromarray(self._random.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)

    def encoded(self, format_: str = "PNG", mode: str = "RGB", **options: object) -> bytes:
        content = BytesIO()
        self.image(mode).save(content, format_, **options)
        return content.getvalue()


@pytest.fixture
def painter() -> Painter:
    return Painter()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, extra: bytes = b"", data: bytes = b"\0" * 10) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@dataclass
class Hostile:
    """The folder, and what is expected to become of each file, by its name."""

    folder: Path
    outside: Path
    painter: Painter = field(default_factory=Painter)
    good: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)  # name -> words of the reason
    duplicates: dict[str, str] = field(default_factory=dict)  # name -> name of the first

    def add_good(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(content)
        self.good.add(name)

    def add_refused(self, name: str, content: bytes, reason: str) -> None:
        (self.folder / name).write_bytes(content)
        self.refused[name] = reason

    def add_duplicate(self, name: str, *, of: str) -> None:
        (self.folder / name).write_bytes((self.folder / of).read_bytes())
        self.duplicates[name] = of


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Hostile]:
    made = Hostile(tmp_path / "images", tmp_path / "outside")
    made.folder.mkdir()
    made.outside.mkdir()
    (made.outside / "secret.png").write_bytes(made.painter.encoded())
    for add in (add_good_formats, add_odd_names, add_not_images, add_damaged, add_too_large, add_links, add_hidden):
        add(made)
    with socket.socket(socket.AF_UNIX) as listening:
        add_special_files(made, listening)
        yield made
    (made.folder / "unreadable.png").chmod(0o600)


def add_good_formats(hostile: Hostile) -> None:
    encoded = hostile.painter.encoded
    hostile.add_good("gray.png", encoded(mode="L"))
    hostile.add_good("bitmap.png", encoded(mode="1"))
    hostile.add_good("photo.jpg", encoded("JPEG"))
    hostile.add_good("cmyk.jpg", encoded("JPEG", mode="CMYK"))
    hostile.add_good("picture.bmp", encoded("BMP"))
    hostile.add_good("picture.webp", encoded("WEBP"))
    hostile.add_good("scan.tiff", encoded("TIFF"))
    hostile.add_good("tiff-inside.png", encoded("TIFF", compression="tiff_lzw"))
    hostile.add_good("picture.avif", encoded("AVIF"))
    hostile.add_good("animated.gif", encoded("GIF", save_all=True, append_images=[hostile.painter.image()]))
    hostile.add_good("phone.jpg", encoded("MPO", save_all=True, append_images=[hostile.painter.image()]))
    hostile.add_good("transparent.png", encoded(mode="P", transparency=bytes(range(200))))
    hostile.add_good("sixteen-bit.png", sixteen_bit_png())
    hostile.add_good("rotated.jpg", encoded("JPEG", exif=orientation(6)))
    hostile.add_good("corrupt-color-profile.png", encoded(icc_profile=b"no profile at all"))
    hostile.add_good("an-image.txt", encoded())
    hostile.add_good("no-extension", encoded("JPEG"))
    hostile.add_good("folder.png/inside.png", encoded())


def sixteen_bit_png() -> bytes:
    content = BytesIO()
    Image.fromarray(np.array([[0, 65535], [256, 511]], dtype=np.uint16)).save(content, "PNG")
    return content.getvalue()


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def add_odd_names(hostile: Hostile) -> None:
    names = ["new\nline.png", "quote\"'.png", "数字-ünïcödé.png", "<script>alert(1)<script>.png", "=1+1.png", "-rf.png"]
    for name in [*names, "%s{0}$HOME`id`.png", "back\\slash.png", "x" * 240 + ".png", " spaces .png"]:
        hostile.add_good(name, hostile.painter.encoded())
    (Path(os.fsdecode(os.fsencode(hostile.folder) + b"/latin-\xff.png"))).write_bytes(hostile.painter.encoded())
    hostile.refused["latin-\\udcff.png"] = "not valid UTF-8"


def add_not_images(hostile: Hostile) -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("x.png", hostile.painter.encoded())
    contents = {
        "text.png": b"just words",
        "page.png": b"<!DOCTYPE html><script>alert(1)</script>",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "notes.csv": b"path,label\n",
        "zeros.jpg": bytes(1000),
        "archive.png": archive.getvalue(),
        "icon.ico": hostile.painter.encoded("ICO"),
        "paper.pdf": hostile.painter.encoded("PDF"),
        "script.eps": hostile.painter.encoded("EPS"),
    }
    for name, content in contents.items():
        hostile.add_refused(name, content, "is not a readable PNG, JPEG, GIF, BMP, WebP, TIFF or AVIF image")


def add_damaged(hostile: Hostile) -> None:
    encoded = hostile.painter.encoded
    hostile.add_refused("empty.png", b"", "is empty")
    hostile.add_refused("cut.png", encoded()[:60], "is damaged")
    hostile.add_refused("cut.jpg", encoded("JPEG")[:-40], "is damaged")
    hostile.add_refused("cut.webp", encoded("WEBP")[:-20], "")
    hostile.add_refused("cut.bmp", encoded("BMP")[:-20], "is damaged")
    hostile.add_refused("header-only.png", encoded()[:33], "")
    hostile.add_refused("signature-only.png", encoded()[:8], "")
    flipped = bytearray(png(4, 1))
    flipped[45] ^= 1
    hostile.add_refused("wrong-checksum.png", bytes(flipped), "is damaged")
    hostile.add_refused("no-width.png", png(0, 4), "")
    hostile.add_refused("no-rows.png", png(4, 4, data=b"\0"), "is damaged")


def add_too_large(hostile: Hostile) -> None:
    too_many = "more than 64 million pixels"
    hostile.add_refused("bomb.png", png(30_000, 30_000), too_many)
    hostile.add_refused("small-bomb.png", png(8_001, 8_000), too_many)
    screen = struct.pack("<HH", 65_535, 65_535)
    gif = b"GIF89a" + screen + b"\0\0\0" + b"\x2c" + bytes(4) + screen + b"\0" + b"\x02\0;"
    hostile.add_refused("bomb.gif", gif, too_many)
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000)))
    hostile.add_refused("text-bomb.png", png(4, 1, extra=text), "is damaged")
    hostile.add_refused("fifty-one-megabytes.png", hostile.painter.encoded() + bytes(51_000_000), "larger than 50 MB")


def add_links(hostile: Hostile) -> None:
    def link(name: str, target: Path | str, reason: str) -> None:
        (hostile.folder / name).symlink_to(target)
        hostile.refused[name] = reason

    link("outside.png", hostile.outside / "secret.png", "outside")
    link("outside-relative.png", "../outside/secret.png", "outside")
    link("outside-folder", hostile.outside, "outside")
    link("device.png", "/dev/zero", "outside")
    link("dangling.png", "nothing.png", "link to nothing")
    link("loop.png", "loop.png", "loop")
    link("up", "..", "outside")
    link("self", ".", "link to a folder")
    (hostile.folder / "zz-link-inside.png").symlink_to("gray.png")
    hostile.duplicates["zz-link-inside.png"] = "gray.png"
    hostile.add_duplicate("zz-photo-copy.jpg", of="photo.jpg")
    hostile.add_duplicate("zz-other-name.png", of="gray.png")


def add_hidden(hostile: Hostile) -> None:
    for folder in (".git", "__MACOSX"):
        (hostile.folder / folder).mkdir()
        (hostile.folder / folder / "x.png").write_bytes(hostile.painter.encoded())
    (hostile.folder / ".DS_Store").write_bytes(b"hidden")
    (hostile.folder / ".hidden.png").write_bytes(hostile.painter.encoded())


def add_special_files(hostile: Hostile, listening: socket.socket) -> None:
    os.mkfifo(hostile.folder / "pipe.png")
    hostile.refused["pipe.png"] = "pipe"
    bind_in(hostile.folder, listening, "socket.png")
    hostile.refused["socket.png"] = "socket"
    name = "unreadable.png"
    (hostile.folder / name).write_bytes(hostile.painter.encoded())
    (hostile.folder / name).chmod(0)
    if os.access(hostile.folder / name, os.R_OK):  # root reads everything
        hostile.good.add(name)
    else:
        hostile.refused[name] = "cannot be read: Permission denied"


def bind_in(folder: Path, listening: socket.socket, name: str) -> None:
    """Bind by a short relative name: a socket's path may have 107 bytes only."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        listening.bind(name)
    finally:
        os.chdir(before)


@pytest.fixture
def make_zip(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    def make(members: dict[str, bytes]) -> Path:
        path = tmp_path / "upload.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    return make


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    (tmp_path / "packages").mkdir()
    packages = write_packages(tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.syspath_prepend(packages)  # to tell their versions
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache_of_others"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name in ("HF_HUB_CACHE", "HF_TOKEN", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    files = {"timm/tiny.in1k": {"pytorch_model.bin": twice()}, "sentence-transformers/mini": SENTENCES}
    with hub_of_models(files) as started:
        monkeypatch.setenv("HF_ENDPOINT", started.address)
        yield started
