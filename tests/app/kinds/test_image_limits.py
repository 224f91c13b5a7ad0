from __future__ import annotations

import pytest
from PIL import Image

from app.errors import SettingsError
from app.formats.source import Entry
from app.kinds.image import RefusedImageError, admit
from app.kinds.image_limits import max_bytes, max_pixels


@pytest.fixture(autouse=True)
def asked_anew():
    yield
    max_bytes.cache_clear()
    max_pixels.cache_clear()


@pytest.fixture
def say(monkeypatch):
    def says(variable: str, value: str) -> None:
        monkeypatch.setenv(variable, value)
        max_bytes.cache_clear()
        max_pixels.cache_clear()

    return says


def test_a_file_may_be_as_large_as_the_environment_says(tmp_path, say):
    Image.effect_noise((1_200, 1_000), 90).save(tmp_path / "x.png", compress_level=0)  # 1.2 million bytes and pixels
    say("LABELLOOP_MAX_MEGABYTES", "1")
    with pytest.raises(RefusedImageError, match=r"is larger than 1 MB \(LABELLOOP_MAX_MEGABYTES lets it in\)"):
        admit(Entry(tmp_path, "x.png"))
    say("LABELLOOP_MAX_MEGABYTES", "2")
    assert admit(Entry(tmp_path, "x.png")).width == 1_200


def test_an_image_may_have_as_many_pixels_as_the_environment_says(tmp_path, say):
    Image.new("L", (1_200, 1_000)).save(tmp_path / "x.png")
    say("LABELLOOP_MAX_MEGAPIXELS", "1")
    with pytest.raises(RefusedImageError, match=r"more than 1 million pixels \(LABELLOOP_MAX_MEGAPIXELS lets it in\)"):
        admit(Entry(tmp_path, "x.png"))
    say("LABELLOOP_MAX_MEGAPIXELS", "2")
    assert admit(Entry(tmp_path, "x.png")).height == 1_000


@pytest.mark.parametrize("said", ["0", "-5", "1.5", "many", "1e3"])
def test_what_is_no_number_is_refused_by_the_name_of_the_variable(say, said):
    say("LABELLOOP_MAX_MEGAPIXELS", said)
    with pytest.raises(SettingsError, match=f"LABELLOOP_MAX_MEGAPIXELS is '{said}': say a whole number above 0."):
        max_pixels()


def test_said_nothing_it_is_that_of_a_phone_or_a_camera(say):
    say("LABELLOOP_MAX_MEGAPIXELS", " ")
    assert (max_bytes(), max_pixels()) == (50_000_000, 64_000_000)
