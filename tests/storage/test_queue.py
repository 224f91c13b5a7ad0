from datetime import datetime, timedelta, timezone

import pytest

from storage.queue import RoundProgress, release_claims, return_to, round_progress
from storage.refusals import mark_broken

NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)
TEN_MINUTES = {"lease_s": 600}


def minutes(number):
    return NOON + timedelta(minutes=number)


def break_sample(world, sample_id):
    with world.database.write() as session:
        mark_broken(session, sample_id=sample_id, reason="truncated")


def test_without_an_open_round_nothing_is_asked(world):
    assert world.claim() is None
    world.begin()
    assert world.claim() is None


def test_the_best_sample_is_asked_first_with_what_is_known_about_it(world):
    world.publish(7, 3)
    shown = world.claim()
    assert (shown.sample.id, shown.rank, shown.score, shown.purpose) == (7, 0, 0.5, "train")
    assert (shown.round_number, shown.acquisition, shown.suggestion) == (0, "bald", None)


def test_a_refresh_shows_the_same_sample_under_the_same_request(world):
    world.publish(1, 2)
    assert world.claim() == world.claim()


def test_two_annotators_never_hold_one_sample(world):
    world.publish(1, 2)
    assert world.claim(world.ada).sample.id == 1
    assert world.claim(world.bob).sample.id == 2
    with world.database.write() as session:
        release_claims(session, project_id=world.project_id, annotator_id=world.ada)
    assert world.claim(world.bob).sample.id == 2


def test_a_third_annotator_gets_nothing_when_all_is_held_and_a_released_sample_when_not(world):
    world.publish(1)
    world.claim(world.ada)
    assert world.claim(world.bob) is None
    world.tell(release_claims, annotator_id=world.ada)
    assert world.claim(world.bob).sample.id == 1


def test_a_page_that_is_loaded_anew_gets_back_what_it_showed_though_its_claim_is_gone(world):
    world.publish(1, 2, 3)
    world.look_at(1)  # on screen or decoded next, and ranked before it
    keep = world.tell(return_to, annotator_id=world.ada, sample_id=3)
    assert [shown.sample.id for shown in world.batch(world.ada, keep=keep)] == [3, 1, 2]


def test_a_page_does_not_get_back_what_is_decided_broken_or_with_somebody_else(world):
    world.publish(1, 2, 3, 4)
    world.label(1)
    break_sample(world, 2)
    world.look_at(3, world.bob)
    for sample_id in (1, 2, 3, 99):
        assert world.tell(return_to, annotator_id=world.ada, sample_id=sample_id) == []
    assert [shown.sample.id for shown in world.batch(world.ada)] == [4]


def test_decided_and_broken_samples_are_passed_over(world):
    world.publish(1, 2, 3, 4)
    world.label(1)
    world.skip(2)
    break_sample(world, 3)
    assert world.claim().sample.id == 4


def test_a_sample_that_breaks_on_the_screen_is_let_go(world):
    world.publish(1, 2)
    world.claim()
    break_sample(world, 1)
    assert world.claim().sample.id == 2


def test_labeling_goes_on_down_the_list_and_ends_with_it(world):
    world.publish(2, 1)
    shown = []
    while (claimed := world.claim()) is not None:
        shown.append(claimed.sample.id)
        world.label(claimed.sample.id, request_id=claimed.token)
    assert shown == [2, 1]


def test_a_new_ranking_replaces_only_what_nobody_has_seen(world):
    world.publish(1, 2, 3)
    shown = world.claim()
    world.publish(3, 2)
    assert world.claim() == shown
    world.label(1, request_id=shown.token)
    assert world.claim().sample.id == 3


def test_a_claim_expires_with_its_lease_and_no_sooner(world):
    world.publish(1, 2)
    world.claim(world.ada, **TEN_MINUTES, now=NOON)
    assert world.claim(world.bob, **TEN_MINUTES, now=minutes(9)).sample.id == 2
    world.tell(release_claims, annotator_id=world.bob)
    assert world.claim(world.bob, **TEN_MINUTES, now=minutes(10)).sample.id == 1


def test_an_annotator_at_work_keeps_the_lease_alive(world):
    world.publish(1)
    for minute in range(0, 60, 9):
        assert world.claim(world.ada, **TEN_MINUTES, now=minutes(minute)).sample.id == 1
        assert world.claim(world.bob, **TEN_MINUTES, now=minutes(minute + 4)) is None


@pytest.mark.parametrize("jump", [-24 * 60, -60, 60, 24 * 60, -54 * 365 * 24 * 60])
def test_a_clock_jump_takes_nothing_from_the_annotators_screen(world, jump):
    world.publish(1, 2)
    before = world.claim(now=NOON)
    after = world.claim(now=minutes(jump))
    assert (after.sample, after.token) == (before.sample, before.token)


@pytest.mark.parametrize("jump", [-24 * 60, -60])
def test_a_claim_from_the_future_does_not_freeze_its_sample(world, jump):
    world.publish(1)
    world.claim(world.ada, **TEN_MINUTES, now=NOON)
    assert world.claim(world.bob, **TEN_MINUTES, now=minutes(jump)).sample.id == 1


def test_a_clock_that_goes_back_a_little_frees_nothing(world):
    world.publish(1)
    world.claim(world.ada, **TEN_MINUTES, now=NOON)
    assert world.claim(world.bob, **TEN_MINUTES, now=minutes(-9)) is None


def test_a_claim_renewed_after_a_jump_back_lasts_one_lease_again(world):
    world.publish(1)
    world.claim(world.ada, **TEN_MINUTES, now=NOON)
    world.claim(world.ada, **TEN_MINUTES, now=minutes(-60))
    assert world.claim(world.bob, **TEN_MINUTES, now=minutes(-51)) is None
    assert world.claim(world.bob, **TEN_MINUTES, now=minutes(-50)).sample.id == 1


def test_a_label_after_the_lease_was_lost_is_stored_and_so_is_the_one_of_who_took_over(world):
    world.publish(1)
    lost = world.claim(world.ada, now=NOON)
    held = world.claim(world.bob, now=minutes(1))
    events = [
        world.label(1, 1, request_id=lost.token),
        world.label(1, 0, request_id=held.token, annotator_id=world.bob),
    ]
    assert [(event.rank, event.supersedes) for event in events] == [(0, None), (0, 1)]


def test_an_expired_claim_on_a_sample_that_was_decided_meanwhile_is_dropped(world):
    world.publish(1, 2)
    world.claim(world.ada, now=NOON)
    world.label(1, annotator_id=world.bob)
    assert world.claim(world.ada, now=minutes(11)).sample.id == 2


def test_a_sample_that_somebody_looks_at_cannot_be_put_on_another_screen(world):
    world.publish(1)
    world.claim(world.bob, now=NOON)
    assert not world.look_at(1, world.ada, now=NOON)
    assert world.look_at(1, world.bob, now=NOON)
    assert world.look_at(1, world.ada, now=minutes(1))


def test_progress_counts_labels_by_purpose_and_what_is_left(world):
    assert world.ask(round_progress) == RoundProgress(None, 0, 0)
    world.publish(1, 2, 3, 4, 5, audit=(2,))
    world.label(1)
    world.label(2)
    world.skip(3)
    break_sample(world, 4)
    world.label(9)  # not asked about
    assert world.ask(round_progress) == RoundProgress(0, answered_audit=1, remaining=1)


def test_a_recheck_is_asked_though_its_sample_is_labeled_and_looks_like_any_other(world):
    world.label(1, 1)
    world.publish(1, 2, recheck=(1,))
    shown = world.claim()
    assert (shown.sample.id, shown.purpose, shown.suggestion) == (1, "recheck", None)
    assert world.claim(world.bob).sample.id == 2
    event = world.label(1, 0, request_id=shown.token)
    assert (event.purpose, event.supersedes, event.rank, event.round_number) == ("recheck", 1, 0, 0)
    assert world.claim() is None


def test_a_recheck_that_confirms_the_label_is_not_asked_again(world):
    world.label(1)
    world.publish(1, recheck=(1,))
    world.label(1, request_id=world.claim().token)
    assert world.claim() is None


@pytest.mark.parametrize("look", ["label", "skip"])
def test_who_looked_again_by_other_ways_since_the_snapshot_has_answered_the_recheck(world, look):
    world.label(1)
    begun = world.publish(1, recheck=(1,))
    assert begun.snapshot_event_id == 1
    getattr(world, look)(1)
    assert world.claim() is None


def test_a_flag_answers_no_recheck(world):
    world.label(1)
    world.publish(1, recheck=(1,))
    world.flag(1)
    assert world.claim().sample.id == 1


def test_every_round_may_look_once_more(world):
    world.label(1)
    for _ in range(3):
        world.publish(1, recheck=(1,))
        world.label(1, request_id=world.claim().token)
        assert world.claim() is None


def test_a_training_query_about_a_labeled_sample_is_passed_over_as_before(world):
    world.label(1)
    world.publish(1)
    assert world.claim() is None


def test_an_expired_recheck_stays_on_its_screen_until_somebody_answers_it(world):
    world.label(1)
    world.publish(1, 2, recheck=(1,))
    shown = world.claim(world.ada, now=NOON)
    assert world.claim(world.ada, now=minutes(11)).token == shown.token
    world.label(1, 1, annotator_id=world.bob)
    assert world.claim(world.ada, now=minutes(22)).sample.id == 2


def test_a_recheck_whose_label_was_taken_back_is_still_asked(world):
    event = world.label(1)
    world.publish(1, recheck=(1,))
    world.undo(event.id, world.bob)
    world.tell(release_claims, annotator_id=world.bob)
    assert (world.claim().sample.id, world.claim().purpose) == (1, "recheck")


def test_a_broken_sample_is_not_rechecked(world):
    world.label(1)
    world.publish(1, recheck=(1,))
    break_sample(world, 1)
    assert world.claim() is None


def test_progress_counts_a_recheck_as_left_until_it_is_answered(world):
    world.label(1)
    world.label(2)
    world.publish(1, 2, 3, recheck=(1, 2))
    assert world.ask(round_progress) == RoundProgress(0, answered_audit=0, remaining=3)
    world.label(1)
    assert world.ask(round_progress) == RoundProgress(0, answered_audit=0, remaining=2)
