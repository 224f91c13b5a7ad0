from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from loops.embeddings.computed_embedding import choose_embedding
from loops.embeddings.encoder import POINT, SIDE, Encoder, LearnedEmbedding, learned_points, prepare, spacing, undrawn


@pytest.fixture(scope="module")
def embedding() -> LearnedEmbedding:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return LearnedEmbedding(choose_embedding(images(20), 0), Encoder(1), (1.0, 1.0))


def images(n: int, side: int = 20) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 1, side, side)).astype(np.uint8)


def learned(embedding: LearnedEmbedding, rows: np.ndarray) -> np.ndarray:
    return learned_points(embedding.encoder, embedding.computed.name, rows)


def test_points_have_length_1_and_do_not_depend_on_what_else_is_asked(embedding: LearnedEmbedding) -> None:
    rows = images(5)
    points = learned(embedding, rows)
    assert points.shape == (5, POINT)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert learned(embedding, rows[3:4])[0] == pytest.approx(points[3], abs=0.02)  # bfloat16 has three digits


def test_computed_points_stand_beside_learned_ones_each_at_its_spacing(embedding: LearnedEmbedding) -> None:
    rows = images(5)
    computed = embedding.computed.points(rows)
    points = replace(embedding, spacings=(2.0, 0.5)).points(rows)
    assert points[:, : computed.shape[1]] == pytest.approx(computed / 2, rel=1e-5)
    assert points[:, computed.shape[1] :] == pytest.approx(2 * learned(embedding, rows), rel=1e-5)


def test_spacing_is_how_far_the_seventh_neighbor_is() -> None:
    on_a_line = np.arange(5_000, dtype=np.float32)[:, None]
    assert spacing(3 * on_a_line) == pytest.approx(12.0), "three before, three behind, and the next"
    assert spacing(np.zeros((20, 2), np.float32)) > 0, "copies of one image"


def test_an_embedding_made_again_of_its_arrays_gives_the_same_points(embedding: LearnedEmbedding) -> None:
    again = LearnedEmbedding.of_arrays(embedding.arrays())
    assert again.name == embedding.name
    assert (again.points(images(3)) == embedding.points(images(3))).all()


def test_images_of_any_size_are_brought_to_one(embedding: LearnedEmbedding) -> None:
    assert prepare("pixels", images(2, side=64)).shape == (2, 1, SIDE, SIDE)
    assert (prepare("pixels", images(2, side=SIDE)).numpy() == images(2, side=SIDE)).all(), "nothing to do"
    assert learned(embedding, images(2, side=16)).shape == (2, POINT)


def test_a_slanted_bar_is_made_upright_where_the_neighbors_were() -> None:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    slanted = (np.abs(columns - 13.5 + 0.5 * (rows - 13.5)) < 1.5) & (np.abs(rows - 13.5) < 8)
    image = (255 * slanted).astype(np.uint8)[None, None]
    lit = prepare("upright pixels", image)[0, 0, 7:21].float().mean(0)
    assert lit[11:17].sum() > 0.9 * lit.sum(), "all within a few columns"


def test_a_network_is_made_without_a_draw() -> None:
    before = torch.get_rng_state()
    undrawn(lambda: Encoder(3))
    assert (torch.get_rng_state() == before).all()
