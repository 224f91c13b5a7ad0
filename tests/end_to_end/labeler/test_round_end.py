"""The line about a learned round covers nothing that is pressed, however narrow the window is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.named_project import project_of_names, screens_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NAMES = ("ladybird", "honey bee", "wasp", "hover fly", "beetle", "moth", "ant", "spider")
SENTENCE = (
    "Round 12 is learned: accuracy 81 %, 74 % before; most often it takes Colorado potato beetle for Red admiral."
)
PRESSED_UNDER_IT = """(sentence) => {
    const parts = [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')];
    const roots = parts.map((part) => part.shadowRoot);
    const line = roots.map((root) => root?.querySelector(".labeler .event")).find(Boolean);
    line.textContent = sentence;
    line.hidden = false;
    const { left, right, top, bottom } = line.getBoundingClientRect();
    line.style.visibility = "hidden";
    const deepest = (x, y) => {
        let [place, found] = [document, null];
        for (let next = place.elementFromPoint(x, y); next && next !== found; next = place.elementFromPoint(x, y)) {
            found = next;
            if (found.shadowRoot === null) break;
            place = found.shadowRoot;
        }
        return found;
    };
    const under = new Set();
    for (let x = left; x < right; x += 4)
        for (let y = top; y < bottom; y += 4) under.add(deepest(x, y)?.closest("button, a, input, [role=switch]"));
    return { isSeen: bottom > top && left >= 0 && right <= innerWidth, under: [...under].filter(Boolean).length };
}"""


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_nothing_that_is_pressed_lies_under_the_line(address: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/?annotator=eve")
    page.locator(".labeler[data-shown]").first.wait_for()
    assert page.evaluate(PRESSED_UNDER_IT, SENTENCE) == {"isSeen": True, "under": 0}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory):
    with screens_of(project_of_names(tmp_path_factory.mktemp("insects"), NAMES, project_name="insects")) as url:
        yield url
