from contextlib import nullcontext

import numpy as np
import pytest
import torch

from loops.embeddings.embedding import EfficientNetEmbedder, PixelEmbedder, on_device
from loops.embeddings.features import FeatureStore, embed
from loops.embeddings.images import LITE_NETWORKS
from loops.embeddings.lite_networks import network
from loops.embeddings.squares import to_square

RED = (255, 0, 0)


def image(side, *channels):
    return np.full((side, side, len(channels)), channels, np.uint8)


@pytest.mark.parametrize("size", [(8, 8), (28, 20), (1, 1), (300, 5), (64, 64)])
def test_any_size_becomes_the_square(size):
    assert to_square(np.zeros((*size, 3), np.uint8), 16).shape == (16, 16, 3)


def test_an_image_of_the_right_size_is_not_touched():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)

    assert (to_square(pixels, 16) == pixels).all()


def test_gray_without_a_channel_is_gray_with_one():
    assert (to_square(image(8, 7)[:, :, 0], 16) == to_square(image(8, 7), 16)).all()


@pytest.mark.parametrize(
    ("channels", "seen"),
    [((9,), (9, 9, 9)), ((9, 255), (9, 9, 9)), ((9, 0), (255, 255, 255)), (RED, RED), ((*RED, 255), RED)],
)
def test_every_mode_becomes_rgb_and_transparency_is_white(channels, seen):
    assert tuple(to_square(image(8, *channels), 16)[3, 3]) == seen


def test_half_transparent_black_is_middle_gray():
    assert to_square(image(8, 0, 0, 0, 128), 16)[0, 0].tolist() == [127, 127, 127]


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8, 5), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros(8, np.uint8),
    ],
)
def test_what_is_no_image_is_refused(pixels):
    with pytest.raises(ValueError, match="an image is uint8"):
        to_square(pixels, 16)


def test_gray_saved_as_rgb_takes_one_channel():
    squares = [to_square(image(8, 9, 9, 9), 16), to_square(image(8, 7), 16)]

    assert PixelEmbedder(16).embed(squares).shape == (2, 1, 16, 16)
    assert PixelEmbedder(16).embed([*squares, to_square(image(8, *RED), 16)]).shape == (3, 3, 16, 16)


def test_mixed_sizes_and_modes_go_into_one_store(tmp_path):
    images = {1: image(8, 7), 2: image(28, 9, 9, 9), 3: image(16, *RED, 255), 4: image(5, 7)[:, :, 0]}
    store = FeatureStore(tmp_path, "pixels-16")
    reports = []
    embed(
        store,
        list(images),
        images.__getitem__,
        progress=lambda *_: None,
        on_broken=lambda *r: reports.append(r),
        should_stop=lambda: False,
    )

    assert reports == []
    assert store.rows([1, 2, 3, 4])[:, :, 4, 4].tolist() == [[7, 7, 7], [9, 9, 9], list(RED), [7, 7, 7]]


@pytest.fixture
def squares():
    return [np.random.default_rng(i).integers(0, 256, (224, 224, 3), dtype=np.uint8) for i in range(2)]


def test_a_row_is_the_features_of_both_networks_side_by_side(squares):
    features = EfficientNetEmbedder(torch.device("cpu")).embed(squares)
    with torch.inference_mode():
        pixels = (torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() - 127) / 128
        whole = torch.cat([network(name).extract_features(pixels).mean((2, 3)) for name in LITE_NETWORKS], dim=1)

    assert features.shape == (2, 2560)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, whole, atol=1e-4)


def test_features_in_half_precision_point_the_same_way(squares, monkeypatch):
    images, found = np.ascontiguousarray(np.stack(squares).transpose(0, 3, 1, 2)), []
    for context in (nullcontext(), torch.autocast("cpu", torch.bfloat16)):
        monkeypatch.setattr("loops.embeddings.embedding.half_precision", lambda _device, context=context: context)
        found.append(on_device(torch.device("cpu"))(images))
    exact, rounded = (features / np.linalg.norm(features, axis=1, keepdims=True) for features in found)

    assert rounded.dtype == np.float32
    assert not np.array_equal(exact, rounded)
    assert (exact * rounded).sum(1).min() > 0.99
