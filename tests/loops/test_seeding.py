import numpy as np

from loops.seeding import hash_of_ids, seed_of


def test_a_seed_is_the_same_in_every_process():
    assert seed_of(0, "fit", 3) == 7112309566443295565


def test_parts_are_not_run_together():
    assert seed_of(1, 23) != seed_of(12, 3)
    assert seed_of(1) != seed_of("1")


def test_a_seed_fits_into_63_bits():
    assert all(0 <= seed_of(i) < 2**63 for i in range(1000))


def test_the_hash_of_an_id_does_not_depend_on_its_neighbors():
    assert hash_of_ids(np.array([5, 9]), 0)[1] == hash_of_ids(np.array([9]), 0)[0]


def test_hashes_of_a_million_ids_do_not_collide():
    assert len(np.unique(hash_of_ids(np.arange(1_000_000), 0))) == 1_000_000
