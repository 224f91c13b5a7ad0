"""Review in a real browser: several cards chosen, corrected as one, taken back as one; and the reader's time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from storage.current import current_labels
from storage.engine import Database
from tests.end_to_end.named_project import project_of_names, screens_of, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ANIMALS = ("ant", "bee", "cat", "dog", "emu", "fox", "gnu", "hen")


@pytest.fixture
def review(browser, tmp_path):
    """The page of Review, shown to a reader in Kolkata, and what stands in the project."""
    project = project_of_names(tmp_path, ANIMALS, project_name="Animals")
    database: Database = project.open_database()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Asia/Kolkata")
    page = context.new_page()

    def standing() -> list[int | None]:
        with database.read() as session:
            labels = current_labels(session, project_id=project.project_id(database))
        return [label.class_index for label in labels]

    with screens_of(project) as url:
        page.goto(f"{url}/review?annotator=eve")
        settle(page)
        yield page, standing
    context.close()
    database.close()


def test_a_range_is_corrected_by_one_key_and_taken_back_by_one(review, wait_for):
    page, standing = review
    before = standing()
    page.get_by_text("Several at once", exact=True).click()
    cells = page.locator(".several .cell")
    cells.first.click()
    cells.nth(2).click(modifiers=["Shift"])
    assert page.locator('.cell[aria-pressed="true"]').count() == 3
    page.keyboard.press("1")
    page.get_by_text("3 corrected to ant.").wait_for()
    assert standing().count(0) == 3
    page.keyboard.press("Backspace")
    page.get_by_text("3 corrections are taken back").wait_for()
    assert standing() == before


def test_cards_are_chosen_by_keys_alone(review):
    page, _ = review
    page.get_by_text("Several at once", exact=True).click()
    page.locator(".several .cell").first.wait_for()
    for key in ("Home", "Space", "ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert page.locator('.cell[aria-pressed="true"]').count() == 3
    page.keyboard.press("Escape")
    page.keyboard.press("8")
    page.get_by_text("Choose some first").wait_for()


def test_times_are_the_readers_own(review):
    page, _ = review
    page.locator('[class*="st-key-review_choose_"] button').first.click()
    page.get_by_text("History (").click()
    said = page.get_by_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, ")).last.inner_text()
    told = datetime.strptime(said.partition(",")[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo("Asia/Kolkata"))
    assert abs(datetime.now(timezone.utc) - told) < timedelta(minutes=30)
