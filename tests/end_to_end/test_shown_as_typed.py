"""What is shown is what was typed: names of classes, annotators and files, on every screen, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.end_to_end.named_project import project_of_names, screens_of, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

TYPED = (
    "a -> b", "c <- d", "<= 5", ">= 6", "e <-> f", "g -- h", "~= 7", "&amp;", "&lt;i&gt;", ":material/home:",
    ":material_search:", ":streamlit:", ":smile:", "**j**", "*k*", "_l_", "a_b_c", "~m~", "~~n~~", "$o$", "$$p$$",
    "http://q.example", "www.r.example", "s@t.example", "<b>u</b>", "<!-- v -->", "`w`", "[x](y)", "![z](aa)",
    ":red[bb]", ":small[cc]", ":red-badge[dd]", "# ee", "> ff", "- gg", "1. hh", "2) ii", "+ jj", "\\kk", "ll\\",
    "| mm | nn |", "[^oo]", "[ ] pp", "::qq", "{rr}", "a:b:c", "12:30:05", "🦊 fox", "שועל", "الثعلب -> b", "---",
    "===", "***", "%41", '"ss"', "'tt'",
)  # fmt: skip
# What Markdown and Streamlit make of them: elements that hold nothing but what stands between the signs.
MADE_OF_THEM = """() => {
    const inner = new Set('b d f h i j k l m n o p u w x z bb cc dd ee ff gg hh ii jj mm nn oo pp qq'.split(' '));
    const found = [...document.querySelectorAll('strong, em, del, code, sub, sup, h1, h2, h3, li, blockquote, .katex, '
        + 'main a[href], [class*="stMarkdownColored"], [class*="stMarkdownBadge"]')]
        .filter((one) => inner.has(one.innerText.trim()) || /example/.test(one.href ?? ''));
    const drawn = document.querySelectorAll('img[alt="Streamlit logo"], [aria-label="home icon"], '
        + '[aria-label="search icon"]');
    return [...found, ...drawn].map((one) => one.outerHTML);
}"""
TEXT = """() => {
    const texts = [];
    const look = (root) => {
        for (const one of root.querySelectorAll('*')) if (one.shadowRoot) look(one.shadowRoot);
        texts.push(root.body?.innerText ?? [...root.children].map((one) => one.innerText).join('\\n'));
        for (const field of root.querySelectorAll('input, textarea')) texts.push(field.value);
        for (const cell of root.querySelectorAll('canvas [role="gridcell"]')) texts.push(cell.textContent);
        for (const image of root.querySelectorAll('[alt]')) texts.push(image.getAttribute('alt'));
    };
    look(document);
    return texts.join('\\n');
}"""
FACES = re.compile("[→←↔—≥≤≈😄]")
OUR_OWN = re.compile("^[←→]$|older|newer|[↑↓]")  # the page's own words: keys and the buttons that turn pages


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    files = [name.replace("/", "_") for name in TYPED]
    project = project_of_names(tmp_path_factory.mktemp("typed"), TYPED, project_name=TYPED[0], files=files)
    with screens_of(project) as url:
        yield url


def shown_on(page: Page) -> str:
    """All text of a page, that inside components and tables too."""
    settle(page)
    assert page.evaluate(MADE_OF_THEM) == []
    text = str(page.evaluate(TEXT))
    assert [line for line in text.splitlines() if FACES.search(line) and not OUR_OWN.search(line)] == []
    return text


def open_page(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}?annotator={quote('eve')}")
    settle(page)


def missing(text: str, names: tuple[str, ...] = TYPED) -> list[str]:
    return [name for name in names if name not in text]


def test_the_dialog_that_asks_for_a_name(page, address):
    page.goto(address)
    page.get_by_text("Or one of this project").wait_for()
    shown_on(page)
    buttons = page.locator('[class*="st-key-entry_known_"] button').all_inner_texts()
    assert len(buttons) == 12
    assert set(buttons) < set(TYPED)


def test_the_name_of_whoever_labels(page, address):
    for name in ("&amp;", "a -> b", ":material/home:"):
        page.goto(f"{address}/help?annotator={quote(name)}")
        settle(page)
        assert page.locator(".st-key-annotator_name input").input_value() == name


def test_setup(page, address):
    open_page(page, address, "setup")
    page.get_by_text("Files that could not be used").click()
    assert "a -> b" in page.get_by_role("heading").all_inner_texts()
    shown_on(page)
    page.get_by_role("tab", name="Classes").click()
    shown_on(page)


def test_label_shows_every_class(page, address):
    open_page(page, address, "")
    page.locator(".labeler[data-shown]").first.wait_for()
    page.get_by_text("Why this one").first.click()
    page.keyboard.press("/")
    assert missing(shown_on(page), TYPED[:20]) == []  # those that have a button


def test_grid(page, address):
    open_page(page, address, "grid")
    page.get_by_text("Take out what is not").wait_for()
    shown_on(page)


def test_progress(page, address):
    open_page(page, address, "progress")
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    shown_on(page)


def test_uncertainty_says_what_each_sample_is_taken_for(page, address):
    open_page(page, address, "uncertainty")
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    assert missing(shown_on(page), TYPED[10:15]) == []  # the five classes that are predicted
    page.get_by_text("Map", exact=True).click()
    shown_on(page)


def test_review_shows_decisions_and_who_made_them(page, address):
    open_page(page, address, "review")
    assert missing(shown_on(page), TYPED[-5:]) == []  # the last of those who decided about a sample
    page.locator('[class*="st-key-review_choose_"] button').first.click()
    settle(page)
    page.get_by_text(re.compile(r"^History \(")).click()
    seen = shown_on(page)
    for tab in ("Answers", "Agreement", "Export"):
        page.get_by_role("tab", name=tab).click()
        seen += shown_on(page)
    page.get_by_role("tab", name="Decisions").click()
    page.get_by_text("Table", exact=True).click()
    shown_on(page)
    page.locator(".st-key-review_classes input").click()
    assert missing(shown_on(page) + seen, TYPED[:5]) == []


def test_help(page, address):
    open_page(page, address, "help")
    shown_on(page)
