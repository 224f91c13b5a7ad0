"""The same with texts: a CSV file, the keys, two rounds, a curve with two points, and nothing of a text is markup."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from app.project.creation import make_project
from app.project.settings import ProjectSettings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

CLASSES = ("weather", "sport")
WORDS = {
    "weather": "rain snow wind cloud storm sunshine fog frost thunder drizzle",
    "sport": "goal match team referee penalty striker keeper league coach stadium",
    "neither": "the a of and in on with late early long short again never very much some",
}
ROUNDS, SIZE = 2, 20


def sentences(count: int, seed: int) -> list[tuple[str, str]]:
    """Texts of three words of their class among others that tell nothing, each once."""
    drawn = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        name = CLASSES[len(found) % 2]
        words = drawn.sample(WORDS[name].split(), 3) + drawn.sample(WORDS["neither"].split(), 6)
        drawn.shuffle(words)
        found[" ".join(words)] = name
    return list(found.items())


def table(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


HOSTILE = [("<img src=x onerror=\"document.title='owned'\"> rain **bold** [link](javascript:alert(1))", "weather")]
ARABIC = [("المطر غدا rain snow wind", "weather")]


@pytest.fixture
def texts(tmp_path: Path) -> dict[str, list[tuple[str, str]]]:
    every = sentences(240, seed=0)
    return {"pool": [*HOSTILE, *ARABIC, *every[:180]], "test": every[180:]}


def test_texts_are_labeled_by_keys_over_two_rounds(start, labeler, texts, tmp_path, wait_for):
    pool, test = (table(tmp_path / f"{name}.csv", rows) for name, rows in texts.items())
    settings = ProjectSettings(name="texts", query_size=SIZE, mc_iterations=4, audit_share=0.0)
    created = make_project(tmp_path / "project", settings=settings, classes=CLASSES, data=pool, test=test)
    assert created.pool.added == 182
    running = start(created.project)
    truth = dict([*texts["pool"]])
    person = labeler(running)
    token = person.open()
    shown: set[str] = set()
    for number in range(1, ROUNDS + 1):
        for _ in range(SIZE):
            content = text_on_screen(person, running)
            shown.add(content)
            token = person.press(str(CLASSES.index(truth[content]) + 1), token)
        person.wait_until_saved()
        wait_for(lambda number=number: points(running)[number - 1 :], f"point {number} of the curve")
    assert len(shown) == ROUNDS * SIZE

    query = "SELECT content, e.class_index FROM label_events e JOIN samples ON samples.id = e.sample_id"
    given = running.rows(query)
    assert {(content, CLASSES[int(str(index))]) for content, index in given} == {(one, truth[one]) for one in shown}
    assert points(running)[-1] > 0.8, points(running)
    assert person.page.title() != "owned"

    see_grid(person.page, running.url)
    see_review(person.page, running.url, shown)


def text_on_screen(person, running) -> str:
    """The whole text, and nothing in it was taken for markup."""
    [(content,)] = running.rows("SELECT content FROM samples WHERE id = :id", id=person.sample_id())
    stage = person.page.locator(".stage .text")
    assert stage.text_content() == content
    assert stage.get_attribute("dir") == "auto"
    assert stage.locator("*").count() == 0
    return str(content)


def points(running) -> list[float]:
    found = running.rows("SELECT value FROM metrics WHERE name = 'accuracy_test' ORDER BY round_id")
    return [float(str(value)) for (value,) in found]


def see_grid(page, url) -> None:
    """Cells show texts, and all of the one that is pointed at where it does not fit."""
    page.goto(f"{url}/grid?annotator=tester")
    cells = page.locator(".cell .text")
    cells.first.wait_for()
    assert cells.first.text_content()
    assert page.locator(".cell img").count() == 0


def see_review(page, url, shown) -> None:
    """What was labeled stands in the gallery as text, and large beside it once it is chosen."""
    page.goto(f"{url}/review?annotator=tester")
    page.locator(".sample-text").first.wait_for()
    assert {found.strip() for found in page.locator(".sample-text").all_text_contents()} <= shown
    page.locator("[class*='st-key-review_choose_'] button").first.click()
    page.locator(".sample-text:not(.small)").first.wait_for()
    assert page.title() != "owned"
