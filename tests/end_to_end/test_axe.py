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
STREAMLITS = (
    ("svg-img-alt", 'class="mark-rect role-mark brush_brush'),  # Vega's, of a brush that nobody has drawn
    ("region", 'id="vg-tooltip-element"'),  # Vega's, of a chart that was left: it stands until the app is loaded anew
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    project = project_of_names(tmp_path_factory.mktemp("insects"), INSECTS, project_name="Insects of the meadow")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        note_project(create_project(tmp_path_factory.mktemp("many words and a%62 " * 5), **ANOTHER).folder)
        with screens_of(project) as url:
            yield url


def pressed(*words: str) -> Callable[[Page], None]:
    """The screen after its parts of these names were chosen, each once the one before is drawn."""

    def press(page: Page) -> None:
        for word in words:
            settle(page)
            page.get_by_text(word, exact=True).first.click()

    return press


def opened(name: str, sign: str) -> Callable[[Page], None]:
    """A page chosen in the sidebar, once there is what tells it from the others."""

    def open_page(page: Page) -> None:
        page.get_by_role("link", name=name, exact=True).click()
        page.locator(sign).first.wait_for()

    return open_page


def label(page: Page) -> None:
    page.goto(f"{page.url}?annotator=eve")
    page.locator(".labeler[data-shown]").first.wait_for()


def guide(page: Page) -> None:
    pressed("Guide")(page)
    page.locator(".guide-class").first.wait_for()


def chosen(page: Page) -> None:
    opened("Review", '[class*="st-key-review_choose_"]')(page)
    page.locator('[class*="st-key-review_choose_"] button').first.click()


def several(page: Page) -> None:
    pressed("Several at once")(page)
    page.locator(".several .cell").first.click()


def confused(page: Page) -> None:
    """A cell of the confusion matrix is opened, and one of its samples chosen."""
    page.locator('.st-key-confusion_chart text[aria-label*="wasp"][aria-label*="hover fly"]').click()
    page.locator('[class*="st-key-cell_choose_"] button').first.click()


# In this order, each from where the one before has left the app: it is loaded twice, and not once a screen.
SCREENS: dict[str, Callable[[Page], None]] = {
    "who": lambda page: page.locator(".st-key-entry_name").wait_for(),
    "label": label,
    "label, reasons": pressed("Show the model's suggestion", "Why this one"),
    "label, guide": guide,
    "grid": opened("Grid", ".cells .cell"),
    "progress": opened("Progress", '[data-testid="stVegaLiteChart"]'),
    "progress, a cell": confused,
    "uncertainty": opened("Uncertainty", '[data-testid="stVegaLiteChart"]'),
    "uncertainty, map": pressed("Map"),
    "uncertainty, changes": pressed("Changes"),
    "review": chosen,
    "review, several": several,
    "review, answers": pressed("Answers"),
    "review, agreement": pressed("Agreement"),
    "review, export": pressed("Export"),
    "setup": opened("Setup", ".st-key-setup_tabs"),
    "setup, classes": pressed("Classes", "Merge"),
    "setup, settings": pressed("Settings"),
    "projects": opened("Projects", "h1"),
    "help": opened("Help", "h1"),
    "keys": lambda page: page.keyboard.press("h"),
}
UNTIL_QUIET = """() => new Promise((done) => {
    let timer = setTimeout(done, 200);
    const changed = () => { clearTimeout(timer); timer = setTimeout(done, 200); };
    new MutationObserver(changed).observe(document, { subtree: true, childList: true, attributes: true });
})"""
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 900}


# The server is asked for the theme when the app is loaded; a window is a phone's as soon as it is that narrow.
@pytest.mark.parametrize(("scheme", "windows"), [("light", (PHONE, DESK)), ("dark", (DESK,))], ids=["light", "dark"])
def test_axe_finds_nothing(browser: Browser, address, scheme, windows):
    context = browser.new_context(viewport=DESK, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    found = {}
    for screen, act in SCREENS.items():
        act(page)
        settle(page)
        for window in windows:
            fit_into(page, window)
            found[f"{screen}, {window['width']} px wide"] = violations(page)
    context.close()
    assert {screen: faults for screen, faults in found.items() if faults} == {}


def fit_into(page: Page, window: dict[str, int]) -> None:
    """Give the page another size, and wait until nothing of it changes for a moment; the server is not asked."""
    if page.viewport_size != window:
        page.set_viewport_size(window)
        page.evaluate(UNTIL_QUIET)


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
