from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from storage.pace import minutes_of_work, seconds_per_decision


@pytest.fixture
def clock(monkeypatch):
    """Sets the time at which the next decisions are stored."""
    now = datetime(2030, 1, 1, tzinfo=timezone.utc)

    def at(seconds: float) -> None:
        monkeypatch.setattr("storage.labels.utc_now", lambda: now + timedelta(seconds=seconds))

    return at


def label_at(world, clock, *times, annotator_id=None, first=1):
    for number, seconds in enumerate(times, start=first):
        clock(seconds)
        world.label(number, annotator_id=annotator_id or world.ada)


def test_ten_seconds_for_five_labels_after_the_first_are_two_each(world, clock):
    label_at(world, clock, 0, 2, 4, 6, 8, 10)
    assert world.ask(seconds_per_decision) == 2.0


def test_decisions_that_arrive_together_count_their_share(world, clock):
    label_at(world, clock, 0, 0, 0, 6, 6, 6)
    assert world.ask(seconds_per_decision) == pytest.approx(6 / 5)


def test_a_break_is_no_work(world, clock):
    label_at(world, clock, 0, 2, 4, 6, 3606, 3608, 3610)
    assert world.ask(seconds_per_decision) == 2.0


def test_two_people_are_not_mixed(world, clock):
    label_at(world, clock, 0, 3, 6, 9)
    label_at(world, clock, 1, 4, 7, 10, annotator_id=world.bob, first=5)
    assert world.ask(seconds_per_decision) == 3.0


def test_a_clock_that_is_set_back_is_left_out(world, clock):
    label_at(world, clock, 3600, 3602, 3604, 0, 2, 4, 6)
    assert world.ask(seconds_per_decision) == 2.0


def test_five_labels_are_too_few(world, clock):
    label_at(world, clock, 0, 2, 4, 6, 8)
    assert world.ask(seconds_per_decision) is None


def test_work_is_the_time_of_all_people_without_their_breaks(world, clock):
    assert world.ask(minutes_of_work) == 0.0
    label_at(world, clock, 0, 30, 60, 3660, 3690)  # a minute, a break, half a minute
    label_at(world, clock, 10, 40, annotator_id=world.bob, first=6)
    assert world.ask(minutes_of_work) == 2.0
