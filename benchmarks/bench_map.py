"""The map of 100,000 samples in a real browser: until it is drawn, and from a lasso to the group on screen.

    python benchmarks/bench_map.py
    python benchmarks/bench_map.py --quick

A project of as many short texts in ten clusters, with the map, the scores and the features that a trainer would have
written; the screens run as `labelloop run` starts them, the trainer does not. A person draws around a part of a
cluster, again and again. Timed is

drawn      from the press on "Map" until all points are painted: the only time they are sent
lasso      from letting the button go until the chosen samples are told apart on the map, the page says how many of them
           may become a group and what that costs, and twelve of them are shown, all of it painted
offered    from the press on "Offer as a group" until the Grid page offers it, as the group that is to be judged
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright
from real_app import free_port, open_browser, wait_for

from app.project.creation import make_project
from app.project.pool_map import map_path, write_map
from app.project.project import Project
from app.project.scores import scores_path, write_scores
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy, streamlit_command, streamlit_environment
from loops.acquisition.catalog import MEASURES
from loops.oracle import PoolScores
from storage.labels import last_event_id
from storage.rounds import NewQuery, begin_round, mark_scoring, publish_round
from storage.samples import list_samples
from storage.trainer import start_generation

CLUSTERS = 10
CORNERS = 24  # of a lasso


def main() -> None:
    """Makes the project, draws the lassos, prints the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--lassos", type=int, default=60)
    parser.add_argument("--offers", type=int, default=10)
    parser.add_argument("--webgl", action="store_true", help="WebGL even where no graphics card is behind it")
    parser.add_argument("--quick", action="store_true", help="3,000 samples, 10 lassos, 3 offers")
    options = parser.parse_args()
    if options.quick:
        options.samples, options.lassos, options.offers = 3_000, 10, 3
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        project = project_of(Path(folder), options.samples)
        with screens(project) as url, sync_playwright() as playwright:
            browser = open_browser(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            if options.webgl:
                page.add_init_script(WITH_WEBGL)
            drawn_ms = open_map(page, url)
            painter = page.locator(".pool-map").get_attribute("data-painter")
            lassos_ms = draw_lassos(page, options.lassos)
            offers_ms = offer(page, url, options.offers)
            browser.close()
    print(f"{options.samples:,} samples drawn: {drawn_ms:.0f} ms after the press on Map, with {painter}")
    print(f"lasso to the group on screen: {in_words(lassos_ms)}")
    print(f"the group offered on the Grid page: {in_words(offers_ms)}")


WITH_WEBGL = """const get = WebGLRenderingContext.prototype.getParameter;
WebGLRenderingContext.prototype.getParameter = function (name) {
  return name === 0x9246 ? "taken for a graphics card" : get.call(this, name);
};"""


def in_words(times_ms: list[float]) -> str:
    """Median, 95th percentile and worst."""
    p95 = sorted(times_ms)[math.ceil(0.95 * len(times_ms)) - 1]
    median, worst = statistics.median(times_ms), max(times_ms)
    return f"median {median:.0f} ms, p95 {p95:.0f} ms, worst {worst:.0f} ms, of {len(times_ms)}"


def project_of(folder: Path, count: int) -> Project:
    """Texts in clusters, and what a trainer would have written of them."""
    texts = folder / "texts.csv"
    texts.write_text("text\n" + "".join(f"text {number} of cluster {number % CLUSTERS}\n" for number in range(count)))
    classes = [f"cluster {number}" for number in range(CLUSTERS)]
    project = make_project(
        folder / "project", settings=ProjectSettings(name="map"), classes=classes, data=texts
    ).project
    database = project.open_database()
    project_id = project.project_id(database)
    with database.read() as session:
        ids_N = np.array([one.id for one in list_samples(session, project_id=project_id, split="pool")], np.int64)
    with database.write() as session:
        generation = start_generation(session, project_id=project_id, pid=1)
    with database.write() as session:
        info = begin_round(
            session,
            project_id=project_id,
            generation=generation,
            trigger="benchmark",
            labels=10,
            predictor="network",
            acquisition="bald",
            snapshot_event_id=last_event_id(session, project_id=project_id),
        )
        step = {"round_id": info.id, "generation": generation}
        mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
        queries = [NewQuery(int(ids_N[0]), 0, "train", 0.5, 1.0, 0, 0.9)]
        publish_round(session, **step, queries=queries, metrics=[], confusion=[], fit_seconds=1.0, score_seconds=1.0)
    database.close()
    write_model(project, ids_N, info.number)
    return project


def write_model(project: Project, ids_N: np.ndarray, round_number: int) -> None:
    """Map and scores: a cluster is a class, and its rim is in doubt."""
    rng = np.random.default_rng(0)
    cluster_N = np.arange(len(ids_N)) % CLUSTERS
    offsets_N_2 = rng.normal(0, 0.2, (len(ids_N), 2))
    points_N_2 = (centers()[cluster_N] + offsets_N_2).astype(np.float32)
    write_map(map_path(project.features_dir), ids_N, points_N_2, backbone="none")
    doubt_N = np.clip(np.linalg.norm(offsets_N_2, axis=1), 0, 0.69).astype(np.float32)
    probs_N_C = np.full((len(ids_N), CLUSTERS), 0.1 / (CLUSTERS - 1), np.float32)
    probs_N_C[np.arange(len(ids_N)), cluster_N] = 0.9
    scores = PoolScores(ids_N, dict.fromkeys(MEASURES, doubt_N), probs_N_C)
    write_scores(scores_path(project.rounds_dir, round_number), scores, acquisition="bald")


def centers() -> np.ndarray:
    """Where the clusters lie: on a circle."""
    turn_C = 2 * np.pi * np.arange(CLUSTERS) / CLUSTERS
    return 2 * np.stack([np.cos(turn_C), np.sin(turn_C)], axis=1)


@contextlib.contextmanager
def screens(project: Project) -> Iterator[str]:
    """The screens alone, once they answer."""
    port = free_port()
    environment = {**os.environ, **streamlit_environment(project)}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(streamlit_command(port), env=environment, cwd=os.sep, **silent)
    try:
        wait_for(lambda: is_healthy(port), "the screens")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def open_map(page: Page, url: str) -> float:
    """Open the map for the first time; returns ms until its points are painted."""
    page.goto(f"{url}/uncertainty?annotator=scripted")
    page.get_by_text("Mean of the draws").wait_for()  # the last thing on the screen
    wait_for(lambda: page.locator('[data-test-script-state="notRunning"]').count(), "the screen")
    started = time.perf_counter()
    page.get_by_text("Map", exact=True).click()
    page.locator(".pool-map[data-drawn]").wait_for()
    return 1000 * (time.perf_counter() - started)


def draw_lassos(page: Page, count: int) -> list[float]:
    """Draw around a part of one cluster after another; returns the times that the page took, in ms."""
    dice = random.Random(0)
    for number in range(count):
        lasso(page, number, dice)
        wait_for(lambda done=number: len(measured(page)) == done + 1, "the group")
    return measured(page)


def measured(page: Page) -> list[float]:
    """What the page has measured so far, in ms."""
    found: list[float] = page.evaluate("performance.getEntriesByName('labelloop-lasso').map((one) => one.duration)")
    return found


def lasso(page: Page, number: int, dice: random.Random) -> None:
    """Draw a circle around a part of a cluster, with Shift held."""
    box = page.locator(".pool-map .stage").bounding_box()
    assert box is not None
    scale = 0.92 * min(box["width"], box["height"]) / 2 / 2.6  # the clusters end about there
    x, y = centers()[number % CLUSTERS]
    middle = box["x"] + box["width"] / 2 + scale * x, box["y"] + box["height"] / 2 - scale * y
    radius = dice.uniform(0.1, 0.5) * scale
    page.keyboard.down("Shift")
    for corner in range(CORNERS + 1):
        turn = 2 * math.pi * corner / CORNERS
        page.mouse.move(middle[0] + radius * math.cos(turn), middle[1] + radius * math.sin(turn))
        if corner == 0:
            page.mouse.down()
    page.mouse.up()
    page.keyboard.up("Shift")


def offer(page: Page, url: str, count: int) -> list[float]:
    """Offer what was chosen as a group, again and again; returns ms until the Grid page offers it."""
    dice, times_ms = random.Random(1), []
    for number in range(count):
        if number:
            open_map(page, url)
            lasso(page, number, dice)
        button = page.get_by_role("button", name="Offer as a group")
        wait_for(button.is_enabled, "the group")
        started = time.perf_counter()
        button.click()
        page.get_by_text("were chosen on the map").wait_for()
        times_ms.append(1000 * (time.perf_counter() - started))
    return times_ms


if __name__ == "__main__":
    main()
