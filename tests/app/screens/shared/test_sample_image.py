from __future__ import annotations

import io
import itertools

import pytest
import streamlit as st
from PIL import Image

from app.screens.shared.sample_image import image_bytes
from storage.samples import SampleInfo


@pytest.fixture(autouse=True)
def no_cache():
    st.cache_data.clear()


def sample(path, size) -> SampleInfo:
    return SampleInfo(1, str(path), "0" * 64, *size, "pool", None, 0.5)


def shown(path, size, side, folder) -> Image.Image:
    return Image.open(io.BytesIO(image_bytes(sample(path, size), side=side, folder=folder)))


def test_a_tiny_image_grows_by_a_whole_factor_without_hard_edges(tmp_path):
    image = Image.new("L", (2, 2))
    image.putpixel((1, 0), 255)
    image.save(tmp_path / "tiny.png")
    large = shown(tmp_path / "tiny.png", (2, 2), 101, tmp_path / "thumbnails")
    assert large.size == (100, 100)
    row = [large.getpixel((x, 0)) for x in range(100)]
    assert (row[0], row[-1]) == (0, 255)
    assert max(after - before for before, after in itertools.pairwise(row)) < 10


def test_a_photograph_shrinks_and_its_thumbnail_is_kept(tmp_path):
    Image.new("RGB", (400, 200), "red").save(tmp_path / "photo.jpg")
    assert shown(tmp_path / "photo.jpg", (400, 200), 100, tmp_path / "thumbnails").size == (100, 50)
    assert [path.name for path in (tmp_path / "thumbnails").iterdir()] == [f"{'0' * 64}-100.jpg"]


def test_a_file_that_is_gone_becomes_a_placeholder(tmp_path):
    assert shown(tmp_path / "gone.png", (8, 8), 64, tmp_path / "thumbnails").size == (64, 64)
