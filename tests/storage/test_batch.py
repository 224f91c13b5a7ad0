"""A page's queue: what is on screen stays, what is fetched ahead follows the ranking, a closed page frees it all."""

from datetime import datetime, timedelta, timezone

import pytest

from storage.queue import release_claims
from storage.refusals import mark_broken
from storage.rerank import replace_tail
from storage.rounds import NewQuery

NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)


def seconds(number):
    return NOON + timedelta(seconds=number)


def ids(batch):
    return [claimed.sample.id for claimed in batch]


def tokens(batch):
    return [claimed.token for claimed in batch]


def test_without_an_open_round_a_page_gets_nothing(world):
    assert world.batch() == []
    world.begin()
    assert world.batch() == []


def test_a_page_gets_the_best_samples_in_order_and_none_is_seen_yet(world):
    world.publish(7, 3, 9, 1)
    batch = world.batch(count=3)
    assert ids(batch) == [7, 3, 9]
    assert [(claimed.rank, claimed.seen, claimed.round_number) for claimed in batch] == [
        (0, False, 0), (1, False, 0), (2, False, 0),
    ]  # fmt: skip


def test_asked_again_it_gets_the_same_samples_under_the_same_tokens(world):
    world.publish(1, 2, 3, 4)
    before = world.batch(count=3)
    assert world.batch(count=3) == before
    assert tokens(world.batch(count=4))[:3] == tokens(before)


def test_two_pages_never_get_one_sample(world):
    world.publish(1, 2, 3, 4, 5)
    assert ids(world.batch(world.ada, 3)) == [1, 2, 3]
    assert ids(world.batch(world.bob, 3)) == [4, 5]


def test_what_is_kept_comes_first_in_the_pages_order_and_is_seen(world):
    world.publish(1, 2, 3, 4)
    one, two, three = tokens(world.batch(count=3))
    batch = world.batch(count=3, keep=[two, one])
    assert [(claimed.sample.id, claimed.seen) for claimed in batch] == [(2, True), (1, True), (3, False)]
    assert tokens(batch) == [two, one, three]


def test_a_decided_sample_leaves_and_the_next_one_comes(world):
    world.publish(1, 2, 3, 4)
    first, second, _ = world.batch(count=3)
    world.label(1, request_id=first.token)
    assert ids(world.batch(count=3, keep=[first.token, second.token])) == [2, 3, 4]


def test_after_a_reload_the_sample_that_was_on_screen_comes_first(world):
    world.publish(1, 2, 3, 4)
    one, two, _ = tokens(world.batch(count=3))
    world.batch(count=3, keep=[one, two])
    world.publish(9, 8, 7)
    assert ids(world.batch(count=4)) == [1, 2, 9, 8]


def test_a_new_ranking_replaces_what_was_only_fetched_ahead(world):
    opened = world.publish(1, 2, 3, 4, 5, 6)
    (one, *_) = tokens(world.batch(count=3))
    world.batch(count=3, keep=[one])
    with world.database.write() as session:
        ranking = [NewQuery(number, 7 - number, "train", 1.0, 1.0) for number in range(1, 7)]
        assert replace_tail(session, round_id=opened.id, generation=1, ranking=ranking) == 4  # 4 stays in the middle
    assert ids(world.batch(count=3, keep=[one])) == [1, 6, 5]
    assert ids(world.batch(world.bob, 2)) == [4, 3]  # let go by the first page


def test_a_fetched_sample_keeps_its_token_through_a_new_ranking(world):
    opened = world.publish(1, 2, 3)
    token_of = dict(zip([1, 2, 3], tokens(world.batch(count=3)), strict=True))
    with world.database.write() as session:
        ranking = [NewQuery(number, rank, "train", 1.0, 1.0) for rank, number in enumerate([2, 3, 1])]
        replace_tail(session, round_id=opened.id, generation=1, ranking=ranking)
    batch = world.batch(count=2)
    assert ids(batch) == [2, 3]
    assert tokens(batch) == [token_of[2], token_of[3]]
    assert [claimed.rank for claimed in batch] == [0, 1]


def test_a_smaller_queue_frees_the_rest(world):
    world.publish(1, 2, 3)
    world.batch(world.ada, 3)
    assert world.batch(world.bob, 3) == []
    assert ids(world.batch(world.ada, 1)) == [1]
    assert ids(world.batch(world.bob, 3)) == [2, 3]


def test_a_full_screen_is_kept_though_fewer_are_wanted(world):
    world.publish(1, 2, 3)
    batch = world.batch(count=2)
    assert ids(world.batch(count=1, keep=tokens(batch))) == [1, 2]


def test_unknown_tokens_and_those_of_others_keep_nothing(world):
    world.publish(1, 2)
    (taken,) = world.batch(world.bob, 1)
    assert ids(world.batch(world.ada, 2, keep=["no such token", taken.token])) == [2]
    assert ids(world.batch(world.bob, 1, keep=[taken.token])) == [1]


def test_a_sample_that_breaks_on_the_screen_is_let_go(world):
    world.publish(1, 2)
    (first,) = world.batch(count=1)
    world.batch(count=1, keep=[first.token])
    with world.database.write() as session:
        mark_broken(session, sample_id=1, reason="truncated")
    assert ids(world.batch(count=1, keep=[first.token])) == [2]


def test_a_sample_that_somebody_else_decided_is_let_go(world):
    world.publish(1, 2)
    (first,) = world.batch(count=1)
    world.label(1, annotator_id=world.bob)
    assert ids(world.batch(count=1, keep=[first.token])) == [2]


def test_a_page_that_closed_frees_all_its_samples_with_the_lease(world):
    world.publish(1, 2, 3)
    batch = world.batch(world.ada, 3, now=NOON)
    world.batch(world.ada, 3, keep=tokens(batch)[:1], now=NOON)
    assert world.batch(world.bob, 3, now=seconds(59)) == []
    assert ids(world.batch(world.bob, 3, now=seconds(60))) == [1, 2, 3]


def test_an_open_page_keeps_its_samples_by_asking_again(world):
    world.publish(1, 2)
    before = tokens(world.batch(world.ada, 2, now=NOON))
    for second in range(15, 600, 15):
        assert tokens(world.batch(world.ada, 2, now=seconds(second))) == before
        assert world.batch(world.bob, 2, now=seconds(second + 14)) == []


def test_what_expired_stays_with_its_page_as_long_as_nobody_took_it(world):
    world.publish(1, 2)
    before = tokens(world.batch(world.ada, 2, now=NOON))
    world.batch(world.ada, 2, keep=before, now=NOON)
    assert ids(world.batch(world.bob, 1, now=seconds(100))) == [1]
    after = world.batch(world.ada, 2, keep=before, now=seconds(101))
    assert ids(after) == [2]
    assert tokens(after) == before[1:]


def test_a_claim_that_was_taken_over_is_not_renewed_beside_the_new_one(world):
    world.publish(1)
    world.batch(world.ada, 1, now=NOON)
    world.batch(world.bob, 1, now=seconds(100))
    assert world.batch(world.ada, 1, now=seconds(101)) == []
    assert ids(world.batch(world.bob, 1, now=seconds(102))) == [1]


@pytest.mark.parametrize("jump", [-86_400, -3_600, -30, 3_600, 86_400, -54 * 365 * 86_400])
def test_a_clock_jump_takes_nothing_from_a_page(world, jump):
    world.publish(1, 2, 3)
    before = tokens(world.batch(count=3, now=NOON))
    world.batch(count=3, keep=before[:2], now=NOON)
    assert tokens(world.batch(count=3, keep=before[:2], now=seconds(jump))) == before
    assert world.batch(world.bob, 1, now=seconds(jump + 59)) == []
    assert ids(world.batch(world.bob, 1, now=seconds(jump + 60))) == [1]


def test_a_label_given_after_the_lease_was_lost_is_stored_with_its_purpose(world):
    world.publish(1, 2, audit=(1,))
    lost, _ = world.batch(world.ada, 2, now=NOON)
    world.batch(world.bob, 2, now=seconds(100))
    event = world.label(1, 1, request_id=lost.token)
    assert (event.purpose, event.round_number, event.rank) == ("audit", 0, 0)


def test_an_undone_sample_comes_back_with_a_new_token_and_nothing_else_is_lost(world):
    world.publish(1, 2, 3, 4)
    first, second, _ = world.batch(count=3)
    event = world.label(1, request_id=first.token)
    world.batch(count=3, keep=[second.token])
    world.undo(event.id)
    batch = world.batch(count=3, keep=[second.token])
    assert [(claimed.sample.id, claimed.seen) for claimed in batch] == [(2, True), (1, True), (3, False)]
    assert batch[1].token != first.token
    assert batch[0].token == second.token
    assert world.batch(world.bob, 1)[0].sample.id == 4


def test_a_recheck_is_fetched_ahead_like_any_other_until_it_is_answered(world):
    world.label(1, 1)
    world.publish(2, 1, 3, recheck=(1,))
    batch = world.batch(world.bob, 3)
    assert [(claimed.sample.id, claimed.purpose) for claimed in batch] == [(2, "train"), (1, "recheck"), (3, "train")]
    event = world.label(1, 0, annotator_id=world.bob, request_id=batch[1].token)
    assert event.purpose == "recheck"
    assert ids(world.batch(world.bob, 3, keep=[batch[1].token])) == [2, 3]


def test_a_seen_sample_of_an_earlier_round_comes_before_those_of_the_new_one(world):
    world.publish(1, 2, 3)
    first = world.batch(count=2)
    world.batch(count=2, keep=[first[1].token])
    world.publish(9, 8)
    batch = world.batch(count=3)
    assert ids(batch) == [2, 9, 8]
    assert [claimed.round_number for claimed in batch] == [0, 1, 1]


def test_a_sample_on_screen_without_a_query_is_kept_until_it_is_decided(world):
    world.publish(1)
    assert world.look_at(9)
    batch = world.batch(count=2)
    assert ids(batch) == [9, 1]
    world.label(9, request_id=batch[0].token)
    assert ids(world.batch(count=2, keep=[batch[0].token])) == [1]


def test_some_claims_can_be_kept_while_the_others_are_released(world):
    world.publish(1, 2, 3)
    batch = world.batch(world.ada, 3)
    world.tell(release_claims, annotator_id=world.ada, keep=[batch[1].token])
    assert ids(world.batch(world.bob, 3)) == [1, 3]
    world.tell(release_claims, annotator_id=world.ada)
    assert ids(world.batch(world.bob, 3)) == [1, 2, 3]
