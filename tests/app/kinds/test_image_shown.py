from __future__ import annotations

import base64
import io
import itertools

import numpy as np
import pytest
from PIL import Image

from app.formats.errors import RefusedImageError
from app.kinds.image_shown import address_of, encoded
from storage.samples import SampleInfo


def sample(path, size=(8, 8)) -> SampleInfo:
    return SampleInfo(1, str(path), "0" * 64, *size, "pool", None, 0.5)


def shown(path, side, kept) -> Image.Image:
    return Image.open(io.BytesIO(encoded(sample(path), side=side, kept=kept)))


def test_a_tiny_image_grows_by_a_whole_factor_without_hard_edges(tmp_path):
    image = Image.new("L", (2, 2))
    image.putpixel((1, 0), 255)
    image.save(tmp_path / "tiny.png")
    large = shown(tmp_path / "tiny.png", 101, tmp_path / "thumbnails")
    assert large.size == (100, 100)
    row = [large.getpixel((x, 0)) for x in range(100)]
    assert (row[0], row[-1]) == (0, 255)
    assert max(after - before for before, after in itertools.pairwise(row)) < 10


def test_a_photograph_shrinks_and_its_thumbnail_is_kept(tmp_path):
    Image.new("RGB", (400, 200), "red").save(tmp_path / "photo.jpg")
    assert shown(tmp_path / "photo.jpg", 100, tmp_path / "thumbnails").size == (100, 50)
    assert [path.name for path in (tmp_path / "thumbnails").iterdir()] == [f"{'0' * 64}-100.jpg"]


def test_a_file_that_is_gone_is_refused(tmp_path):
    with pytest.raises(RefusedImageError, match="cannot be read"):
        shown(tmp_path / "gone.png", 64, tmp_path / "thumbnails")


@pytest.mark.parametrize(("size", "side"), [((8, 8), 288), ((360, 100), 360), ((1000, 500), 720)])
def test_a_small_image_is_sent_as_a_few_kilobytes_and_a_photograph_as_large_as_a_page_shows_it(tmp_path, size, side):
    Image.new("RGB", size, "red").save(tmp_path / "image.png")
    address = address_of(sample(tmp_path / "image.png", size), large=True, kept=tmp_path / "thumbnails")
    content = base64.b64decode(address.partition("base64,")[2])
    assert max(Image.open(io.BytesIO(content)).size) == side


@pytest.mark.parametrize(("side", "longest"), [(0, 720), (700, 720), (900, 1080), (3000, 2000), (1_000_000, 2000)])
def test_a_photograph_is_sent_as_large_as_the_screen_can_show_and_never_larger_than_it_is(tmp_path, side, longest):
    Image.new("RGB", (2000, 1000), "red").save(tmp_path / "image.png")
    address = address_of(sample(tmp_path / "image.png", (2000, 1000)), large=True, side=side, kept=tmp_path / "kept")
    content = base64.b64decode(address.partition("base64,")[2])
    assert max(Image.open(io.BytesIO(content)).size) == longest


def test_twelve_bits_are_shown_by_their_own_range(tmp_path):
    ramp = np.linspace(0, 4095, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    pixels = np.asarray(shown(tmp_path / "deep.png", 64, tmp_path / "kept"))
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert pixels.mean() == pytest.approx(127.5, abs=1)
