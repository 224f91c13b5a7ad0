import numpy as np
import pytest

from loops.acquisition.cold_start import diverse


@pytest.fixture
def blobs():
    """300 ids in five far-apart blobs of falling size, and one outlier: id // 1000 is the blob."""
    generator = np.random.default_rng(0)
    sizes = [100, 80, 60, 40, 19, 1]
    ids = np.concatenate([1000 * blob + np.arange(size) for blob, size in enumerate(sizes)])
    centers = 100 * generator.normal(size=(6, 64))
    return ids, centers[ids // 1000] + generator.normal(size=(300, 64))


def test_five_samples_are_from_five_clusters_before_any_outlier(blobs):
    ids, features = blobs

    assert sorted(diverse(ids, features, 5, seed=0) // 1000) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("k", [1, 3, 10, 50, 299, 300])
def test_ids_differ_and_are_as_many_as_asked_for(blobs, k):
    ids, features = blobs
    chosen = diverse(ids, features, k, seed=0)

    assert len(set(chosen.tolist())) == len(chosen) == k
    assert set(chosen.tolist()) <= set(ids.tolist())


def test_a_long_sequence_begins_with_a_good_short_one(blobs):
    ids, features = blobs

    assert len(set((diverse(ids, features, 50, seed=0)[:8] // 1000).tolist())) == 6


def test_the_first_sample_is_typical_of_its_cluster():
    """At the middle of 21 samples on a line, not at its end."""
    features = np.arange(-10, 11, dtype=np.float32)[:, None] ** 3

    assert abs(diverse(np.arange(-10, 11), features, 1, seed=0)[0]) <= 2


def test_more_than_there_are_gives_all(blobs):
    ids, features = blobs

    assert sorted(diverse(ids[:7], features[:7], 50, seed=0).tolist()) == ids[:7].tolist()


def test_identical_samples_are_drawn_like_any_others():
    chosen = diverse(np.arange(100), np.ones((100, 40), np.float32), 20, seed=0)

    assert len(set(chosen.tolist())) == 20


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_tiny_pool_is_no_exception(n):
    assert sorted(diverse(np.arange(n), np.ones((n, 3), np.float32), 5, seed=0).tolist()) == list(range(n))


def test_same_seed_same_samples_and_another_seed_others(blobs):
    ids, features = blobs
    first, again, other = (diverse(ids, features, 40, seed=seed).tolist() for seed in (0, 0, 1))

    assert first == again
    assert first != other


def test_the_order_of_rows_in_the_store_does_not_matter_much(blobs):
    ids, features = blobs
    backward = diverse(ids[::-1], features[::-1], 5, seed=0)

    assert sorted(backward // 1000) == [0, 1, 2, 3, 4]
