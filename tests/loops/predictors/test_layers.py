import pytest
import torch

from loops.predictors.layers import PrepareFeatures, PreparePixels, RandomAffine, feature_head, small_cnn


@pytest.mark.parametrize("side", [16, 20, 28, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_small_network_takes_every_side_and_channel_count(side, channels):
    backbone, head = small_cnn(channels, side, 7)

    assert head(backbone(torch.zeros(2, channels, side, side))).shape == (2, 7)


def test_no_dropout_stands_before_the_head():
    backbone, head = small_cnn(1, 28, 10)

    assert not [layer for layer in backbone.modules() if isinstance(layer, torch.nn.Dropout)]
    assert len([layer for layer in head if isinstance(layer, torch.nn.Dropout)]) == 2
    assert feature_head(2560, 2)(torch.zeros(3, 2560)).shape == (3, 2)


def test_images_are_distorted_in_training_only():
    images = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    augment = RandomAffine()

    assert not torch.equal(augment.train()(images), images)
    assert torch.equal(augment.eval()(images), images)


def test_each_image_of_a_batch_is_distorted_in_its_own_way():
    image = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    first, second = RandomAffine().train()(image.repeat(2, 1, 1, 1))

    assert not torch.equal(first, second)


def test_an_affine_of_no_strength_changes_nothing():
    images = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(RandomAffine(0, 0, 0, 0).train()(images), images)


def test_pixels_are_standardized_by_the_rows_learned_from():
    """Half black, half white: mean 1/2, deviation 1/2."""
    rows = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 4, 4)
    prepare = PreparePixels(1)
    prepare.learn(rows)

    assert prepare(rows)[:, 0, 0, 0].tolist() == [-1.0, 1.0]


def test_rows_without_any_contrast_stay_finite():
    pixels, features = PreparePixels(1), PrepareFeatures(4)
    pixels.learn(torch.zeros(3, 1, 4, 4, dtype=torch.uint8))
    features.learn(torch.ones(1, 4))

    assert pixels(torch.full((1, 1, 4, 4), 255, dtype=torch.uint8)).isfinite().all()
    assert features(torch.zeros(1, 4)).isfinite().all()


def test_features_keep_their_proportions():
    """Dimensions deviate by 3 and by 1; both are divided by the same number."""
    rows = torch.tensor([[3.0, 1.0], [-3.0, -1.0]])
    prepare = PrepareFeatures(2)
    prepare.learn(rows)
    first, second = prepare(rows)[0].tolist()

    assert first / second == pytest.approx(3.0)
    assert prepare(rows).square().mean().item() == pytest.approx(1.0)
