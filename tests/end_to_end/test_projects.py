"""A second project, opened, closed, deleted and brought back from the page of the first."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from app.project.library import note_project
from app.running.address import address_of
from tests.end_to_end.conftest import FOREST
from tests.end_to_end.named_project import settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_another_project_is_opened_beside_this_one_and_ends_with_it(
    start, make_small_project, tmp_path, browser, page, wait_for, monkeypatch
):
    first = make_small_project(tmp_path / "first", "bald", FOREST)
    second = make_small_project(tmp_path / "second", "bald", FOREST)
    monkeypatch.delenv("LABELLOOP_HOME", raising=False)
    shutil.rmtree(Path(os.environ["XDG_DATA_HOME"]) / "labelloop", ignore_errors=True)
    note_project(second.folder)
    running = start(first)
    page.goto(f"{running.url}/projects")
    page.get_by_role("button", name="Open", exact=True).click()
    link = page.get_by_role("link", name="Open its page")
    address = link.get_attribute("href")
    with browser.new_page() as other:
        other.goto(f"{address}/setup?annotator=ada")
        other.get_by_text(str(second.folder)).wait_for()

    page.get_by_role("button", name="Delete").click()
    page.get_by_text("is running; close it first").wait_for()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Open", exact=True).wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("was moved to the trash").wait_for()
    assert not second.folder.exists()
    page.get_by_text("Deleted (1)").click()
    settle(page)
    page.get_by_role("button", name="Bring back").click()
    page.get_by_text("is back.").wait_for()

    page.get_by_role("button", name="Open", exact=True).click()
    link.wait_for()
    settle(page)
    running.process.terminate()
    running.process.wait(60)
    assert wait_for(lambda: address_of(second) is None, "the other project to end with this one")
