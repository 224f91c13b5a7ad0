"""The Label page in a real browser: bursts of keys, lost connections, killed servers, undo, and keys that are none."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from app.creation import make_project
from app.project import Project
from app.settings import ProjectSettings
from app.web_server import is_healthy, streamlit_command, streamlit_environment
from storage.engine import Database
from storage.labels import last_event_id
from storage.rounds import NewQuery, begin_round, mark_scoring, publish_round
from storage.trainer import start_generation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

KEYS = 200
SECONDS_APART = 0.05
SUGGESTED = 7
DIGITS = tuple("0123456789")


@dataclass
class Screens:
    """The screens alone: a ranking is published by the test, and no trainer ever changes it."""

    project: Project
    database: Database
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def start(self, wait_for: Callable[..., object]) -> None:
        self.process = serve(self.project, self.port, self.environment)
        wait_for(lambda: is_healthy(self.port), "the screens")

    def publish(self, sample_ids: Sequence[int]) -> None:
        """The next round, opened, which asks about these samples in this order and suggests one class for all."""
        identity = self.project.project_id(self.database)
        queries = [
            NewQuery(sample_id, rank, "train", 1.0, None, suggestion=SUGGESTED, suggestion_probability=0.5)
            for rank, sample_id in enumerate(sample_ids)
        ]
        with self.database.write() as session:
            generation = start_generation(session, project_id=identity, pid=1)
            info = begin_round(
                session,
                project_id=identity,
                generation=generation,
                trigger="round finished",
                labels=0,
                learner="cnn",
                acquisition="bald",
                snapshot_event_id=last_event_id(session, project_id=identity),
            )
            step = {"round_id": info.id, "generation": generation}
            mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
            publish_round(session, **step, queries=queries, metrics=[], fit_seconds=1.0, score_seconds=1.0)

    def pool(self) -> list[int]:
        return [int(str(number)) for (number,) in self.rows("SELECT id FROM samples WHERE split = 'pool' ORDER BY id")]


def serve(project: Project, port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    project.logs_dir.mkdir(exist_ok=True)
    with (project.logs_dir / "screens.log").open("ab") as log:
        environment = {**environment, **streamlit_environment(project)}
        return subprocess.Popen(streamlit_command(port), env=environment, stdout=log, stderr=log)


@pytest.fixture
def start(digits, tmp_path, wait_for, own_port, own_environment) -> Iterator[Callable[..., Screens]]:
    """Serve a project of digits whose whole pool is asked in the order of the ids."""
    started: list[Screens] = []

    def start_one(classes: Sequence[str] = DIGITS) -> Screens:
        images = tmp_path / "images"
        images.mkdir()
        for path in sorted((digits / "pool").iterdir())[: KEYS + 50]:
            (images / path.name).write_bytes(path.read_bytes())
        settings = ProjectSettings(name="labeler", query_size=KEYS + 50)
        project = make_project(tmp_path / "project", settings=settings, classes=classes, images=images).project
        process = serve(project, own_port, own_environment)
        screens = Screens(project, project.open_database(), own_port, own_environment, process)
        started.append(screens)
        screens.publish(screens.pool())
        wait_for(lambda: is_healthy(own_port), "the screens")
        return screens

    yield start_one
    for screens in started:
        screens.process.kill()
        screens.process.wait()
        screens.database.close()


def stored(running) -> list[tuple[object, object]]:
    """Every label in the order of the events: sample and class."""
    return running.rows("SELECT sample_id, class_index FROM label_events WHERE action = 'label' ORDER BY id")


def standing(running) -> dict[object, object]:
    return dict(
        running.rows(
            "SELECT now.sample_id, class_index FROM current_decisions AS now JOIN label_events AS e ON e.id = event_id"
        )
    )


def press(person, number: int, given: list[tuple[int, int]]) -> None:
    """Label what is on screen with some class, and remember it."""
    person.wait_for_sample()
    token, sample = person.shown(), person.sample_id()
    person.page.keyboard.press(str(number % 10))
    given.append((sample, number % 10))
    person.wait_for_sample(other_than=token)


def test_two_hundred_keys_at_twenty_per_second_are_stored_once_and_in_order(start, labeler):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    for number in range(KEYS):
        press(person, number, given)
        person.page.wait_for_timeout(1000 * SECONDS_APART / 2)  # the rest of it went by in press()
    person.wait_until_saved()
    assert stored(running) == given
    assert len({sample for sample, _ in given}) == KEYS


def test_a_held_key_is_one_label(start, labeler):
    running = start()
    person = labeler(running)
    token = person.open()
    for _ in range(5):  # without a key up in between: the browser marks all but the first as repeats
        person.page.keyboard.down("3")
    person.page.keyboard.up("3")
    person.wait_for_sample(other_than=token)
    person.wait_until_saved()
    assert [class_index for _, class_index in stored(running)] == [3]


def test_a_killed_server_loses_no_key_and_the_page_comes_back_by_itself(start, labeler, wait_for):
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
    assert stored(running) == given


def test_without_a_network_labeling_goes_on_and_everything_is_saved_later(start, labeler):
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
    assert len(stored(running)) == 1
    person.page.context.set_offline(False)
    person.wait_until_saved()
    assert stored(running) == given


def test_a_reload_at_any_moment_keeps_labels_and_place(start, labeler):
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
    assert stored(running) == given


def test_the_last_ten_are_undone_in_any_order_across_a_round(start, labeler, wait_for):
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
    assert standing(running) == {}
    assert stored(running) == given  # nothing is deleted
    undo_of = running.rows(
        "SELECT undone.sample_id FROM label_events AS back JOIN label_events AS undone ON undone.id = back.supersedes "
        "WHERE back.action = 'undo' ORDER BY back.id"
    )
    assert undo_of == [(sample,) for sample, _ in undone]


def test_a_correction_in_the_history_supersedes_and_its_undo_brings_the_first_back(start, labeler, wait_for):
    running = start()
    person = labeler(running)
    person.open()
    given: list[tuple[int, int]] = []
    press(person, 3, given)
    sample = given[0][0]
    person.page.keyboard.press("ArrowLeft")
    wait_for(lambda: person.sample_id() == sample and person.shown(), "the sample of the past")
    person.page.keyboard.press("8")
    wait_for(lambda: person.sample_id() != sample and person.shown(), "the queue")
    person.wait_until_saved()
    assert standing(running) == {sample: 8}
    person.page.keyboard.press("Backspace")
    wait_for(lambda: person.sample_id() == sample, "the sample with its first label")
    person.wait_until_saved()
    assert standing(running) == {sample: 3}


def test_keys_typed_into_a_field_label_nothing(start, labeler):
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
    assert len(stored(running)) == 1


def test_two_hundred_classes_are_labeled_by_key_shift_and_search(start, labeler):
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
    assert [class_index for _, class_index in stored(running)] == [11, 198, 199]
    assert person.page.title() != "hacked"


def test_the_suggestion_is_hidden_and_its_showing_is_recorded(start, labeler):
    running = start()
    person = labeler(running)
    token = person.open()
    person.page.keyboard.press("Enter")  # nothing is suggested: nothing is accepted
    token = person.press("1", token)
    person.page.get_by_role("switch", name="Show the model's suggestion").click()
    person.page.get_by_role("button", name="Accept 7 (50 % sure)").wait_for()
    person.press("Enter", token)
    person.wait_until_saved()
    shown = running.rows("SELECT class_index, suggestion_shown FROM label_events ORDER BY id")
    assert [(given, bool(seen)) for given, seen in shown] == [(1, False), (SUGGESTED, True)]


def test_a_finger_skips_to_the_left_and_undoes_to_the_right(start, labeler, wait_for):
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
