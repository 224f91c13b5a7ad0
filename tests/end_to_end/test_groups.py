"""A group in a real browser: judged by keys, proven, its rest labeled with one key and taken back with one."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from app.project.creation import make_project
from app.project.settings import ProjectSettings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

ALIKE, AUDIT_SHARE = 240, 0.1


@pytest.fixture
def running(start, tmp_path):
    """240 images whose names hold "seven" and 10 others; nothing but the names tells them apart."""
    images, rng = tmp_path / "images", np.random.default_rng(0)
    images.mkdir()
    for number in range(ALIKE + 10):
        name = f"{'seven' if number < ALIKE else 'other'}-{number:03}.png"
        Image.fromarray(rng.integers(0, 255, (12, 12), np.uint8)).save(images / name)
    settings = ProjectSettings(name="groups", query_size=5, mc_iterations=4, audit_share=AUDIT_SHARE)
    made = make_project(tmp_path / "project", settings=settings, classes=["1", "7"], data=images)
    return start(made.project)


@pytest.fixture
def groups(page, running, wait_for):
    return Groups(page, running, wait_for)


class Groups:
    """A person who looks for a group and judges it."""

    def __init__(self, page, running, wait_for):
        self.page, self.running, self.wait = page, running, wait_for

    def find(self, text: str) -> None:
        self.page.goto(f"{self.running.url}/grid?annotator=tester")
        self.page.get_by_text("Groups, with a guarantee").click()
        self.page.get_by_label("Find a group").fill(text)
        self.page.keyboard.press("Enter")
        self.page.get_by_text("say what they are").wait_for()
        self.page.get_by_label("Find a group").blur()

    def proof(self) -> str:
        return self.page.locator(".proof").inner_text()

    def judged(self) -> int:
        return int(re.match(r"(\d+) member", self.proof()).group(1))

    def press(self, key: str) -> None:
        """Judge the member on screen, and wait until the page has counted it."""
        self.page.locator(".stage img").wait_for()
        self.page.wait_for_timeout(160)  # a key that comes sooner is taken for one meant for the sample before
        before = self.judged()
        self.page.keyboard.press(key)
        self.wait(lambda: self.judged() > before, f"the judgment after {before}: {self.proof()}")

    def standing(self) -> Counter:
        """How many labels stand by class, and whether they were judged or came with the rest."""
        rows = self.running.rows(
            "SELECT e.class_index, e.group_bound IS NULL FROM current_decisions c "
            "JOIN label_events e ON e.id = c.event_id"
        )
        return Counter((class_index, bool(judged)) for class_index, judged in rows)

    def wait_until(self, expected: Counter) -> None:
        self.wait(lambda: self.standing() == expected, f"{expected}")


def test_a_group_is_judged_by_keys_its_rest_taken_with_one_and_taken_back_with_one(groups, running):
    groups.find("seven")
    named = "SELECT count(*) FROM samples WHERE uri LIKE '%seven%' AND audit_key >= :share"
    [(members,)] = running.rows(named, share=AUDIT_SHARE)
    groups.page.keyboard.press("7")
    groups.page.get_by_text("0 members judged").wait_for()
    needed = int(re.search(r"(\d+) more right ones", groups.proof()).group(1))
    for _ in range(3):
        groups.press("7")
    groups.page.keyboard.press("Enter")  # not before it is proven
    groups.page.get_by_text("Not proven yet").wait_for()
    groups.page.keyboard.press("Backspace")
    groups.page.get_by_text("2 members judged").wait_for()
    for _ in range(needed - 2):
        groups.press("7")
    groups.page.get_by_text("Enter labels all of them").wait_for()
    groups.wait_until(Counter({(1, True): needed}))

    groups.page.keyboard.press("Enter")
    groups.page.get_by_text("Backspace takes them all back").wait_for()
    groups.wait_until(Counter({(1, True): needed, (1, False): members - needed}))
    reserve = running.rows(
        "SELECT count(*) FROM label_events e JOIN samples s ON s.id = e.sample_id WHERE s.audit_key < :a", a=AUDIT_SHARE
    )
    assert reserve == [(0,)]
    groups.page.keyboard.press("Backspace")
    groups.page.get_by_text("Enter labels all of them").wait_for()
    groups.wait_until(Counter({(1, True): needed}))


def test_a_wrong_member_sends_those_most_like_it_back(groups, running):
    groups.wait(lambda: embedded(running) >= ALIKE + 10, "the features of all")
    groups.find("seven")
    groups.page.keyboard.press("7")
    groups.page.get_by_text("0 members judged").wait_for()
    for _ in range(6):
        groups.press("7")
    groups.press("1")
    groups.page.get_by_text("went back to the pool").wait_for()
    groups.page.keyboard.press("n")
    groups.page.get_by_text("say what they are").wait_for()
    groups.wait_until(Counter({(1, True): 6, (0, True): 1}))
    assert running.rows("SELECT max(part), min(closed) FROM groups") == [(1, 1)]


def embedded(running) -> int:
    """How many samples the trainer has looked at; an id takes eight bytes."""
    return max((path.stat().st_size // 8 for path in running.project.features_dir.glob("*/ids.bin")), default=0)
