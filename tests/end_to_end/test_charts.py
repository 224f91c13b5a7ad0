"""A figure opens its samples, whatever is shown can be saved and labeled, and images and tabs say what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.named_project import project_of_names, screens_of, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

INSECTS = ("ladybird", "honey bee", "wasp", "hover fly", "beetle", "moth", "ant", "spider", "dragonfly", "aphid")
SCREENS = ("setup", "", "grid", "progress", "uncertainty", "review", "help")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    project = project_of_names(tmp_path_factory.mktemp("insects"), INSECTS, project_name="Insects of the meadow")
    with screens_of(project) as url:
        yield url


def open_page(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}?annotator=eve")
    settle(page)


def test_every_page_and_its_tab_name_the_project(page, address):
    open_page(page, address, SCREENS[0])
    for name in SCREENS:
        title = (name or "label").capitalize()
        page.get_by_role("link", name=title, exact=True).click()
        settle(page)
        assert page.title() == f"{title}, Insects of the meadow"
        assert page.locator(".project-name").is_visible()


def test_a_cell_of_the_confusion_matrix_opens_its_samples(page, address):
    open_page(page, address, "progress")
    page.locator('.st-key-confusion_chart text[aria-label*="wasp"][aria-label*="hover fly"]').click()
    page.get_by_text("Audit, round 2: label wasp, answer hover fly").wait_for(timeout=20_000)
    page.locator('[class*="st-key-cell_choose_"] button').wait_for()  # one: several are an error


def test_a_bar_opens_its_samples(page, address):
    open_page(page, address, "progress")
    page.locator('.st-key-class_balance [aria-label*="moth"]').first.click()
    page.get_by_text("Label moth, trained on").wait_for()
    page.locator('[class*="st-key-bar_choose_"] button').wait_for()  # one: several are an error


@pytest.mark.parametrize("name", ["progress", "uncertainty"])
def test_every_chart_can_be_saved_as_a_table_and_as_a_picture(page, address, name):
    open_page(page, address, name)
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    charts = page.get_by_test_id("stVegaLiteChart").count()
    assert charts >= 5
    assert page.get_by_role("button", name=re.compile("^Show data")).count() == charts
    assert page.get_by_role("button", name=re.compile("^Download as PNG")).count() == charts


@pytest.mark.parametrize("name", ["uncertainty", "review"])
def test_every_image_says_which_it_is(page, address, name):
    open_page(page, address, name)
    page.get_by_role("img", name=re.compile(r"^Sample \d+, ")).first.wait_for()
    texts = page.locator("main img").evaluate_all("images => images.map(image => image.alt)")
    assert texts
    assert [text for text in texts if not re.match(r"Sample \d+, .*x\.png", text)] == []


@pytest.mark.parametrize("name", ["uncertainty", "review"])
def test_the_card_stays_beside_the_gallery(page, address, name):
    page.set_viewport_size({"width": 1280, "height": 420})
    open_page(page, address, name)
    page.locator('[class*="_choose_"] button').first.click()
    settle(page)
    heading = page.get_by_role("heading", name=re.compile(r"^Sample \d+$"))
    page.locator('[class*="_choose_"] button').last.scroll_into_view_if_needed()
    page.mouse.move(500, 200)
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(500)
    box = heading.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 420


def contrast(page: Page, selector: str) -> float:
    """The contrast of an element's words with the page, as WCAG counts it."""
    return float(
        page.locator(selector).evaluate("""(element) => {
            const light = (color) => {
                const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
                    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
            };
            const page = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
            const [a, b] = [light(getComputedStyle(element).fill), light(page)].sort((x, y) => y - x);
            return a / b;
        }""")
    )


@pytest.mark.parametrize(("before", "after"), [("light", "dark"), ("dark", "light")])
def test_a_page_whose_theme_changes_while_it_is_open_stays_readable(page, address, before, after):
    page.emulate_media(color_scheme=before)
    open_page(page, address, "progress")
    axis = ".st-key-confusion_chart .role-axis-title text >> nth=0"
    was = page.locator(".stApp").evaluate("element => getComputedStyle(element).backgroundColor")
    page.emulate_media(color_scheme=after)
    settle(page)
    assert page.locator(".stApp").evaluate("element => getComputedStyle(element).backgroundColor") != was
    assert contrast(page, axis) > 4.5

    page.emulate_media(color_scheme=before)
    open_page(page, address, "review")
    page.locator('[class*="st-key-review_choose_"] button').first.click()
    chosen = page.locator('[data-testid="stBaseButton-primary"]:not(:disabled)').first
    chosen.wait_for()
    page.mouse.move(1, 1)
    page.emulate_media(color_scheme=after)
    settle(page)
    dark_letters, light_letters = "rgb(17, 24, 27)", "rgb(255, 255, 255)"
    assert chosen.evaluate("e => getComputedStyle(e).color") == (dark_letters if after == "dark" else light_letters)
