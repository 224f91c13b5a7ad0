"""The one table from key event to action, over keyboards of the world."""

# ruff: noqa: RUF001 - letters of other scripts are what is tested

from __future__ import annotations

import pytest

from app.browser import text_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MEANING = """([key, more, page, hasSearch]) => meaningOf({ key, code: "", shiftKey: false, ctrlKey: false,
    metaKey: false, altKey: false, isComposing: false, getModifierState: (name) => name === more.state, ...more,
}, page, hasSearch)"""
CTRL, SHIFT = {"ctrlKey": True}, {"shiftKey": True}

# layout, what the browser says of the key, more of it, what it means on the Label page
LABEL = [
    ("QWERTY", "1", "Digit1", {}, "class:1"),
    ("QWERTY", "!", "Digit1", SHIFT, "class:shift+1"),
    ("AZERTY", "&", "Digit1", {}, "class:1"),
    ("AZERTY, Caps Lock", "1", "Digit1", {}, "class:1"),
    ("AZERTY", "à", "Digit0", {}, "class:0"),
    ("on the screen", "1", "", {}, "class:1"),
    ("NumLock on", "4", "Numpad4", {}, "class:4"),
    ("NumLock off", "ArrowLeft", "Numpad4", {}, "older"),
    ("NumLock off", "End", "Numpad1", {}, None),
    ("number pad", "Enter", "NumpadEnter", {}, "accept"),
    ("any", "Enter", "Enter", {}, "accept"),
    ("any", " ", "Space", {}, "skip"),
    ("any", "Backspace", "Backspace", {}, "undo"),
    ("any", "ArrowRight", "ArrowRight", {}, "newer"),
    ("QWERTY", "f", "KeyF", {}, "flag"),
    ("Caps Lock", "F", "KeyF", {}, "flag"),
    ("Dvorak", "f", "KeyY", {}, "flag"),
    ("Dvorak", "u", "KeyF", {}, None),
    ("Cyrillic", "а", "KeyF", {}, "flag"),
    ("Greek", "φ", "KeyF", {}, "flag"),
    ("Hebrew", "כ", "KeyF", {}, "flag"),
    ("Cyrillic", "р", "KeyH", {}, "help"),
    ("QWERTY", "z", "KeyZ", CTRL, "undo"),
    ("Mac", "z", "KeyZ", {"metaKey": True}, "undo"),
    ("QWERTZ", "z", "KeyY", CTRL, "undo"),
    ("QWERTZ", "y", "KeyZ", CTRL, None),
    ("AZERTY", "z", "KeyW", CTRL, "undo"),
    ("Dvorak", "z", "Slash", CTRL, "undo"),
    ("Cyrillic", "я", "KeyZ", CTRL, "undo"),
    ("Greek", "ζ", "KeyZ", CTRL, "undo"),
    ("Hebrew", "ז", "KeyZ", CTRL, "undo"),
    ("Caps Lock", "Z", "KeyZ", CTRL, "undo"),
    ("redo is none of ours", "Z", "KeyZ", {**CTRL, **SHIFT}, None),
    ("AltGr on Windows", "z", "KeyZ", {**CTRL, "altKey": True}, None),
    ("AltGr on Linux, Polish", "ł", "KeyL", {"state": "AltGraph"}, None),
    ("AltGr on Linux, German", "²", "Digit2", {"state": "AltGraph"}, None),
    ("Alt", "1", "Digit1", {"altKey": True}, None),
    ("Nordic", "å", "BracketLeft", {}, None),
    ("a dead key", "Dead", "Equal", {}, None),
    ("composing", "f", "KeyF", {"isComposing": True}, None),
    ("composing", "Process", "KeyF", {}, None),
    ("Streamlit's own", "c", "KeyC", {}, "swallow"),
    ("Streamlit's own, Caps Lock", "R", "KeyR", {}, "swallow"),
    ("copying is the browser's", "c", "KeyC", CTRL, None),
    ("any", ".", "Period", {}, "flag"),
    ("QWERTY", "?", "Slash", SHIFT, "help"),
]

SEARCH = [
    ("f", "KeyF"),
    ("c", "KeyC"),
    ("r", "KeyR"),
    ("h", "KeyH"),
    ("F", "KeyF"),
    ("а", "KeyF"),
    ("å", "BracketLeft"),
]

GRID = [
    ("4", "Numpad4", {}, "class:4"),
    ("ArrowLeft", "Numpad4", {}, "left"),
    ("x", "KeyX", {}, "toggle"),
    ("ч", "KeyX", {}, "toggle"),
    ("n", "KeyL", {}, "others"),
    ("я", "KeyZ", CTRL, "undo"),
    ("Enter", "Enter", {}, "confirm"),
    ("c", "KeyC", {}, "swallow"),
]


@pytest.fixture(scope="module")
def table(browser):
    page = browser.new_page()
    page.add_script_tag(content=text_of("shared/keys.js"))
    yield lambda key, more, page_name, has_search=False: page.evaluate(MEANING, [key, more, page_name, has_search])
    page.close()


@pytest.mark.parametrize(("layout", "key", "code", "more", "meaning"), LABEL)
def test_a_key_does_what_the_screen_says_on_every_keyboard(table, layout, key, code, more, meaning):
    assert table(key, {"code": code, **more}, "label") == meaning


@pytest.mark.parametrize(("key", "code"), SEARCH)
def test_where_classes_are_searched_every_letter_is_the_names(table, key, code):
    assert table(key, {"code": code}, "label", True) == f"search:{key}"


def test_a_letter_by_altgr_begins_a_name(table):
    assert table("ł", {"code": "KeyL", "state": "AltGraph"}, "label", True) == "search:ł"


@pytest.mark.parametrize(("key", "code", "more", "meaning"), GRID)
def test_the_grid_reads_the_same_table(table, key, code, more, meaning):
    assert table(key, {"code": code, **more}, "grid") == meaning
