"""Setup in a real browser: classes that change under a trainer, and a folder that is dropped in."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.project.project import Project
from app.project.settings import save_settings
from storage.labels import record_decision
from storage.projects import get_or_create_annotator, list_classes
from tests.end_to_end.conftest import FOREST
from tests.end_to_end.named_project import screens_of, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LABELS = 100


def label_hundred(running) -> None:
    """Label the first 100 digits rightly; a seven is taken for its own class."""
    with running.database.write() as session:
        project_id = running.project.project_id(running.database)
        ada = get_or_create_annotator(session, project_id=project_id, name="ada")
        rows = session.execute(text("SELECT id FROM samples WHERE split = 'pool' ORDER BY id LIMIT :n"), {"n": LABELS})
        for (sample_id,) in rows.all():
            record_decision(
                session,
                project_id=project_id,
                sample_id=sample_id,
                annotator_id=ada,
                action="label",
                class_index=running.class_of(sample_id),
                request_id=f"r{sample_id}",
            )


def standing(running) -> dict[int, int]:
    """How many samples have each class."""
    rows = running.rows(
        "SELECT e.class_index, count(*) FROM current_decisions d JOIN label_events e ON e.id = d.event_id "
        "GROUP BY e.class_index"
    )
    return {int(str(index)): int(str(count)) for index, count in rows}


def names(running) -> list[str]:
    with running.database.read() as session:
        classes = list_classes(session, project_id=running.project.project_id(running.database))
    return [entry.name for entry in classes if not entry.retired]


def choose(page: Page, label: str, value: str) -> None:
    """Choose one of a select box."""
    page.get_by_label(label, exact=True).click()
    page.keyboard.type(value)  # a long list holds only what is typed
    page.get_by_role("option", name=value, exact=True).click()
    settle(page)


def trained_labels(running) -> int:
    """With how many labels the newest published round was trained."""
    found = running.rows("SELECT max(labels) FROM rounds WHERE state IN ('open', 'closed')")
    return int(str(found[0][0] or 0))


def test_classes_are_renamed_merged_split_and_given_back_with_a_round_in_between(
    start, make_small_project, tmp_path, page, wait_for
):
    project = make_small_project(tmp_path / "project", "bald", FOREST)
    # What the trainer finds out between rounds is not looked at, and its end would be waited for.
    save_settings(project.settings_path, replace(project.settings(), cross_validate=False, re_rank=False))
    running = start(project)
    label_hundred(running)
    before = standing(running)
    page.set_default_timeout(20_000)
    page.goto(f"{running.url}/setup?annotator=ada")
    page.get_by_role("tab", name="Classes").click()
    settle(page)

    page.get_by_text("Rename", exact=True).click()
    settle(page)
    choose(page, "Class", "7")
    page.get_by_label("New name").fill("seven")
    page.get_by_role("button", name="Rename the class").click()
    page.get_by_text("7 renamed to seven, by ada").wait_for()
    assert "seven" in names(running)

    wait_for(lambda: trained_labels(running) > 0, "a round of the trainer")

    page.get_by_text("Merge", exact=True).click()
    settle(page)
    choose(page, "Class that goes", "seven")
    choose(page, "Class that gets its labels", "1")
    page.get_by_text(f"{before[7]} labels").first.wait_for()
    page.get_by_role("button", name="Merge the classes").click()
    page.get_by_text("seven merged into 1, by ada").wait_for()
    assert standing(running) == {**{i: n for i, n in before.items() if i != 7}, 1: before[1] + before[7]}

    rounds = running.rows("SELECT count(*) FROM rounds")[0][0]
    wait_for(lambda: running.rows("SELECT count(*) FROM rounds")[0][0] > rounds, "the round that follows the merge")

    for number in (2, 1):
        page.locator(f".st-key-undo_class_change_{number} button").click()
        settle(page)
    wait_for(lambda: standing(running) == before, "the labels as they were")
    assert names(running) == [str(digit) for digit in range(10)]
    page.get_by_text("taken back", exact=True).nth(1).wait_for()

    page.get_by_text("Split", exact=True).click()
    settle(page)
    choose(page, "Class", "7")
    page.get_by_label("The classes that follow it").fill("barred\nplain")
    page.get_by_role("button", name="Split the class").click()
    page.get_by_text("7 split into barred, plain, by ada").wait_for()
    assert standing(running) == {index: count for index, count in before.items() if index != 7}
    assert page.get_by_test_id("stException").count() == 0

    page.goto(f"{running.url}/?annotator=ada")
    page.get_by_role("button", name="barred").click()
    asked_again = "SELECT class_index, purpose FROM label_events ORDER BY id DESC LIMIT 1"
    wait_for(lambda: running.rows(asked_again)[0] == (10, "recheck"), "a sample that was a 7")
    page.goto(f"{running.url}/setup?annotator=ada")
    page.get_by_role("tab", name="Classes").click()
    page.locator("[class*=st-key-undo_class_change_] button").first.click()  # the newest change
    wait_for(lambda: standing(running) == {**before, 7: before[7] - 1, 10: 1}, "the labels that nobody gave anew")


def test_a_folder_is_dropped_in_mended_and_labeled(digits, tmp_path, page):
    dropped = tmp_path / "digits"
    for name in ("one", "two"):
        (dropped / name).mkdir(parents=True)
    for number, path in enumerate(sorted((digits / "pool").iterdir())[:20]):
        shutil.copy(path, dropped / ("one", "two")[number % 2])
    project = Project(tmp_path / "new")
    page.set_default_timeout(60_000)
    with screens_of(project) as url:
        page.goto(f"{url}/setup")
        settle(page)
        drop_and_mend(page, dropped)
    with closing(project.open_database()) as database, database.read() as session:
        classes = list_classes(session, project_id=project.project_id(database))
    assert [entry.name for entry in classes] == ["one", "two"]
    assert project.settings().query_size == 5


def drop_and_mend(page: Page, dropped: Path) -> None:
    """Drop a folder, type a number that is refused, look elsewhere, mend it, and begin to label."""
    page.get_by_text("Upload", exact=True).click()
    settle(page)
    page.locator(".st-key-new_upload_folder input[type=file]").set_input_files(dropped)
    page.get_by_text("Advanced").click()
    page.get_by_label("Round size").fill("0")
    page.get_by_label("Round size").press("Tab")
    page.get_by_text("From 1 to 100,000; 0 was typed.").wait_for()
    page.get_by_role("button", name="Create the project").click()
    page.get_by_text("Round size: From 1 to 100,000").wait_for()
    assert page.get_by_label("Round size").input_value() == "0"

    page.get_by_role("link", name="Help").click()
    settle(page)
    page.get_by_role("link", name="Setup").click()
    page.get_by_text("Uploaded before").wait_for()
    page.get_by_text("Advanced").click()
    page.get_by_label("Round size").fill("5")
    page.get_by_label("Round size").press("Tab")
    settle(page)
    page.get_by_role("button", name="Create the project").click()
    page.get_by_text("20 added").wait_for()
    page.get_by_role("link", name="Start labeling").click()
    page.get_by_role("dialog").get_by_label("Your name").fill("ada")  # the sidebar has such a field too
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("All saved").wait_for()  # below the first image
