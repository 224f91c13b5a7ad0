from datetime import datetime, timedelta, timezone

from storage.grid import claim_grid
from storage.models import Sample
from storage.queue import release_claims
from storage.refusals import mark_broken
from storage.samples import add_samples

NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)


def grid(world, *sample_ids, annotator_id=None, count=10, audit_share=0.0, **more):
    annotator_id = annotator_id or world.ada
    return world.tell(
        claim_grid, annotator_id=annotator_id, sample_ids=sample_ids, count=count, audit_share=audit_share, **more
    )


def ids(claimed):
    return [entry.sample.id for entry in claimed]


def test_a_grid_takes_the_first_free_ones_in_the_order_given(world):
    shown = grid(world, 9, 2, 7, 5, count=3)
    assert ids(shown) == [9, 2, 7]
    assert {(entry.seen, entry.query_id, entry.purpose) for entry in shown} == {(True, None, "train")}


def test_decided_broken_and_test_samples_are_passed_over(world, samples_like):
    world.tell(add_samples, samples=[samples_like("test", "test", 1)])
    world.label(1)
    world.skip(2)
    with world.database.write() as session:
        mark_broken(session, sample_id=3, reason="truncated")
    assert ids(grid(world, 1, 2, 3, 4, 11, 99)) == [4]


def test_audit_samples_are_never_shown_beside_their_like(world):
    world.publish(1, 2, 3, audit=(2,))
    with world.database.read() as session:
        keys = {sample.id: sample.audit_key for sample in session.query(Sample)}
    reserve = sorted(keys, key=keys.__getitem__)[:3]
    share = (keys[reserve[2]] + min(key for number, key in keys.items() if number not in reserve)) / 2
    expected = [number for number in range(1, 11) if number not in reserve and number != 2]
    assert ids(grid(world, *range(1, 11), audit_share=share)) == expected


def test_an_audit_sample_of_an_earlier_round_stays_out(world):
    world.publish(1, 2, audit=(1,))
    world.publish(2)
    assert ids(grid(world, 1, 2)) == [2]


def test_a_recheck_whose_label_was_taken_back_stays_out(world):
    event = world.label(1)
    world.publish(1, 2, recheck=(1,))
    world.undo(event.id, world.bob)
    world.tell(release_claims, annotator_id=world.bob)
    assert ids(grid(world, 1, 2)) == [2]


def test_what_another_has_is_left_to_them_and_comes_free_with_their_lease(world):
    world.publish(1, 2, 3)
    world.batch(world.bob, 2, now=NOON)
    assert ids(grid(world, 1, 2, 3, now=NOON)) == [3]
    assert ids(grid(world, 1, 2, 3, now=NOON + timedelta(seconds=60))) == [1, 2, 3]


def test_what_the_annotator_fetched_ahead_may_come_in_the_grid_under_its_token(world):
    world.publish(1, 2)
    fetched = world.batch(count=2)
    shown = grid(world, 2, 1)
    assert [entry.token for entry in shown] == [fetched[1].token, fetched[0].token]
    assert [entry.rank for entry in shown] == [1, 0]


def test_a_grid_asked_for_again_keeps_its_tokens(world):
    assert grid(world, 4, 5) == grid(world, 4, 5)


def test_nobody_else_is_asked_about_what_a_grid_shows(world):
    world.publish(1, 2, 3)
    grid(world, 1, 2)
    assert ids(world.batch(world.bob, 3)) == [3]
    assert ids(grid(world, 1, 2, 3, annotator_id=world.bob)) == [3]


def test_back_at_the_queue_the_grid_is_let_go_and_the_ranking_goes_on(world):
    world.publish(1, 2, 3)
    grid(world, 9, 8, 2)
    assert ids(world.batch(world.ada, 2)) == [1, 2]
    assert ids(grid(world, 9, 8, 3, annotator_id=world.bob)) == [9, 8, 3]


def test_two_pages_of_a_grid_are_held_together(world):
    grid(world, 1, 2)
    grid(world, 3, 4)
    assert ids(grid(world, 1, 2, 3, 4, 5, annotator_id=world.bob)) == [5]


def test_thousands_may_be_offered_and_one_given_twice_is_one(world):
    assert ids(grid(world, *range(100, 3_000), 5, 5, 6)) == [5, 6]


def test_a_grid_decision_says_so_and_carries_no_score_of_the_ranking(world):
    world.publish(1, 2)
    with_query, without = grid(world, 1, 9)
    given = {"acquisition": "grid", "shown_together": 2}
    events = [world.label(entry.sample.id, request_id=entry.token, **given) for entry in (with_query, without)]
    for event in events:
        assert (event.purpose, event.acquisition, event.shown_together) == ("train", "grid", 2)
        assert (event.round_number, event.model_version) == (0, "round-0")
        assert (event.score, event.rank, event.acquisition_probability) == (None, None, None)


def test_a_grid_decision_on_what_is_an_audit_sample_by_now_counts_for_the_audit(world):
    (shown,) = grid(world, 1)
    world.publish(1, audit=(1,))
    event = world.label(1, request_id=shown.token, acquisition="grid", shown_together=12)
    assert (event.purpose, event.acquisition, event.rank) == ("audit", "bald", 0)
