"""Grid mode in a real browser on real digits: what is confirmed, taken out, given another class, and taken back."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from app.project.project import Project
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.samples import list_samples
from tests.end_to_end.conftest import FOREST
from tests.end_to_end.forked_trainers import start_trainer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SIZE = 12
AUDIT_SHARE = 0.1  # of the small project


@dataclass
class Board:
    """A person in front of a grid, who knows every digit."""

    page: object
    running: object
    wait: object
    seen: set[int] = field(default_factory=set)

    def open(self) -> list[int]:
        self.page.goto(f"{self.running.url}/grid?annotator=tester")
        self.wait_for_grid()
        self.page.get_by_role("button", name=str(SIZE), exact=True).click()
        return self.wait_for_grid(size=SIZE)

    def wait_for_grid(self, *, other_than: list[int] | None = None, size: int | None = None) -> list[int]:
        """The sample ids of the grid on screen, in its order."""

        def look() -> list[int] | None:
            cells = self.page.locator(".cell")  # asked in one go: a new grid may come between two questions
            shown = cells.evaluate_all("cells => cells.map((cell) => Number(cell.dataset.sample))")
            return shown if shown and shown != other_than and size in (None, len(shown)) else None

        try:
            shown = self.wait(look, "a grid")
        except AssertionError as error:
            raise AssertionError(f"{error}; the page said: {self.page.locator('body').inner_text()}") from error
        self.seen |= set(shown)
        self.page.wait_for_timeout(400)  # a key that comes sooner is taken for one meant for the grid before
        return shown

    def asked(self) -> int:
        """The class all images are said to be."""
        return int(self.page.locator(".question strong").inner_text())

    def truth(self, sample_id: int) -> int:
        return self.running.class_of(sample_id)

    def cell(self, sample_id: int):
        return self.page.locator(f".cell[data-sample='{sample_id}']")

    def wait_until_saved(self) -> None:
        self.wait(lambda: self.page.locator(".grid-mode[data-unsaved='0']").count(), "all labels to be saved")

    def audit_samples_seen(self) -> set[int]:
        reserve = self.running.rows("SELECT id FROM samples WHERE audit_key < :share", share=AUDIT_SHARE)
        asked = self.running.rows("SELECT sample_id FROM queries WHERE purpose = 'audit'")
        assert reserve
        return self.seen & {row[0] for row in [*reserve, *asked]}

    def standing(self) -> dict[int, int]:
        """Today's label of each sample that was labeled in a grid."""
        rows = self.running.rows(
            "SELECT e.sample_id, e.class_index FROM current_decisions c JOIN label_events e ON e.id = c.event_id "
            "WHERE e.acquisition = 'grid'"
        )
        return dict(rows)


@pytest.fixture
def board(page, wait_for):
    return lambda running: Board(page, running, wait_for)


@pytest.fixture(scope="module")
def first_rounds(make_small_project, digits, tmp_path_factory):
    """Two projects whose first round is published: with a model, from 28 right labels, and without any label."""
    folder = tmp_path_factory.mktemp("first-rounds")
    projects = {
        "model": make_small_project(folder / "model", "bald"),  # a forest is sure of none of the digits
        "no model": make_small_project(folder / "no-model", "bald", FOREST),
    }
    label_some(projects["model"], digits / "labels.csv", count=28)
    for trainer in [start_trainer(project, once=True) for project in projects.values()]:
        trainer.join(800)  # once for all tests, and for as long as a busy machine takes
        assert trainer.exitcode == 0
    return projects


@pytest.fixture
def copy_of(first_rounds, tmp_path):
    """A project of its own for one test."""

    def copied(name):
        return Project(shutil.copytree(first_rounds[name].folder, tmp_path / "project"))

    return copied


def label_some(project: Project, manifest: Path, *, count: int) -> None:
    lines = (line.split(",") for line in manifest.read_text().splitlines()[1:])
    truth = {Path(path).name: int(label) for path, label in lines if path.startswith("pool")}
    database = project.open_database()
    project_id = project.project_id(database)
    with database.write() as session:
        person = get_or_create_annotator(session, project_id=project_id, name="before")
        samples = list_samples(session, project_id=project_id, split="pool")
        for sample in [one for one in samples if one.audit_key >= AUDIT_SHARE][:count]:
            record_decision(
                session,
                project_id=project_id,
                sample_id=sample.id,
                annotator_id=person,
                action="label",
                class_index=truth[Path(sample.uri).name],
                request_id=f"before-{sample.id}",
            )
    database.close()


def test_a_grid_is_labeled_with_one_key_and_taken_back_with_one(start, copy_of, board):
    running = start(copy_of("model"))
    person = board(running)
    shown = person.open()
    asked = person.asked()
    back, other, *rest = shown

    person.page.keyboard.press("ArrowRight")  # to the first image
    person.page.keyboard.press("x")
    person.cell(other).click()
    person.page.keyboard.press(str((asked + 1) % 10))
    assert "10 as" in person.page.get_by_role("button", name=re.compile("^Confirm")).inner_text()
    person.page.keyboard.press("Enter")
    following = person.wait_for_grid(other_than=shown)
    person.wait_until_saved()

    expected = {**dict.fromkeys(rest, asked), other: (asked + 1) % 10}
    assert person.standing() == expected
    assert not set(following) & set(shown)
    events = running.rows(
        "SELECT purpose, shown_together, suggestion_shown, lead_time_s FROM label_events WHERE acquisition = 'grid'"
    )
    assert {event[:3] for event in events} == {("train", SIZE, True)}
    assert len({event[3] for event in events}) == 1  # each has an equal share of the time
    assert 0 < float(events[0][3]) < 60

    person.page.keyboard.press("Backspace")
    assert person.wait_for_grid(other_than=following) == shown
    person.wait_until_saved()
    assert person.standing() == {}
    assert person.cell(back).get_attribute("aria-pressed") == "true"  # as it was left

    person.page.keyboard.press("Enter")
    person.wait_for_grid(other_than=shown)
    person.wait_until_saved()
    assert person.standing() == expected
    assert running.rows("SELECT count(*) FROM label_events WHERE action = 'undo'") == [(SIZE - 1,)]

    for _ in range(5):
        shown = person.wait_for_grid(other_than=shown)
        person.page.keyboard.press("n")
    assert person.audit_samples_seen() == set()


def test_before_a_model_a_group_of_the_map_is_named_by_the_person(start, copy_of, board):
    running = start(copy_of("no model"))
    person = board(running)
    shown = person.open()
    person.page.keyboard.press("Enter")  # not before they have a name
    person.page.get_by_text("Say first what these are").wait_for()
    name = person.truth(shown[-1])
    for sample_id in shown:
        if person.truth(sample_id) != name:
            person.cell(sample_id).click()
    right = [sample_id for sample_id in shown if person.truth(sample_id) == name]
    person.page.keyboard.press(str(name))
    person.page.keyboard.press("Enter")
    person.wait_for_grid(other_than=shown)
    person.wait_until_saved()
    assert person.standing() == dict.fromkeys(right, name)
    assert running.rows("SELECT DISTINCT suggestion_shown FROM label_events WHERE acquisition = 'grid'") == [(False,)]
    assert person.audit_samples_seen() == set()


def test_screens_killed_after_the_key_lose_and_double_nothing_and_an_image_that_is_gone_gets_no_label(
    start, copy_of, board, wait_for
):
    running = start(copy_of("model"))
    person = board(running)
    gone, *shown = person.open()
    with running.database.write() as session:
        session.execute(text("UPDATE samples SET uri = uri || '.gone' WHERE id = :id"), {"id": gone})
    assert set(person.open()) == {gone, *shown}
    person.page.get_by_role("button", name="cannot be shown").wait_for()
    person.cell(gone).click()  # puts nothing back
    asked, screens = person.asked(), running.screens
    person.page.keyboard.press("Enter")
    screens.kill()
    wait_for(lambda: running.new_child("streamlit", old=screens) and running.is_healthy(), "new screens")
    person.wait_until_saved()
    assert person.standing() == dict.fromkeys(shown, asked)
    stored = running.rows("SELECT sample_id FROM label_events WHERE acquisition = 'grid' ORDER BY sample_id")
    assert [row[0] for row in stored] == sorted(shown)


def test_a_phone_takes_out_by_tap_and_gives_another_class_by_tap(start, copy_of, browser, wait_for):
    running = start(copy_of("model"))
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    person = Board(context.new_page(), running, wait_for)
    shown = person.open()
    asked = person.asked()
    person.cell(shown[3]).tap()
    person.page.get_by_role("group", name="Sample 4 is:").get_by_role(
        "button", name=str((asked + 1) % 10), exact=True
    ).tap()
    person.cell(shown[5]).tap()
    assert person.page.evaluate("document.documentElement.scrollWidth") <= 390
    person.page.set_viewport_size({"width": 390, "height": 420})  # the last images are below the window now
    person.page.get_by_role("button", name=re.compile("^Confirm")).tap()
    person.page.get_by_text("Look at the rest first").wait_for()
    assert person.standing() == {}
    person.page.get_by_role("button", name=re.compile("^Confirm")).tap()
    person.wait_for_grid(other_than=shown)
    person.wait_until_saved()
    rest = [sample_id for sample_id in shown if sample_id not in (shown[3], shown[5])]
    assert person.standing() == {**dict.fromkeys(rest, asked), shown[3]: (asked + 1) % 10}
    context.close()
