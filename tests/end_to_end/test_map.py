"""The map in a real browser: all points, a pick, a lasso by hand and by keys, and the group it becomes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.project.creation import make_project
from app.project.pool_map import map_path, write_map
from app.project.scores import scores_path, write_scores
from app.project.settings import ProjectSettings
from loops.acquisition.catalog import MEASURES
from loops.oracle import PoolScores
from storage.labels import last_event_id
from storage.rounds import begin_round, mark_scoring, publish_round
from storage.samples import list_samples
from storage.trainer import start_generation
from tests.end_to_end.named_project import screens_of, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

LEFT, RIGHT = 300, 20  # texts in two heaps
PAINTED = """() => {
  const parts = [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')];
  const canvas = parts.map((part) => part.shadowRoot.querySelector("canvas")).find(Boolean);
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  return data.filter((value, at) => at % 4 === 3 && value > 0).length;
}"""
TAKEN_FOR_A_CARD = """const get = WebGLRenderingContext.prototype.getParameter;
WebGLRenderingContext.prototype.getParameter = function (name) {
  return name === 0x9246 ? "taken for a graphics card" : get.call(this, name);
};
const open = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, more) {
  return open.call(this, kind, { ...more, preserveDrawingBuffer: true });
};"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    texts = folder / "texts.csv"
    texts.write_text("text\n" + "".join(f"text number {number}\n" for number in range(LEFT + RIGHT)))
    settings = ProjectSettings(name="heaps", audit_share=0.0)
    project = make_project(folder / "project", settings=settings, classes=["left", "right"], data=texts).project
    database = project.open_database()
    publish(project, database)
    database.close()
    with screens_of(project) as url:
        yield url


def publish(project, database):
    project_id = project.project_id(database)
    with database.read() as session:
        ids_N = np.array([one.id for one in list_samples(session, project_id=project_id, split="pool")], np.int64)
    with database.write() as session:
        generation = start_generation(session, project_id=project_id, pid=1)
        last = last_event_id(session, project_id=project_id)
        info = begin_round(
            session, project_id=project_id, generation=generation, trigger="test", labels=4, predictor="cnn",
            acquisition="bald", snapshot_event_id=last,
        )  # fmt: skip
        step = {"round_id": info.id, "generation": generation}
        mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
        publish_round(session, **step, queries=[], metrics=[], confusion=[], fit_seconds=1.0, score_seconds=1.0)
    is_left_N = np.arange(len(ids_N)) < LEFT
    jitter_N_2 = np.random.default_rng(0).uniform(-0.2, 0.2, (len(ids_N), 2))
    points_N_2 = np.stack([np.where(is_left_N, -1.0, 1.0), np.zeros(len(ids_N))], axis=1) + jitter_N_2
    write_map(map_path(project.features_dir), ids_N, points_N_2.astype(np.float32), backbone="none")
    probs_N_C = np.where(is_left_N[:, None], [[0.9, 0.1]], [[0.2, 0.8]]).astype(np.float32)
    measures = dict.fromkeys(MEASURES, np.linspace(0.1, 0.5, len(ids_N), dtype=np.float32))
    write_scores(
        scores_path(project.rounds_dir, info.number), PoolScores(ids_N, measures, probs_N_C), acquisition="bald"
    )


def open_map(page, address):
    page.goto(f"{address}/uncertainty?annotator=eve")
    page.get_by_text("Mean of the draws").wait_for()
    settle(page)
    page.get_by_text("Map", exact=True).click()
    page.locator(".pool-map[data-drawn='320']").wait_for()
    settle(page)
    box = page.locator(".pool-map .stage").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 0.92 * min(box["width"], box["height"]) / 2


def test_a_lasso_becomes_a_group_on_the_grid_page(page, address):
    x, y, unit = open_map(page, address)
    assert page.locator(".pool-map").get_attribute("data-painter") == "canvas"
    assert page.evaluate(PAINTED) > LEFT
    page.get_by_role("button", name="Lasso").click()
    page.mouse.move(x - 1.1 * unit, y - 0.5 * unit)
    page.mouse.down()
    for right, down in ((0, -0.5), (0, 0.5), (-1.1, 0.5)):
        page.mouse.move(x + right * unit, y + down * unit, steps=4)
    page.mouse.up()
    said = page.get_by_text(re.compile(r"^300 chosen: judge \d+ of them, and take the other \d+\."))
    said.wait_for()
    needed = int(re.search(r"judge (\d+)", said.inner_text()).group(1))
    assert page.locator(".strip > *").count() == 12
    page.get_by_role("button", name="Offer as a group").click()
    page.get_by_text("300 were chosen on the map: say what they are").wait_for()
    page.keyboard.press("1")
    page.get_by_text("0 members judged").wait_for()
    assert f"{needed} more right ones" in page.locator(".proof").inner_text()
    assert "300 were chosen on the map" in page.locator(".hint").inner_text()
    page.keyboard.press("n")  # what was judged stays; the group is left for the other tests


def test_with_webgl_a_click_picks_and_keys_choose_as_well(page, address):
    page.add_init_script(TAKEN_FOR_A_CARD)
    x, y, unit = open_map(page, address)
    assert page.locator(".pool-map").get_attribute("data-painter") == "webgl"
    assert page.evaluate(PAINTED) > LEFT
    page.get_by_role("button", name="Label", exact=True).click()
    page.locator(".legend").get_by_text("not labeled").wait_for()
    page.mouse.move(x + 0.83 * unit, y)
    page.locator(".tip").get_by_text("model: right (80 %)").wait_for()
    page.mouse.click(x + 0.83 * unit, y)
    page.get_by_text(re.compile(r"^Predicted right")).wait_for()
    settle(page)
    picked = re.search(r"\d+", page.get_by_role("heading", name=re.compile(r"^Sample \d+$")).inner_text())[0]
    page.locator(f'.one[data-sample="{picked}"][aria-busy="false"]').wait_for()  # or the key would be refused

    page.keyboard.press("1")  # a right one, said to be left: the key's, not the model's
    page.keyboard.press("Backspace")  # at once: an undo waits until what it takes back is stored
    page.get_by_text(re.compile(r"^Undone. Sample \d+ stands as it did before")).wait_for()

    page.locator(".pool-map .stage").focus()
    for key in ["ArrowUp"] * 20 + ["Shift+ArrowRight"] * 30 + ["Shift+ArrowDown"] * 40 + ["Enter"]:
        page.keyboard.press(key)
    page.get_by_text(f"{RIGHT} chosen: too few for a group").wait_for()
    assert page.get_by_role("button", name="Offer as a group").is_disabled()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Offer as a group").count() == 0
