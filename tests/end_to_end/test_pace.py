"""How fast a person labels, breaks left out."""

from __future__ import annotations

import pytest

from app.browser import text_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SECOND, MINUTE = 1000, 60_000


@pytest.fixture
def pace(browser):
    """The pace at a time, after decisions at some times."""
    page = browser.new_page()
    page.add_script_tag(content=text_of("labeler/pace.js"))
    script = """([times, kinds, now]) => {
        decisions = [];
        times.forEach((at, place) => noteDecision(at, kinds[place] ?? "label"));
        return sessionPace(now);
    }"""
    yield lambda times, now, kinds=(): page.evaluate(script, [list(times), list(kinds), now])
    page.close()


def test_a_label_every_two_seconds_is_thirty_a_minute(pace):
    assert pace(range(0, 20 * SECOND, 2 * SECOND), 18 * SECOND) == {"perMinute": 30, "idleMs": 0}


def test_a_break_is_no_work_and_is_told(pace):
    before, after = range(0, 12 * SECOND, 2 * SECOND), range(130 * SECOND, 142 * SECOND, 2 * SECOND)
    told = pace([*before, *after], 140 * SECOND + 3 * MINUTE)
    assert told == {"perMinute": 30, "idleMs": 3 * MINUTE}


def test_a_skip_takes_time_and_is_no_label_and_an_undo_takes_one_back(pace):
    times = range(0, 14 * SECOND, 2 * SECOND)  # six steps of two seconds
    assert pace(times, 12 * SECOND, ["label", "skip", "label", "unlabel", "label", "label", "label"])["perMinute"] == 15


def test_too_few_decisions_tell_nothing(pace):
    assert pace(range(0, 5 * SECOND, SECOND), 5 * SECOND) is None


def test_only_the_last_minutes_of_work_count(pace):
    slow, quick = range(0, 600 * SECOND, 10 * SECOND), range(600 * SECOND, 900 * SECOND, SECOND)
    assert pace([*slow, *quick], 899 * SECOND)["perMinute"] == pytest.approx(60, rel=0.05)
