from __future__ import annotations

import os
import random
import struct
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.formats.source import Entry
from app.kinds.image import RefusedImageError, admit, decode, load_image


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_a_gray_image_loads_with_one_channel(tmp_path):
    path = save(tmp_path / "x.png", Image.new("L", (3, 2), 7))
    assert load_image(path).tolist() == [[[7], [7], [7]], [[7], [7], [7]]]


def test_a_color_image_loads_as_rgb(tmp_path):
    path = save(tmp_path / "x.png", Image.new("RGB", (1, 1), (1, 2, 3)))
    assert load_image(path).tolist() == [[[1, 2, 3]]]


def test_transparent_parts_are_white(tmp_path):
    path = save(tmp_path / "x.png", Image.new("RGBA", (1, 1), (0, 0, 0, 0)))
    assert load_image(path).tolist() == [[[255, 255, 255]]]


def test_a_gray_image_with_transparency_stays_gray(tmp_path):
    path = save(tmp_path / "x.png", Image.new("LA", (1, 1), (9, 255)))
    assert load_image(path).tolist() == [[[9]]]


def test_a_palette_with_transparency_is_laid_on_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putpixel((1, 0), 1)
    path = save(tmp_path / "x.png", image, transparency=0)
    assert load_image(path).tolist() == [[[255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
@pytest.mark.parametrize("largest", [1_023, 4_095, 65_535])
def test_an_image_of_more_than_eight_bits_is_seen_by_its_own_range(tmp_path, name, largest):
    ramp = np.linspace(0, largest, 256 * 256).reshape(256, 256).astype(np.uint16)
    pixels = load_image(save(tmp_path / name, Image.fromarray(ramp)))
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert pixels.mean() == pytest.approx(127.5, abs=0.5)


def test_one_hot_pixel_does_not_darken_the_rest(tmp_path):
    values = np.full((100, 100), 1_000, np.uint16)
    values[:50], values[0, 0] = 2_000, 65_535
    pixels = load_image(save(tmp_path / "x.tif", Image.fromarray(values)))
    assert (pixels[10, 10, 0], pixels[90, 90, 0], pixels[0, 0, 0]) == (255, 0, 255)


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ([[-1.5, -0.001, 1.5]], [0, 127, 255]),
        ([[np.nan, 1.0, 3.0]], [0, 0, 255]),
        ([[np.inf, 1.0, 3.0]], [0, 0, 255]),
        ([[np.nan, np.nan, np.nan]], [0, 0, 0]),
        ([[2.0, 2.0, 2.0]], [0, 0, 0]),
    ],
)
def test_numbers_that_no_eye_can_see_are_black(tmp_path, values, seen):
    path = save(tmp_path / "x.tif", Image.fromarray(np.array(values, np.float32)))
    assert load_image(path)[0, :, 0].tolist() == seen


@pytest.mark.parametrize(
    ("mode", "options"), [("L", {}), ("RGB", {"compression": "tiff_lzw"}), ("CMYK", {}), ("1", {})]
)
def test_a_tiff_holds_what_another_file_of_the_same_pixels_holds(tmp_path, mode, options):
    image = Image.effect_noise((8, 6), 90).convert(mode)
    tiff = save(tmp_path / "x.tif", image, **options)
    expected = np.asarray(image.convert("L" if mode in ("1", "L") else "RGB"))
    assert (load_image(tiff).squeeze() == expected).all()
    assert admit(Entry(tmp_path, tiff.name)).width == 8


def test_of_a_tiff_of_several_pages_the_first_is_shown(tmp_path):
    pages = [Image.new("L", (1, 1), gray) for gray in (7, 8, 9)]
    path = save(tmp_path / "x.tif", pages[0], save_all=True, append_images=pages[1:])
    assert load_image(path).tolist() == [[[7]]]


def test_a_tiff_of_color_with_sixteen_bits_a_channel_is_read(tmp_path):
    (tmp_path / "x.tif").write_bytes(tiff_of_one_pixel((65_535, 0, 256)))
    assert load_image(tmp_path / "x.tif").tolist() == [[[255, 0, 1]]]


def test_a_tiff_of_many_spectral_bands_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "x.tif").write_bytes(tiff_of_one_pixel(range(9)))
    with pytest.raises(RefusedImageError, match="a TIFF whose pixels are neither gray nor a color; save it as PNG"):
        load_image(tmp_path / "x.tif")


def tiff_of_one_pixel(channels: Sequence[int]) -> bytes:
    """Sixteen bits a channel, which Pillow reads and does not write."""
    count = len(channels)
    entries = [
        (256, 3, 1, 1), (257, 3, 1, 1), (258, 3, count, 122), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 122 + 2 * count), (277, 3, 1, count), (278, 3, 1, 1), (279, 4, 1, 2 * count),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    header = (b"II*\0" + struct.pack("<I", 8) + directory).ljust(122, b"\0")
    return header + struct.pack(f"<{2 * count}H", *[16] * count, *channels)


def test_an_avif_is_read(tmp_path):
    path = save(tmp_path / "x.avif", Image.new("RGB", (4, 4), (200, 10, 10)))
    assert load_image(path)[0, 0].tolist() == pytest.approx([200, 10, 10], abs=4)


def test_a_phone_photo_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter
    path = save(tmp_path / "x.jpg", Image.new("L", (6, 4)), exif=exif)
    checked = admit(Entry(tmp_path, path.name))
    assert (checked.width, checked.height) == (4, 6)
    assert load_image(path).shape == (6, 4, 1)


def test_an_animation_shows_its_first_frame(tmp_path):
    path = tmp_path / "x.gif"
    Image.new("RGB", (1, 1), "red").save(path, save_all=True, append_images=[Image.new("RGB", (1, 1), "blue")])
    assert load_image(path).tolist() == [[[255, 0, 0]]]


def test_a_file_that_vanished_is_refused_with_a_reason(tmp_path):
    with pytest.raises(RefusedImageError, match="No such file"):
        load_image(tmp_path / "gone.png")


@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(RefusedImageError, match="pipe"):
        admit(Entry(tmp_path, "pipe.png"))


def test_a_name_with_a_zero_byte_is_refused(tmp_path):
    with pytest.raises(RefusedImageError, match="null"):
        admit(Entry(tmp_path, "a\0b.png"))


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data", "ignore:Image appears to be a malformed MPO")
def test_no_mutation_of_an_image_raises_anything_but_a_refusal(format_):
    content = BytesIO()
    Image.effect_noise((12, 9), 60).save(content, format_)
    chosen = random.Random(0)
    refused = 0
    for _ in range(300):
        mutated = bytearray(content.getvalue())
        for _ in range(chosen.choice([1, 2, 8])):
            mutated[chosen.randrange(len(mutated))] = chosen.randrange(256)
        try:
            pixels = decode(
                bytes(mutated[: chosen.choice([len(mutated), chosen.randrange(len(mutated))])]), verify=True
            )
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3
        except RefusedImageError:
            refused += 1
    assert refused >= 100
