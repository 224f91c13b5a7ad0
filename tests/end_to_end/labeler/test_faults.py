"""The Label page when the server is killed, the network is gone, or the page is loaded anew."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

# What an overloaded machine does: the thread of a run comes to work late, and the next message is there before it.
LATE_RUNS = """
import time
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests

begin = ScriptRequests.on_scriptrunner_ready
ScriptRequests.on_scriptrunner_ready = lambda self: (time.sleep(0.3), begin(self))[1]
"""


def test_a_killed_server_loses_no_key_and_the_page_comes_back_by_itself(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    for milliseconds in (0, 30, 300):  # before, during and after the saving
        for number in range(4):
            press(person, number, given)
        person.page.wait_for_timeout(milliseconds)
        running.process.kill()
        running.process.wait()
        for number in range(3):  # goes on with what the browser holds
            press(person, number, given)
        on_screen = person.sample_id()
        running.start(wait_for)
        person.wait_until_saved()
        person.wait_for_sample()
        assert person.sample_id() == on_screen
    assert running.stored() == given


def test_without_a_network_labeling_goes_on_and_everything_is_saved_later(start, labeler, press):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    press(person, 1, given)
    person.wait_until_saved()
    person.page.context.set_offline(True)
    for number in range(6):
        press(person, number, given)
    assert person.unsaved() >= 6
    person.page.get_by_text("unsaved: no answer from the server").wait_for()
    assert len(running.stored()) == 1
    person.page.context.set_offline(False)
    person.wait_until_saved()
    assert running.stored() == given


def test_samples_of_a_disk_that_was_away_are_shown_again_on_the_same_page(start, labeler, press, tmp_path):
    running = start()
    (tmp_path / "images").rename(tmp_path / "away")
    person = labeler(running)
    person.page.goto(f"{running.url}/?annotator=eve")
    person.page.get_by_text("This sample cannot be shown").wait_for()
    (tmp_path / "away").rename(tmp_path / "images")
    person.page.get_by_text("This sample cannot be shown").wait_for(state="hidden")
    given: list[tuple[int, int]] = []
    for number in range(5):
        press(person, number, given)
    person.wait_until_saved()
    assert running.stored() == given


def test_a_reload_at_any_moment_keeps_labels_and_place(start, labeler, press):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    for milliseconds in (0, 5, 60):
        for number in range(3):
            press(person, number, given)
        on_screen = person.sample_id()
        person.page.wait_for_timeout(milliseconds)
        person.page.reload()
        person.wait_for_sample()
        assert person.sample_id() == on_screen
    person.wait_until_saved()
    assert running.stored() == given


def test_a_reload_before_the_server_has_heard_of_the_sample_comes_back_to_it_in_spite_of_a_new_ranking(
    start, labeler, press
):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    press(person, 0, given)
    person.wait_until_saved()
    person.page.context.set_offline(True)
    for number in range(3):
        press(person, number, given)
    on_screen = person.sample_id()
    running.publish(running.pool()[::-1])
    person.page.context.set_offline(False)
    person.page.reload()
    person.wait_for_sample()
    assert person.sample_id() == on_screen
    person.wait_until_saved()
    assert running.stored() == given


def test_a_click_on_another_page_is_not_lost_while_runs_begin_late(start, labeler, press, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(LATE_RUNS)
    running = start(PYTHONPATH=str(tmp_path))
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    for number in range(3):
        press(person, number, given)
    person.page.evaluate("window.isTheSamePage = true")
    person.page.get_by_role("link", name="Progress").click()
    person.page.keyboard.press("f")  # a message of this page, after the click
    person.page.get_by_role("heading", name="Progress", exact=True).wait_for()
    assert person.page.evaluate("window.isTheSamePage")  # it was the click, not a second try by the address
    assert running.stored() == given
