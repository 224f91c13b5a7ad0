"""Beside the task: the guide with its own keys, switches that stay as they were left, and the session's figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.project.settings import save_settings
from storage.classes import describe_class

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ANIMALS = ("ant", "bee", "cat")


def on(page, name: str) -> str | None:
    return page.get_by_role("switch", name=name).get_attribute("aria-checked")


def test_the_guide_tells_of_the_classes_by_key_and_by_click(start, labeler, press, wait_for):
    running = start(ANIMALS)
    with running.database.write() as session:
        identity = running.project.project_id(running.database)
        describe_class(session, project_id=identity, name="bee", text="It has four wings.", who="eve")
    person = labeler(running)
    person.press("2", person.open())
    person.wait_until_saved()
    person.page.keyboard.press("g")
    guide = person.page.get_by_role("region", name="Guide")
    guide.get_by_text("It has four wings.").wait_for()
    assert guide.locator("img").count() == 1  # the bee that was just labeled
    person.page.keyboard.press("Backspace")
    wait_for(lambda: guide.locator("img").count() == 0, "what is asked again to leave the guide")
    person.page.get_by_role("switch", name="Guide").click()
    guide.wait_for(state="hidden")


def test_a_class_gets_a_key_of_its_own_and_keeps_it(start, labeler, press, wait_for):
    running = start(ANIMALS)
    person = labeler(running)
    token = person.open()
    person.page.keyboard.press("g")
    person.page.get_by_role("button", name="Change the key of cat").click()
    person.page.keyboard.press("f")
    person.page.get_by_text("F is a command (flag). Take another key.").wait_for()
    person.page.keyboard.press("k")
    person.page.get_by_text("The key of cat is K here.").wait_for()
    assert person.shown() == token  # no key of these was a label
    token = person.press("k", token)
    person.page.keyboard.press("3")  # nobody's now
    assert person.shown() == token
    person.wait_until_saved()
    person.page.reload()
    token = person.wait_for_sample()
    person.press("K", token)
    person.wait_until_saved()
    assert [class_index for _, class_index in running.stored()] == [2, 2]
    person.page.get_by_role("button", name="Change the key of cat").click()
    person.page.keyboard.press("Backspace")
    wait_for(lambda: person.page.locator('.class[aria-keyshortcuts="3"]').count() == 1, "the usual key")


def test_switches_and_light_stay_as_they_were_left(start, labeler):
    running = start(ANIMALS)
    person = labeler(running)
    person.open()
    for name in ("Show the model's suggestion", "Guide"):
        person.page.get_by_role("switch", name=name).click()
    person.page.locator(".frame").hover()
    person.page.get_by_role("slider", name="Brightness").fill("150")
    person.page.reload()
    person.wait_for_sample()
    switches = ("Show the model's suggestion", "Why this one", "Guide")
    assert [on(person.page, name) for name in switches] == ["true", "false", "true"]
    assert "brightness(150%)" in str(person.page.locator(".stage img").get_attribute("style"))


def test_a_browser_that_keeps_nothing_labels_all_the_same(start, labeler, browser):
    running = start(ANIMALS)
    person = labeler(running)
    blocked = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked'); } })"
    person.page.add_init_script(blocked)
    token = person.open()
    person.page.keyboard.press("g")
    person.page.get_by_role("button", name="Change the key of cat").click()
    person.page.keyboard.press("k")
    person.page.get_by_text("The key of cat is").wait_for()
    person.press("1", token)
    person.wait_until_saved()


def test_the_pace_is_told_and_the_time_to_the_budget(start, labeler, press):
    running = start(ANIMALS)
    save_settings(running.project.settings_path, replace(running.project.settings(), labeling_budget=200))
    person = labeler(running)
    person.open()
    for _ in range(8):
        press(person, 1, [])
    person.page.get_by_text("labels a minute of work").wait_for()
    person.page.get_by_text("to the budget").wait_for()
