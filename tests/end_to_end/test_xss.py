"""User text is never executed: names of classes, annotators, files and the project, on every screen, in a browser."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from PIL import Image

from app.project.creation import make_project
from app.project.pool_map import map_path, write_map
from app.project.project import Project
from app.project.scores import scores_path, write_scores
from app.project.settings import ProjectSettings
from app.running.web_server import is_healthy, streamlit_command, streamlit_environment, url_of
from loops.acquisition.catalog import MEASURES
from loops.oracle import PoolScores
from storage.engine import Database
from storage.labels import last_event_id, record_decision
from storage.metrics import NewConfusion, NewMetric
from storage.projects import get_or_create_annotator
from storage.rounds import NewQuery, begin_round, mark_scoring, publish_round
from storage.samples import list_samples, mark_broken
from storage.trainer import start_generation
from tests.end_to_end.conftest import end_with_all_descendants, free_port, look_until, plain_environment

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

# xss() tells the test; each string carries a number of its own, for class names must differ.
TEMPLATES = (
    "<script>xss(#)</script>",
    '"><script>xss(#)</script>',
    "'><script>xss(#)</script>",
    "</title><script>xss(#)</script>",
    "</textarea><script>xss(#)</script>",
    "</style><script>xss(#)</script>",
    "</script><script>xss(#)</script>",
    "--><script>xss(#)</script>",
    "]]><script>xss(#)</script>",
    "<scr<script>ipt>xss(#)</scr</script>ipt>",
    "<ScRiPt>xss(#)</sCrIpT>",
    "<img src=x onerror=xss(#)>",
    '"><img src=x onerror=xss(#)>',
    "<img src=x onerror='xss(#)'//",
    '<img src=x:x onerror="xss(#)">',
    "<image src=x onerror=xss(#)>",
    "<svg onload=xss(#)>",
    "<svg/onload=xss(#)>",
    "<svg><script>xss(#)</script></svg>",
    "<svg><animate onbegin=xss(#) attributeName=x dur=1s>",
    "<svg><use href=data:image/svg+xml,<svg/onload=xss(#)>>",
    "<math><mtext><img src=x onerror=xss(#)>",
    "<body onload=xss(#)>",
    "<iframe onload=xss(#)>",
    "<iframe src=javascript:parent.xss(#)>",
    "<iframe srcdoc='<script>parent.xss(#)</script>'>",
    "<object data=javascript:xss(#)>",
    "<embed src=javascript:xss(#)>",
    "<video><source onerror=xss(#)>",
    "<audio src=x onerror=xss(#)>",
    "<input autofocus onfocus=xss(#)>",
    "<select autofocus onfocus=xss(#)>",
    "<details open ontoggle=xss(#)>",
    "<marquee onstart=xss(#)>",
    "<style>@keyframes x{}</style><b style=animation-name:x onanimationstart=xss(#)>",
    "<b onmouseover=xss(#)>name</b>",
    '" autofocus onfocus=xss(#) x="',
    "' onmouseover=xss(#) x='",
    "<a href=javascript:xss(#)>name</a>",
    "<javascript:xss(#)>",
    ":material/[x](javascript:xss(#)):",
    "{{constructor.constructor('xss(#)')()}}",
    "${xss(#)}",
    "';xss(#);//",
    "&lt;img src=x onerror=xss(#)&gt;",
    # Last, for these stand on Review when all have voted: what Markdown would turn into links and pictures.
    "[name](javascript:xss(#))",
    "[name](JaVaScRiPt:xss(#))",
    "![name](x 'onerror=xss(#)')",
    "![x](http://foreign.test/#.png)",
    "$\\href{javascript:xss(#)}{name}$",
)
HOSTILE = [template.replace("#", str(number)) for number, template in enumerate(TEMPLATES)]
OURS = ("127.0.0.1", None)  # None: data, about and blob addresses
FOREIGN = "foreign.test"


def test_there_are_fifty_strings_and_all_differ():
    assert len(set(HOSTILE)) == len(HOSTILE) == 50


@pytest.fixture(scope="module")
def hostile_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Every name in it is hostile: 50 classes, 50 annotators, 50 files good and 50 bad, and the project's own."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, name in enumerate(HOSTILE):
        write_image(folder / "images" / f"{name}x.png", shade=number)
        (folder / "images" / f"bad {name}x.png").parent.mkdir(parents=True, exist_ok=True)
        (folder / "images" / f"bad {name}x.png").write_bytes(b"no image")
    settings = ProjectSettings(name=HOSTILE[11], query_size=4, mc_iterations=2, overlap=2, overlap_share=0.5)
    created = make_project(folder / "project", settings=settings, classes=HOSTILE, data=folder / "images")
    assert (created.pool.added, len(created.pool.refused)) == (50, 50)
    database = created.project.open_database()
    try:
        fill(created.project, database)
    finally:
        database.close()
    return created.project


def write_image(path: Path, *, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), shade).save(path)


def fill(project: Project, database: Database) -> None:
    """Two rounds with scores, labels of 50 people who disagree, a broken sample, measures of every class."""
    project_id = project.project_id(database)
    with database.write() as session:
        samples = [sample.id for sample in list_samples(session, project_id=project_id, split="pool")]
        mark_broken(session, sample_id=samples[-1], reason=HOSTILE[0])
        for number, name in enumerate(HOSTILE):
            person = get_or_create_annotator(session, project_id=project_id, name=name)
            record_decision(
                session,
                project_id=project_id,
                sample_id=samples[number % 5],
                annotator_id=person,
                action="label",
                class_index=number,
                request_id=f"request-{number}",
            )
        start_generation(session, project_id=project_id, pid=1)
    publish(database, project_id, samples[5:-1])
    publish(database, project_id, samples[5:-1])
    score_pool(project, samples)
    write_features(project, samples)


def publish(database: Database, project_id: int, sample_ids: list[int]) -> None:
    with database.write() as session:
        info = begin_round(
            session,
            project_id=project_id,
            generation=1,
            trigger=HOSTILE[1],
            labels=5,
            learner="cnn",
            acquisition="bald",
            snapshot_event_id=last_event_id(session, project_id=project_id),
        )
        step = {"round_id": info.id, "generation": 1}
        mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
        publish_round(
            session,
            **step,
            queries=[
                NewQuery(sample, rank, "train", 0.5, 1.0, rank % 50, 0.9) for rank, sample in enumerate(sample_ids)
            ],
            metrics=[NewMetric("accuracy_audit", 0.5, 0.2, 0.8, n=5), NewMetric("mean_bald", 0.3, n=45)],
            confusion=[NewConfusion("audit", index, (index + 1) % 50, 1) for index in range(50)],
            fit_seconds=1.0,
            score_seconds=1.0,
        )


def score_pool(project: Project, sample_ids: list[int]) -> None:
    """Of round 1: samples are predicted five of the classes, enough of each to fill a grid."""
    count = len(sample_ids)
    probs = np.full((count, 50), 0.005)
    probs[np.arange(count), 10 + np.arange(count) % 5] = 0.755
    draws = np.repeat(probs[:, :, None], 2, axis=2)
    draws[:, 0, 0] += 0.001
    measures = dict.fromkeys(MEASURES, np.linspace(0.1, 0.5, count, dtype=np.float32))
    scores = PoolScores(np.array(sample_ids, np.int64), measures, probs.astype(np.float32), draws.astype(np.float16))
    write_scores(scores_path(project.rounds_dir, 1), scores, acquisition="bald")


def write_features(project: Project, sample_ids: list[int]) -> None:
    """Features, so that samples have neighbors, and the map."""
    folder = project.features_dir / "pixels-2"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text('{"backbone": "pixels-2", "row_shape": [1, 2, 2]}')
    np.array(sample_ids, np.int64).tofile(folder / "ids.bin")
    np.tile(np.array([[9, 0, 9, 0]], np.uint8), (len(sample_ids), 1)).tofile(folder / "rows-1.bin")
    places = np.arange(len(sample_ids), dtype=np.float32)
    ids_N, points_N_2 = np.array(sample_ids, np.int64), np.stack([places, places], axis=1)
    write_map(map_path(project.features_dir), ids_N, points_N_2, backbone="pixels-2")


@pytest.fixture(scope="module")
def address(hostile_project: Project) -> Iterator[str]:
    """The real screens, as the supervisor starts them; the trainer would publish rounds of its own."""
    port = free_port()
    environment = {**plain_environment(), **streamlit_environment(hostile_project)}
    process = subprocess.Popen(
        streamlit_command(port), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=os.sep
    )
    look_until(lambda: is_healthy(port), "the screens")
    yield url_of(port)
    end_with_all_descendants(process)


class Trap:
    """Notices what runs and what leaves the machine."""

    def __init__(self, page: Page) -> None:
        self.ran: list[str] = []
        self.foreign: list[str] = []
        page.expose_function("xss", lambda *given: self.ran.append(str(given)))
        page.on("dialog", lambda dialog: (self.ran.append(dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda request: self.foreign.append(request.url) if urlsplit(request.url).hostname not in OURS else None,
        )


@pytest.fixture
def trap(page: Page) -> Trap:
    return Trap(page)


def settle(page: Page) -> None:
    """Wait until the script of the screen has ended and what it drew has had the time to misbehave."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(500)


def links_that_run(page: Page) -> int:
    """Links that would run a script when pressed, inside components too."""
    return page.locator('a[href^="javascript:" i], iframe[src^="javascript:" i], form[action^="javascript:" i]').count()


def hover(page: Page, what: Locator) -> None:
    """Pass over charts and pictures, whose hover texts quote names."""
    for index in range(min(4, what.count())):
        box = what.nth(index).bounding_box()
        if box is not None:
            for part in (0.3, 0.5, 0.7):
                page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * part)
                page.wait_for_timeout(60)


def look_at_setup(page: Page) -> None:
    page.get_by_text("Files that could not be used").click()
    for tab in ("Classes", "Settings"):
        page.get_by_role("tab", name=tab).click()
        settle(page)


def look_at_label(page: Page) -> None:
    page.locator(".labeler[data-shown]").first.wait_for()
    for switch in ("Show the model's suggestion", "Why this one"):
        page.get_by_text(switch).first.click()
    page.keyboard.press("/")
    page.keyboard.type("x")
    settle(page)


def look_at_grid(page: Page) -> None:
    page.get_by_text("Take out what is not").wait_for()


def look_at_progress(page: Page) -> None:
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    hover(page, page.get_by_test_id("stVegaLiteChart"))


def look_at_uncertainty(page: Page) -> None:
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    hover(page, page.get_by_test_id("stVegaLiteChart"))
    page.get_by_text("Map", exact=True).click()
    settle(page)
    page.get_by_text("Label", exact=True).last.click()
    settle(page)
    hover(page, page.get_by_test_id("stVegaLiteChart"))


def look_at_review(page: Page) -> None:
    page.locator('[class*="st-key-review_choose_"] button').first.click()
    settle(page)
    page.get_by_text(re.compile(r"^History \(")).click()
    page.get_by_text("Table", exact=True).click()
    settle(page)
    page.get_by_role("tab", name="Agreement").click()
    page.get_by_text("Disagreements").wait_for()
    page.get_by_role("tab", name="Export").click()


def look_at_help(page: Page) -> None:
    page.get_by_text("What happens to a label").wait_for()


SCREENS: dict[str, Callable[[Page], None]] = {
    "setup": look_at_setup,
    "label": look_at_label,
    "grid": look_at_grid,
    "progress": look_at_progress,
    "uncertainty": look_at_uncertainty,
    "review": look_at_review,
    "help": look_at_help,
}


def test_the_trap_sees_what_runs(page, trap):
    page.goto("about:blank")
    page.set_content(f"<a href=javascript:xss(1)>x</a>{HOSTILE[11]}<img src=http://{FOREIGN}/x.png>")
    page.wait_for_function("() => document.images[0].complete")
    page.wait_for_timeout(200)
    assert trap.ran == ["(11,)"]
    assert trap.foreign == [f"http://{FOREIGN}/x.png"]
    assert links_that_run(page) == 1


@pytest.mark.parametrize("screen", SCREENS)
def test_no_name_runs_on_a_screen(page, trap, address, screen):
    # Whoever looks is hostile too; another string on each screen.
    name = HOSTILE[list(SCREENS).index(screen) * 7]
    page.goto(f"{address}/{'' if screen == 'label' else screen}?annotator={quote(name)}")
    settle(page)
    SCREENS[screen](page)
    settle(page)
    assert trap.ran == []
    assert trap.foreign == []
    assert links_that_run(page) == 0
    assert page.get_by_text("could not be drawn").count() == 0


def test_what_markdown_would_read_stands_on_review_as_it_is(page, trap, address):
    page.goto(f"{address}/review?annotator=eve")
    settle(page)
    for name in HOSTILE[-5:]:
        assert page.get_by_text(name, exact=True).count() > 0
    assert (trap.foreign, links_that_run(page)) == ([], 0)


def test_no_name_runs_in_the_dialog_that_asks_for_one(page, trap, address):
    page.goto(address)
    page.get_by_text("Who is labeling?").wait_for()
    settle(page)
    page.locator(".st-key-entry_name input").fill(HOSTILE[12])
    page.get_by_role("button", name="Start").click()
    page.locator(".labeler").first.wait_for()
    settle(page)
    page.goto(f"{address}/help")  # the cookie brings the name back
    settle(page)
    assert page.locator(".st-key-annotator_name input").input_value() == HOSTILE[12]
    assert (trap.ran, trap.foreign, links_that_run(page)) == ([], [], 0)
