import numpy as np
import pytest
import torch
from PIL import Image

from app.kinds.image import decode
from loops.embeddings.new_samples import WithNewSamples, as_channels
from loops.embeddings.squares import to_square
from loops.embeddings.squares_module import Squares


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7), (28, 28), (64, 61), (400, 399)])
@pytest.mark.parametrize("side", [16, 28, 224])
def test_the_square_inside_the_model_is_the_applications_to_the_last_bit(size, side, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 4), dtype=np.uint8)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "image.png")
    wanted = to_square(decode((tmp_path / "image.png").read_bytes()), side).transpose(2, 0, 1)
    assert (Squares(side, 3)(torch.from_numpy(pixels)[None])[0].numpy() == wanted).all()


def test_a_model_of_gray_images_takes_the_mean_of_colors():
    pixels = np.array([[[[10, 20, 31, 255]]]], np.uint8)
    found = Squares(1, 1)(torch.from_numpy(pixels)).numpy()
    assert found.tolist() == [[[[20]]]]
    assert as_channels(pixels[:, :, :, :3].transpose(0, 3, 1, 2), (1, 1, 1)).tolist() == [[[[20]]]]


def test_new_samples_are_served_beside_stored_ones(tmp_path):
    store = WithNewSamples(tmp_path, "pixels-16")
    store.append([7], np.full((1, 1, 16, 16), 70, np.uint8))
    first = store.lend(np.stack([np.full((1, 16, 16), k, np.uint8) for k in (1, 2)]))
    assert store.rows([first[1], 7, first[0]])[:, 0, 0, 0].tolist() == [2, 70, 1]
    second = store.lend(np.full((1, 1, 16, 16), 3, np.uint8))
    assert store.rows(second)[:, 0, 0, 0].tolist() == [3]
    assert not set(first) & set(second), "predictors remember by id"
