"""Review in a real browser: several cards chosen, corrected as one, taken back as one; and the reader's time."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from app.project.project import Project
from storage.current import current_labels
from storage.engine import Database
from tests.end_to_end.named_project import project_of_names, serve, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ANIMALS = ("ant", "bee", "cat", "dog", "emu", "fox", "gnu", "hen")


@dataclass
class Review:
    """The page of Review, and what stands in its project."""

    page: Page
    project: Project
    database: Database
    port: int
    process: subprocess.Popen[str]

    def standing(self) -> list[int | None]:
        with self.database.read() as session:
            labels = current_labels(session, project_id=self.project.project_id(self.database))
        return [label.class_index for label in labels]

    def cells(self) -> Locator:
        self.page.get_by_text("Several at once", exact=True).click()
        return self.page.locator(".several .cell")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        self.process = serve(self.project, self.port)


@pytest.fixture
def review(browser, tmp_path, own_port):
    """Shown to a reader in Kolkata."""
    project = project_of_names(tmp_path, ANIMALS, project_name="Animals")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Asia/Kolkata")
    opened = Review(context.new_page(), project, project.open_database(), own_port, serve(project, own_port))
    opened.page.goto(f"http://127.0.0.1:{own_port}/review?annotator=eve")
    settle(opened.page)
    yield opened
    context.close()
    opened.kill()
    opened.database.close()


def test_a_range_is_corrected_by_one_key_and_taken_back_by_one(review, wait_for):
    page, standing = review.page, review.standing
    before = standing()
    cells = review.cells()
    cells.first.click()
    cells.nth(2).click(modifiers=["Shift"])
    assert page.locator('.cell[aria-pressed="true"]').count() == 3
    page.keyboard.press("1")
    page.get_by_text("3 corrected to ant.").wait_for()
    assert standing().count(0) == 3
    page.keyboard.press("Backspace")
    page.get_by_text("3 corrections are taken back").wait_for()
    assert standing() == before


def test_what_is_pressed_without_a_server_waits_in_the_browser_and_is_stored_when_it_is_back(review, wait_for):
    page, standing = review.page, review.standing
    before = standing()
    cells = review.cells()
    cells.first.click()
    page.context.set_offline(True)
    page.keyboard.press("1")
    cells.nth(1).click()  # goes on meanwhile
    cells.nth(2).click()
    page.keyboard.press("2")
    page.keyboard.press("Backspace")  # the second one
    cells.nth(3).click()
    page.keyboard.press("3")
    page.get_by_text("4 unsaved: no answer from the server; kept in this browser").wait_for()
    assert page.get_by_text("not saved yet").count() == 2
    assert standing() == before

    page.context.set_offline(False)
    page.reload()  # which loses what was chosen, and nothing that was decided
    review.cells().first.wait_for()
    wait_for(lambda: standing().count(0) == 1 and standing().count(2) == 1, f"the corrections of {before}")
    assert standing().count(1) == before.count(1)
    page.locator(".several[data-unsaved='0']").wait_for()
    page.keyboard.press("Backspace")
    wait_for(lambda: standing().count(2) == before.count(2), "the undo of the last one")


def test_screens_killed_between_the_key_and_the_answer_lose_no_correction(review, wait_for):
    page, standing = review.page, review.standing
    cells = review.cells()
    cells.first.click()
    cells.nth(2).click(modifiers=["Shift"])
    review.kill()
    page.keyboard.press("1")
    page.get_by_text("1 unsaved: no answer from the server").wait_for()
    review.start()
    page.get_by_text("3 corrected to ant.").wait_for()
    assert standing().count(0) == 3


def test_cards_are_chosen_by_keys_alone(review):
    page = review.page
    review.cells().first.wait_for()
    for key in ("Home", "Space", "ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert page.locator('.cell[aria-pressed="true"]').count() == 3
    page.keyboard.press("Escape")
    page.keyboard.press("8")
    page.get_by_text("Choose some first").wait_for()


def test_times_are_the_readers_own(review):
    page = review.page
    page.locator('[class*="st-key-review_choose_"] button').first.click()
    page.get_by_text("History (").click()
    said = page.get_by_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, ")).last.inner_text()
    told = datetime.strptime(said.partition(",")[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo("Asia/Kolkata"))
    assert abs(datetime.now(timezone.utc) - told) < timedelta(minutes=30)
