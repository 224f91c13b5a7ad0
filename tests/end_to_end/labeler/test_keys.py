"""The Label page in a real browser: bursts of keys, undo, the history, search, and keys that are none."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from app.project.settings import save_settings
from storage.labels import record_decision

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

KEYS = 200
SECONDS_APART = 0.05
TWO_KEYS_IN_ONE_FRAME = """() => {
    const pressed = (key) => new KeyboardEvent("keydown", { key, bubbles: true, composed: true });
    const press = (where, key) => where.dispatchEvent(pressed(key));
    press(document.body, "c");
    press(document.activeElement.shadowRoot.activeElement, "Enter");
}"""
SUGGESTED = 7  # what the test's ranking suggests for every sample


def test_two_hundred_keys_at_twenty_per_second_are_stored_once_and_in_order(start, labeler, press):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    for number in range(KEYS):
        press(person, number, given)
        person.page.wait_for_timeout(1000 * SECONDS_APART / 2)  # the rest of it went by in press()
    person.wait_until_saved()
    assert running.stored() == given
    assert len({sample for sample, _ in given}) == KEYS


def test_a_held_key_is_one_label(start, labeler, press):
    running = start()
    person = labeler(running)
    token = person.open()
    for _ in range(5):  # without a key up in between: the browser marks all but the first as repeats
        person.page.keyboard.down("3")
    person.page.keyboard.up("3")
    person.wait_for_sample(other_than=token)
    person.wait_until_saved()
    assert [class_index for _, class_index in running.stored()] == [3]


def test_the_last_ten_are_undone_in_any_order_across_a_round(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    for number in range(10):
        if number == 5:
            person.wait_until_saved()
            running.publish(sorted(set(running.pool()) - {sample for sample, _ in given}, reverse=True))
        press(person, number, given)
    person.wait_until_saved()

    undone = random.Random(1).sample(given, len(given))
    for sample, _ in undone:
        person.page.locator(f'[data-act="past:{sample}"]').click()
        wait_for(lambda wanted=sample: person.sample_id() == wanted, "the sample of the past")
        person.wait_for_sample()
        person.page.keyboard.press("Backspace")
        wait_for(lambda wanted=sample: not person.page.locator(f'[data-act="past:{wanted}"]').count(), "the undo")
    person.wait_until_saved()
    assert running.standing() == {}
    assert running.stored() == given  # nothing is deleted
    undo_of = running.rows(
        "SELECT undone.sample_id FROM label_events AS back JOIN label_events AS undone ON undone.id = back.supersedes "
        "WHERE back.action = 'undo' ORDER BY back.id"
    )
    assert undo_of == [(sample,) for sample, _ in undone]


def correct_the_past(person, press, wait_for) -> int:
    """Label a sample as 3, walk back to it, and label it as 8; returns its id."""
    person.open()
    given: list[tuple[int, int]] = []
    press(person, 3, given)
    sample = given[0][0]
    person.page.keyboard.press("ArrowLeft")
    wait_for(lambda: person.sample_id() == sample and person.shown(), "the sample of the past")
    person.page.keyboard.press("8")
    wait_for(lambda: person.sample_id() != sample and person.shown(), "the queue")
    return sample


def test_a_correction_in_the_history_supersedes_and_its_undo_brings_the_first_back(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    sample = correct_the_past(person, press, wait_for)
    person.wait_until_saved()
    assert running.standing() == {sample: 8}
    person.page.keyboard.press("Backspace")
    wait_for(lambda: person.sample_id() == sample, "the sample with its first label")
    person.wait_until_saved()
    assert running.standing() == {sample: 3}


def test_keys_typed_into_a_field_label_nothing(start, labeler, press):
    running = start()
    person = labeler(running)
    token = person.open()
    person.page.keyboard.press("c")  # Streamlit's own: they do nothing here
    person.page.keyboard.press("r")
    person.page.keyboard.press("h")
    person.page.get_by_role("dialog").wait_for()
    person.page.keyboard.press("4")
    assert person.shown() == token
    person.page.keyboard.press("Escape")
    person.page.get_by_role("dialog").wait_for(state="detached")
    person.press("4", token)
    person.wait_until_saved()
    assert len(running.stored()) == 1


def test_two_hundred_classes_are_labeled_by_key_shift_and_search(start, labeler, press):
    names = [f"species {number}" for number in range(199)]
    running = start([*names, "<img src=x onerror=document.title='hacked'>"])
    person = labeler(running)
    token = person.open()
    token = person.press("Shift+Digit2", token)  # the twelfth class
    person.page.keyboard.type("species 198", delay=20)
    person.page.get_by_role("option", name="species 198").wait_for()
    token = person.press("Enter", token)
    person.page.keyboard.press("/")
    person.page.keyboard.type("img src", delay=20)
    person.page.get_by_role("option", name="<img src=x").wait_for()
    person.press("Enter", token)
    person.wait_until_saved()
    assert [class_index for _, class_index in running.stored()] == [11, 198, 199]
    assert person.page.title() != "hacked"


def test_the_suggestion_is_hidden_and_its_showing_is_recorded(start, labeler, press):
    running = start()
    person = labeler(running)
    token = person.open()
    person.page.keyboard.press("Enter")  # nothing is suggested: nothing is accepted
    token = person.press("1", token)
    person.page.get_by_role("switch", name="Show the model's suggestion").click()
    person.page.get_by_role("button", name="Accept 7 (50 % sure)").wait_for()
    person.page.get_by_text("Up to one in twenty is wrong on purpose").wait_for()
    person.press("Enter", token)
    person.wait_until_saved()
    shown = running.rows("SELECT class_index, suggestion_shown FROM label_events ORDER BY id")
    assert [(given, bool(seen)) for given, seen in shown] == [(1, False), (SUGGESTED, True)]


def test_a_finger_skips_to_the_left_and_undoes_to_the_right(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    token = person.open()
    sample = person.sample_id()
    swipe = """(stage, by) => ['pointerdown', 'pointerup'].forEach((type, step) => stage.dispatchEvent(
        new PointerEvent(type, { pointerType: 'touch', clientX: 200 + step * by, clientY: 200, bubbles: true })))"""
    stage = person.page.locator(".stage")
    stage.evaluate(swipe, -120)
    person.wait_for_sample(other_than=token)
    stage.evaluate(swipe, 120)
    wait_for(lambda: person.sample_id() == sample, "the sample that was skipped")
    person.wait_until_saved()
    assert running.rows("SELECT action FROM label_events ORDER BY id") == [("skip",), ("undo",)]


def test_an_image_that_is_gone_can_be_skipped_and_not_labeled(start, labeler, press):
    running = start()
    [(gone, uri)] = running.rows("SELECT id, uri FROM samples ORDER BY id LIMIT 1")
    Path(uri).unlink()
    person = labeler(running)
    token = person.open()
    person.page.get_by_text("This sample cannot be shown").wait_for()
    person.page.keyboard.press("3")
    person.page.keyboard.press("Space")
    person.wait_for_sample(other_than=token)
    person.wait_until_saved()
    assert running.rows("SELECT sample_id, action FROM label_events") == [(gone, "skip")]


def test_after_a_reload_a_correction_is_undone_and_a_flag_is_taken_back(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    sample = correct_the_past(person, press, wait_for)
    person.page.keyboard.press("f")
    person.wait_until_saved()
    person.page.reload()
    person.wait_for_sample()
    person.page.locator('[data-act="flag"][aria-pressed="true"]').wait_for()
    person.page.keyboard.press("f")
    person.page.locator('[data-act="flag"][aria-pressed="false"]').wait_for()
    person.page.get_by_role("switch", name="Why this one").click()
    person.page.locator(f'[data-act="past:{sample}"]').click()
    person.page.get_by_text("No model asked for this one").wait_for()
    person.page.keyboard.press("Backspace")  # takes back the 8, so that the 3 stands again
    person.page.locator('[data-act="label:3"][aria-pressed="true"]').wait_for()
    person.wait_until_saved()
    assert running.standing() == {sample: 3}
    flags = running.rows("SELECT action FROM label_events WHERE sample_id != :id ORDER BY id", id=sample)
    assert flags == [("flag",), ("undo",)]


def test_a_name_that_is_being_typed_has_every_letter_and_no_class_is_taken_unread(start, labeler, press):
    names = [*(f"class {number}" for number in range(20)), "attic", "fox", "ox", "cat", "horse", "caterpillar"]
    running = start(names)
    person = labeler(running)
    token = person.open()
    for word in ("fox", "cat", "horse"):  # F would flag, C and R are Streamlit's, H is help
        person.page.keyboard.type(word)
        token = person.press("Enter", token)
    person.page.evaluate(TWO_KEYS_IN_ONE_FRAME)
    person.page.get_by_role("option", name="class 0").wait_for()  # C and Enter came before it was there
    assert person.shown() == token
    person.page.keyboard.press("Escape")
    person.page.keyboard.press(".")
    person.wait_until_saved()
    assert [names[index] for _, index in running.stored()] == ["fox", "cat", "horse"]
    assert running.rows("SELECT action FROM label_events ORDER BY id")[-1] == ("flag",)


def test_a_budget_that_is_reached_takes_no_label_more_and_says_what_to_do_next(start, labeler, wait_for):
    running = start()
    save_settings(running.project.settings_path, replace(running.project.settings(), labeling_budget=5))
    person = labeler(running)
    person.open()
    for _ in range(12):
        person.page.keyboard.press("1")
        person.page.wait_for_timeout(50)
    # Keys that were pressed before the server had said so are refused in the same words, one by one.
    person.page.get_by_text("All 5 labels of the budget are given. Nothing more is asked").wait_for()
    person.page.get_by_role("link", name="Go to Setup").wait_for()
    person.wait_until_saved()
    assert len(running.stored()) == 5
    person.page.keyboard.press("Backspace")
    person.wait_for_sample()
    person.page.keyboard.press("2")
    person.wait_until_saved()
    assert len(running.standing()) == 5


def test_undo_has_no_end_also_after_a_reload(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    for number in range(23):
        press(person, number, given)
    person.wait_until_saved()
    person.page.reload()
    person.wait_for_sample()
    person.page.locator('[data-act="undo"]:not([disabled])').wait_for()
    for sample, _ in reversed(given):
        person.page.keyboard.press("Backspace")
        wait_for(lambda wanted=sample: person.sample_id() == wanted, "the sample that was undone")
    person.wait_until_saved()
    assert running.standing() == {}


def test_a_correction_on_review_is_what_the_open_page_shows_and_takes_back(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    press(person, 3, given)
    person.wait_until_saved()
    sample = given[0][0]
    [(event, ada)] = running.rows("SELECT id, annotator_id FROM label_events")
    with running.database.write() as session:
        record_decision(
            session, project_id=running.project.project_id(running.database), sample_id=sample, annotator_id=ada,
            action="label", class_index=8, request_id=f"correct:{event}:8",
        )  # fmt: skip
    person.page.locator(f'[data-act="past:{sample}"][title="8"]').wait_for()
    person.page.keyboard.press("Backspace")
    wait_for(lambda: person.sample_id() == sample, "the sample with its first label")
    person.wait_until_saved()
    assert running.standing() == {sample: 3}


def test_at_twice_the_size_the_keys_and_what_is_saved_are_in_view(start, labeler, press):
    running = start(["cat", "dog"])
    person = labeler(running)
    person.page.set_viewport_size({"width": 640, "height": 450})  # 1280 x 900 at 200 %
    person.open()
    assert person.page.locator(".class kbd").first.is_visible()
    assert person.page.locator('[data-act="skip"] kbd').is_visible()
    box = person.page.locator(".saved").bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 450 - box["height"]


def test_an_image_is_zoomed_moved_and_whole_and_the_next_one_begins_anew(start, labeler, press):
    running = start()
    person = labeler(running)
    token = person.open()
    image = person.page.locator(".stage img")
    person.page.keyboard.press("+")
    assert "scale(1.25)" in image.evaluate("image => image.style.transform")
    person.page.keyboard.press("-")
    assert image.evaluate("image => image.style.transform") == ""
    person.page.keyboard.press("+")
    person.press("1", token)
    assert image.evaluate("image => image.style.transform") == ""


def test_keys_work_after_arriving_by_the_sidebar_and_with_the_focus_on_a_clicked_button(
    start, labeler, press, wait_for
):
    running = start()
    person = labeler(running)
    person.open()
    person.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Help").click()
    person.page.get_by_role("heading", name="Keys on the Label page").wait_for()
    person.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Label").click()
    token = person.wait_for_sample()
    token = person.press("Space", token)
    person.press("Space", token)
    person.wait_until_saved()
    assert running.rows("SELECT action FROM label_events") == [("skip",), ("skip",)]


def test_why_this_one_is_told_also_after_fast_labeling(start, labeler, press, wait_for):
    running = start()
    person = labeler(running)
    person.open()
    person.page.get_by_role("switch", name="Why this one").click()
    given: list[tuple[int, int]] = []
    for number in range(15):
        press(person, number, given)
    card = person.page.locator(".card")
    wait_for(lambda: "No model asked for this one" in card.inner_text(), "the reasons")


def test_many_classes_leave_the_sample_its_width_on_a_narrow_window(start, labeler):
    person = labeler(start([f"class {number}" for number in range(40)]))
    person.page.set_viewport_size({"width": 390, "height": 844})
    person.open()
    assert person.page.locator(".stage").bounding_box()["width"] > 300
