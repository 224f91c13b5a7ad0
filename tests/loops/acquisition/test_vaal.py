import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from loops.acquisition.vaal import AdversarialAutoencoder, StoredRows, vaal_cold_start, vaal_scores
from loops.errors import NotEnoughSamplesError, TrainingInterruptedError

QUICK = 60  # steps; far-apart blobs need no more


@pytest.fixture
def two_blobs():
    """100 samples around 0, 50 around 8 in each of 20 dimensions."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(100, 20)), 8 + generator.normal(size=(50, 20))


def test_samples_of_a_blob_without_labels_are_asked_before_any_of_the_labeled_one(two_blobs):
    known, strange = two_blobs
    scores = vaal_scores(known[:30], np.concatenate([known[30:], strange]), seed=0, steps=QUICK)

    assert scores[70:].min() > scores[:70].max()


def test_same_seed_same_scores_to_the_last_bit_and_another_seed_others(two_blobs):
    known, strange = two_blobs
    first, again, other = (vaal_scores(known, strange, seed=seed, steps=QUICK) for seed in (0, 0, 1))

    assert first.dtype == np.float32
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_random_numbers_of_others_are_left_as_they_were(two_blobs):
    torch.manual_seed(7)
    untouched = torch.rand(1)
    torch.manual_seed(7)
    vaal_scores(*two_blobs, seed=0, steps=2)

    assert torch.rand(1) == untouched


def test_scores_do_not_depend_on_the_size_of_tiles(two_blobs, monkeypatch):
    whole = vaal_scores(*two_blobs, seed=0, steps=QUICK)
    monkeypatch.setattr("loops.acquisition.vaal._TILE", 7)

    np.testing.assert_allclose(vaal_scores(*two_blobs, seed=0, steps=QUICK), whole, atol=1e-3)


@pytest.mark.parametrize(("labeled", "pool", "dimensions"), [(1, 1, 1), (1, 3, 5), (40, 1, 2)])
def test_a_single_label_or_sample_is_no_exception(labeled, pool, dimensions):
    scores = vaal_scores(np.ones((labeled, dimensions)), np.zeros((pool, dimensions)), seed=0, steps=2)

    assert scores.shape == (pool,)
    assert np.isfinite(scores).all()


def test_without_labels_there_is_nothing_to_compare_with():
    with pytest.raises(NotEnoughSamplesError, match="asked for 1 samples, found 0"):
        vaal_scores(np.empty((0, 3)), np.ones((2, 3)), seed=0)


def test_an_empty_pool_has_no_scores():
    assert vaal_scores(np.ones((2, 3)), np.empty((0, 3)), seed=0).shape == (0,)


def test_identical_features_have_finite_scores():
    assert np.isfinite(vaal_scores(np.ones((5, 64), np.uint8), np.ones((9, 64), np.uint8), seed=0, steps=2)).all()


def test_a_training_that_was_interrupted_is_an_error(two_blobs, monkeypatch):
    """Lightning takes Ctrl+C for an answer and returns normally."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(AdversarialAutoencoder, "discriminator_loss", interrupted)
    with pytest.raises(TrainingInterruptedError, match="stopped after 0 of 2 steps"):
        vaal_scores(*two_blobs, seed=0, steps=2)


def test_autoencoder_and_discriminator_have_a_loss_and_an_optimizer_each():
    model = AdversarialAutoencoder(4)
    steps = model.training_step((torch.zeros(2, 4), torch.ones(2, 4)), 0)
    parts = [{id(p) for g in o.param_groups for p in g["params"]} for o in model.configure_optimizers()]

    assert isinstance(model, pl.LightningModule)
    assert parts[0].isdisjoint(parts[1])
    assert parts[0] | parts[1] == {id(p) for p in model.parameters()}
    assert len(list(steps)) == 2


def test_an_undecided_discriminator_costs_ln_2_for_each_side():
    """Log odds of 0 for everything."""
    model = AdversarialAutoencoder(4)
    torch.nn.init.zeros_(model.discriminator[-1].weight)
    torch.nn.init.zeros_(model.discriminator[-1].bias)

    assert model.discriminator_loss(torch.ones(3, 4), torch.zeros(2, 4)).item() == pytest.approx(2 * np.log(2))


@pytest.fixture
def blobs():
    """300 ids in five far-apart blobs of falling size: id // 1000 is the blob."""
    generator = np.random.default_rng(0)
    ids = np.concatenate([1000 * blob + np.arange(size) for blob, size in enumerate([100, 80, 60, 40, 20])])
    return ids, 100 * generator.normal(size=(5, 48))[ids // 1000] + generator.normal(size=(300, 48))


def test_the_cold_start_visits_every_blob_at_once(blobs):
    assert set((vaal_cold_start(*blobs, 8, 0, steps=QUICK) // 1000).tolist()) == {0, 1, 2, 3, 4}


def test_the_cold_start_adds_strangers_to_those_chosen():
    """Eight clusters cover the eight large blobs; nothing chosen is near the ninth, of five samples."""
    generator = np.random.default_rng(0)
    ids = np.concatenate([1000 * blob + np.arange(30) for blob in range(8)] + [8000 + np.arange(5)])
    features = 20 * np.eye(9)[ids // 1000] + generator.normal(size=(len(ids), 9))
    chosen = vaal_cold_start(ids, features, 16, 0, steps=200)

    assert set((chosen[:8] // 1000).tolist()) == set(range(8))
    assert 8 in (chosen[8:] // 1000).tolist()


@pytest.mark.parametrize("k", [1, 9, 20])
def test_ids_of_a_cold_start_differ_and_are_as_many_as_asked_for(blobs, k):
    chosen = vaal_cold_start(*blobs, k, 0, steps=2).tolist()

    assert len(set(chosen)) == len(chosen) == k
    assert set(chosen) <= set(blobs[0].tolist())


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_more_than_there_are_gives_all(n):
    assert sorted(vaal_cold_start(np.arange(n), np.ones((n, 3)), 50, 0, steps=2).tolist()) == list(range(n))


def test_a_cold_start_follows_from_its_seed_and_not_from_the_order_of_rows(blobs):
    ids, features = blobs
    first = vaal_cold_start(ids, features, 12, 0, steps=QUICK).tolist()

    assert vaal_cold_start(ids, features, 12, 0, steps=QUICK).tolist() == first
    assert vaal_cold_start(ids[::-1], features[::-1], 12, 0, steps=QUICK).tolist() == first
    assert vaal_cold_start(ids, features, 12, 1, steps=QUICK).tolist() != first


def test_rows_that_are_read_tile_by_tile_give_the_same_scores(blobs):
    ids, features = blobs
    features_of = dict(zip(ids.tolist(), features, strict=True))
    stored = StoredRows(lambda some: np.array([features_of[i] for i in some.tolist()]), ids)
    assert len(stored) == len(ids)
    scores = vaal_scores(features[:5], stored, seed=0, steps=2)
    assert scores.tolist() == vaal_scores(features[:5], features, seed=0, steps=2).tolist()
