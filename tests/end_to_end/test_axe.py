"""axe-core looks at every screen, light, dark and on a phone, and finds nothing but what is Streamlit's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from app.project.library import note_project
from app.project.project import create_project
from app.project.settings import ProjectSettings
from tests.end_to_end.named_project import project_of_names, screens_of, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

INSECTS = ("ladybird", "honey bee", "wasp", "hover fly", "beetle", "moth", "ant", "spider", "dragonfly", "aphid")
ANOTHER = {"settings": ProjectSettings(name="another"), "classes": ["a", "b"]}
WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# What Streamlit 1.67 draws so, wherever it stands: rule, and a part of the element's own markup.
STREAMLITS = (("svg-img-alt", 'class="mark-rect role-mark brush_brush'),)  # Vega's, of a brush that nobody has drawn


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    project = project_of_names(tmp_path_factory.mktemp("insects"), INSECTS, project_name="Insects of the meadow")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        note_project(create_project(tmp_path_factory.mktemp("many words and a%62 " * 5), **ANOTHER).folder)
        with screens_of(project) as url:
            yield url


def nothing(_: Page) -> None:
    """The screen as it opens."""


def pressed(*words: str) -> Callable[[Page], None]:
    """The screen after one of its parts was chosen."""

    def press(page: Page) -> None:
        for word in words:
            page.get_by_text(word, exact=True).first.click()
            settle(page)

    return press


def reasons(page: Page) -> None:
    page.locator(".labeler[data-shown]").first.wait_for()
    pressed("Show the model's suggestion", "Why this one")(page)


def chosen(page: Page) -> None:
    page.locator('[class*="st-key-review_choose_"] button').first.click()


def guide(page: Page) -> None:
    page.locator(".labeler[data-shown]").first.wait_for()
    pressed("Guide")(page)
    page.locator(".guide-class").first.wait_for()


def several(page: Page) -> None:
    pressed("Several at once")(page)
    page.locator(".several .cell").first.click()


def confused(page: Page) -> None:
    """A cell of the confusion matrix is opened, and one of its samples chosen."""
    page.locator('.st-key-confusion_chart text[aria-label*="wasp"][aria-label*="hover fly"]').click()
    page.locator('[class*="st-key-cell_choose_"] button').first.click()


SCREENS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "who": ("", nothing),
    "setup": ("setup", nothing),
    "projects": ("projects", nothing),
    "setup, classes": ("setup", pressed("Classes", "Merge")),
    "setup, settings": ("setup", pressed("Settings")),
    "label": ("", lambda page: page.locator(".labeler[data-shown]").first.wait_for()),
    "label, reasons": ("", reasons),
    "label, guide": ("", guide),
    "grid": ("grid", lambda page: page.get_by_text("Take out what is not").wait_for()),
    "progress, a cell": ("progress", confused),
    "progress": ("progress", lambda page: page.get_by_test_id("stVegaLiteChart").first.wait_for()),
    "uncertainty": ("uncertainty", nothing),
    "uncertainty, map": ("uncertainty", pressed("Map")),
    "uncertainty, changes": ("uncertainty", pressed("Changes")),
    "review": ("review", chosen),
    "review, several": ("review", several),
    "review, answers": ("review", pressed("Answers")),
    "review, agreement": ("review", pressed("Agreement")),
    "review, export": ("review", pressed("Export")),
    "help": ("help", nothing),
    "keys": ("help", lambda page: page.keyboard.press("h")),
}


@pytest.fixture(params=[("light", 1280), ("dark", 1280), ("light", 390)], ids=["light", "dark", "phone"])
def themed(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(themed, address, screen):
    path, act = SCREENS[screen]
    themed.goto(f"{address}/{path}" + ("" if screen == "who" else "?annotator=eve"))
    settle(themed)
    act(themed)
    settle(themed)
    assert violations(themed) == []


def violations(page: Page) -> list[str]:
    """One line per element that axe finds fault with, Streamlit's own left out."""
    found: list[dict[str, Any]] = Axe().run(page, options=WCAG).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:300]} {_why(node)}"
        for rule in found
        for node in rule["nodes"]
        if not any(rule["id"] == known and part in node["html"] for known, part in STREAMLITS)
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])[:200]
