"""What was typed and not sent is there again after a look at another page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.end_to_end.named_project import project_of_names, screens_of, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NAMES = ("ladybird", "honey bee", "wasp", "hover fly", "beetle", "moth", "ant", "spider")
FIELDS = (  # page, what is pressed there before the field is seen, its label, what is typed
    ("Setup", "Add samples", "Folder", "/nowhere/yet"),
    ("Setup", "Classes", "New classes", "aphid, thrips"),
    ("Setup", "Settings", "Round size", "7"),
    ("Setup", "Settings", "Target accuracy", "0.85"),
    ("Review", "", "Find", "moth"),
    ("Uncertainty", "", "Find", "ant"),
    ("Grid", "Groups, with a guarantee", "Find a group", "wasp"),
    ("Projects", "A new project", "Its folder", "/nowhere/pets"),
)


def field(page: Page, name: str, pressed: str, label: str) -> Locator:
    page.get_by_role("link", name=name, exact=True).click()
    found = page.get_by_label(label, exact=True)
    page.get_by_role("heading", name=name).or_(found).or_(page.get_by_text(pressed or name)).first.wait_for()
    settle(page)
    if pressed and not found.is_visible():
        page.get_by_text(pressed, exact=True).first.click()
        settle(page)
    found.wait_for()
    return found


def test_what_was_typed_is_there_again_after_a_look_at_another_page(tmp_path, page):
    page.set_default_timeout(20_000)
    with screens_of(project_of_names(tmp_path, NAMES, project_name="insects")) as url:
        page.goto(f"{url}/help?annotator=eve")
        settle(page)
        for name, pressed, label, typed in FIELDS:
            field(page, name, pressed, label).fill(typed)
            # Straight from the field, without any length, as a finger taps.
            page.get_by_role("link", name="Help", exact=True).click()
            page.get_by_role("heading", name="Help").first.wait_for()
            settle(page)
        for name, pressed, label, typed in FIELDS:
            expect(field(page, name, pressed, label), f"{name}: {label}").to_have_value(typed)
