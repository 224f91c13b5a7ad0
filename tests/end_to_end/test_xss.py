"""User text is never executed: names of classes, annotators, files and the project, on every screen, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from tests.end_to_end.named_project import project_of_names, screens_of, settle

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
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Every name in it is hostile: 50 classes, 50 annotators, 50 files good and 50 bad, and the project's own."""
    folder = tmp_path_factory.mktemp("hostile")
    project = project_of_names(folder, HOSTILE, project_name=HOSTILE[11])
    with screens_of(project) as url:
        yield url


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
