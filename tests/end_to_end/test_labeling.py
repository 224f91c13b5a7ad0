from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.end_to_end.conftest import FOREST

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

ROUNDS = 2  # trained rounds: each is one point of the curve


def status(running) -> dict:
    command = [sys.executable, "-m", "app.command.main", "status", str(running.project.folder), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def decisions(running) -> list[tuple[str, str, int | None]]:
    """Every decision in order: what was done, the file, and the class given."""
    rows = running.rows(
        "SELECT action, uri, label_events.class_index FROM label_events JOIN samples ON samples.id = sample_id "
        "ORDER BY label_events.id"
    )
    return [(str(action), str(uri).rsplit("/", 1)[-1], given) for action, uri, given in rows]


def label_until(labeler, running, *, round_number: int, wait) -> None:
    """Label what is asked, by key, until the trainer has published a round; labeling goes on while it trains."""

    def is_published() -> bool:
        return (running.open_round() or 0) >= round_number

    # Labels given before the first round is open are trained in it and do not finish it.
    wait(lambda: running.open_round() is not None, "the first round")
    token = labeler.wait_for_sample()
    for _ in range(12):  # 5 finish a round; the others show that labeling goes on
        if is_published():
            break
        token = labeler.label(token)
    wait(is_published, f"round {round_number}")


def test_a_person_labels_rounds_by_keyboard_and_the_curve_gets_its_points(
    start, make_small_project, labeler, tmp_path, wait_for, page
):
    running = start(make_small_project(tmp_path / "project"))
    person = labeler(running)
    person.open()

    for round_number in range(1, ROUNDS + 1):
        label_until(person, running, round_number=round_number, wait=wait_for)
    person.wait_until_saved()

    given = [decision for decision in decisions(running) if decision[0] == "label"]
    assert len(given) >= ROUNDS * 5
    assert [class_index for _, _, class_index in given] == [running.labels[name] for _, name, _ in given]

    measured = [found for found in status(running)["rounds"] if found["accuracy"] is not None]
    assert len(measured) >= ROUNDS
    assert all(0 <= found["low"] <= found["accuracy"] <= found["high"] <= 1 for found in measured)
    assert measured[0]["labels"] < measured[1]["labels"]

    page.get_by_role("link", name="Progress").click()
    page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.wait_for()
    # The curve's points; a person who was quick while the trainer worked may have had a fourth round by now.
    page.get_by_text(re.compile("[2-4] of [2-5] with a measured accuracy|of accuracy")).first.wait_for()
    assert page.get_by_text("Traceback").count() == 0


def test_wrong_keys_are_undone_and_skips_leave_the_pool(start, make_small_project, labeler, tmp_path):
    running = start(make_small_project(tmp_path / "project", "bald", FOREST))
    person = labeler(running)
    first = person.open()
    sample = person.sample_id()
    right = running.class_of(sample)
    second = person.press(person.key_of((right + 1) % 10), first)

    back = person.press("Backspace", second)
    assert person.sample_id() == sample
    after = person.label(back)
    person.press("Space", after)
    person.wait_until_saved()

    name = decisions(running)[0][1]
    assert decisions(running)[:3] == [("label", name, (right + 1) % 10), ("undo", name, None), ("label", name, right)]
    assert decisions(running)[3][0] == "skip"
    assert (status(running)["labels"], status(running)["skips"]) == (1, 1)


def test_a_refresh_comes_back_to_the_same_sample(start, make_small_project, labeler, tmp_path):
    running = start(make_small_project(tmp_path / "project", "bald", FOREST))
    person = labeler(running)
    token = person.label(person.open())
    person.wait_until_saved()
    person.page.reload()
    assert person.wait_for_sample() == token
