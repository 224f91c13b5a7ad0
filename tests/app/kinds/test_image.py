from __future__ import annotations

import os
import random
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


def test_sixteen_bits_keep_their_upper_byte(tmp_path):
    path = save(tmp_path / "x.png", Image.fromarray(np.array([[0, 256, 65535]], dtype=np.uint16)))
    assert load_image(path).tolist() == [[[0], [1], [255]]]


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


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
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
