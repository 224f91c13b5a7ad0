from __future__ import annotations

import numpy as np
import pytest
import torch

from loops.embeddings.computed_embedding import DIMENSIONS, ComputedEmbedding, blurred, choose_embedding, upright


def bar(slant: float, middle: float = 9.5) -> np.ndarray:
    """A bright bar of 20 pixels' side on black, leaning to the right by `slant` pixels a row."""
    rows, columns = np.mgrid[:20, :20]
    lit = (np.abs(columns - middle + slant * (rows - 9.5)) < 1.5) & (np.abs(rows - 9.5) < 6)
    return (255 * lit).astype(np.uint8)[None]


def as_images(*bars: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(bars)).float() / 255


def test_a_slanted_bar_becomes_an_upright_one_in_the_middle() -> None:
    straight, slanted, moved = upright(as_images(bar(0.0), bar(0.5), bar(0.0, middle=12.5)))
    assert float((straight - moved).abs().mean()) < 0.01
    before = as_images(bar(0.0), bar(0.5))
    assert float((straight - slanted).abs().mean()) < 0.5 * float((before[0] - before[1]).abs().mean())


def test_an_empty_image_stays_as_it_is() -> None:
    empty = torch.full((1, 1, 8, 8), 0.5)
    assert upright(empty) == pytest.approx(empty)


def test_a_light_background_is_no_mass() -> None:
    dark = upright(as_images(bar(0.5)))
    light = upright(1 - as_images(bar(0.5)))
    assert float((1 - light - dark).abs().max()) < 1e-5


def test_blur_keeps_what_there_is() -> None:
    images = as_images(bar(0.0))
    assert float(blurred(images).sum()) == pytest.approx(float(images.sum()), rel=1e-4)
    assert float(blurred(images).max()) < 1.0


def test_slanted_images_choose_upright_pixels_without_a_label() -> None:
    generator = np.random.default_rng(0)
    shapes = generator.integers(0, 256, (60, 1, 10, 10)).astype(np.uint8)
    rows = np.pad(shapes, ((0, 0), (0, 0), (5, 5), (5, 5)))
    chosen = choose_embedding(rows, 0)
    assert set(chosen.found) == {"pixels", "upright pixels"}
    assert chosen.found[chosen.name] == max(chosen.found.values())


def test_features_are_taken_as_they_are() -> None:
    features = np.random.default_rng(0).normal(size=(100, 200)).astype(np.float32)
    chosen = choose_embedding(features, 0)
    assert (chosen.name, chosen.found) == ("features", {})
    assert chosen.points(features).shape == (100, DIMENSIONS)


def test_what_the_network_does_not_recognize_has_features_alone() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2560)).astype(np.float32)
    assert choose_embedding(0 * rows, 0, backbone="efficientnet_lite").name == "features"


def test_points_do_not_depend_on_what_else_is_asked() -> None:
    rows = np.stack([bar(slant) for slant in np.linspace(-0.5, 0.5, 60)])
    chosen = choose_embedding(rows, 0)
    assert chosen.points(rows)[7] == pytest.approx(chosen.points(rows[7:8])[0], abs=1e-4)


def test_few_images_are_taken_as_pixels() -> None:
    assert choose_embedding(np.stack([bar(0.0), bar(0.3)]), 0).name == "pixels"


def test_principal_components_of_large_colored_images_are_those_of_half_the_side() -> None:
    numbers = 3 * 32 * 32  # of 12,288, whose covariance would take a gigabyte
    of_all = ComputedEmbedding("pixels", {}, np.zeros(numbers, np.float32), np.full((numbers, 1), 1 / numbers, "f4"))
    rows = np.stack([np.full((3, 64, 64), 255, np.uint8), np.zeros((3, 64, 64), np.uint8)])
    rows[1, :, :, :32] = 255  # white on the left half
    rows[1, :, :, 32:] = 0
    assert of_all.points(rows)[0, 0] == pytest.approx(1.0, abs=0.2)  # the border is blurred with black
    assert of_all.points(rows)[1, 0] == pytest.approx(of_all.points(rows)[0, 0] / 2, abs=0.01)


def test_principal_components_of_few_rows_are_those_of_their_covariance() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.cov(unit.T))
    assert (values > 1e-9).sum() == 19  # around their mean
    points = choose_embedding(rows, 0).points(rows)
    assert points.shape == (20, 19)
    expected = (unit - unit.mean(0)) @ vectors[:, :-20:-1]
    assert np.abs(points) == pytest.approx(np.abs(expected), abs=1e-5)


def test_few_equal_rows_lie_at_one_point() -> None:
    points = choose_embedding(np.ones((5, 30), np.float32), 0).points(np.ones((5, 30), np.float32))
    assert points == pytest.approx(np.zeros((5, 1)))
