"""The pool's rest, in a random order of the project's own: no screen waits for a trainer."""

from collections import Counter

from storage.labels import list_events
from storage.queue import release_claims
from storage.remainder import Remainder, read_remainder
from storage.samples import list_samples


def remainder(world, audit_share=0.0, count=40):
    return world.ask(read_remainder, audit_share=audit_share, count=count)


def rest_of(world, count=40, **more):
    found = remainder(world, **more)
    return world.batch(count=count, rest=found)


def test_where_no_round_asks_the_whole_pool_is_there_in_a_fixed_random_order(world):
    keys = {sample.id: sample.audit_key for sample in world.ask(list_samples, split="pool")}
    assert list(remainder(world).sample_ids) == sorted(keys, key=keys.get)
    assert remainder(world).size == 10


def test_the_reserve_of_the_audit_is_left_out(world):
    keys = {sample.id: sample.audit_key for sample in world.ask(list_samples, split="pool")}
    found = remainder(world, audit_share=0.5)
    assert set(found.sample_ids) == {sample_id for sample_id, key in keys.items() if key >= 0.5}
    assert 0 < len(found.sample_ids) < 10


def test_the_ranking_comes_first_and_the_rest_behind_it_asked_at_random(world):
    world.publish(7, 3)
    batch = rest_of(world, count=4)
    assert [claimed.sample.id for claimed in batch[:2]] == [7, 3]
    sample = batch[2].sample.id
    event = world.label(sample, 1)
    assert (event.purpose, event.acquisition, event.acquisition_probability) == ("train", "random", 1 / 8)
    assert (event.rank, event.score, event.round_number) == (None, None, 0)


def test_a_whole_pool_is_labeled_without_a_round_each_sample_once(world):
    shown = Counter()
    while batch := rest_of(world, count=3):
        shown[batch[0].sample.id] += 1
        world.label(batch[0].sample.id)
    assert shown == dict.fromkeys(range(1, 11), 1)
    chances = [event.acquisition_probability for event in world.ask(list_events)]
    assert chances == [1 / left for left in range(10, 0, -1)]
    assert remainder(world) == Remainder((), 0)


def test_a_new_round_takes_over_what_nobody_has_seen(world):
    batch = rest_of(world, count=3)
    world.batch(count=3, keep=[batch[0].token])
    first = batch[0].sample.id
    world.publish(*(number for number in range(1, 11) if number != first))
    again = world.batch(count=3)
    assert again[0].sample.id == first
    assert [claimed.rank for claimed in again[1:]] == [0, 1]


def test_one_that_a_round_asks_by_now_is_no_longer_random(world):
    batch = rest_of(world, count=1)
    world.publish(batch[0].sample.id)
    world.batch(count=1)
    assert world.label(batch[0].sample.id).acquisition == "bald"


def test_an_undone_one_comes_back_as_it_came(world):
    batch = rest_of(world, count=1)
    world.undo(world.label(batch[0].sample.id).id)
    again = world.label(batch[0].sample.id, 1)
    assert (again.acquisition, again.acquisition_probability) == ("random", 1 / 10)


def test_one_whose_claim_was_lost_is_still_one_that_came_by_chance(world):
    sample = rest_of(world, count=1)[0].sample.id
    world.tell(release_claims, annotator_id=world.ada)
    assert world.label(sample, blind=True).acquisition == "random"


def test_two_people_never_get_the_same_of_the_rest(world):
    ours, theirs = rest_of(world, count=4), rest_of(world, count=4)
    assert ours == theirs
    found = remainder(world)
    bobs = world.batch(world.bob, 10, rest=found)
    assert len(bobs) == 6
    assert not {claimed.sample.id for claimed in ours} & {claimed.sample.id for claimed in bobs}
