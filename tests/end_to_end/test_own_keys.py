"""Which key a class has for a person: the server's, or one of their own."""

from __future__ import annotations

import pytest

from app.browser import text_of
from app.screens.shared.label_keys import class_keys

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

ANIMALS = ("ant", "bee", "cat", "3")
MANY = tuple(f"class {number}" for number in range(22))


@pytest.fixture(scope="module")
def page(browser):
    opened = browser.new_page()
    opened.add_script_tag(content=text_of("shared/page.js", "shared/keys.js", "shared/own_keys.js"))
    yield opened
    opened.close()


def classes(names):
    return [{"name": name, "key": key, "retired": False} for name, key in zip(names, class_keys(names), strict=True)]


@pytest.fixture
def keys(page):
    """The keys of the classes with some of them given by a person."""
    script = "([classes, own]) => withOwnKeys(classes, own).map(({ key }) => key)"
    return lambda names, own: page.evaluate(script, [classes(names), own])


@pytest.fixture
def why_not(page):
    return lambda key, names: page.evaluate("([key, classes]) => whyNotKey(key, classes)", [key, classes(names)])


def test_a_letter_is_the_classes_and_its_digit_is_free(keys):
    assert keys(ANIMALS, {"1": "b"}) == ["1", "b", "4", "3"]


def test_who_takes_another_classes_digit_leaves_that_one_a_free_key(keys):
    assert keys(ANIMALS, {"0": "2"}) == ["2", "1", "4", "3"]


def test_a_class_named_by_a_digit_has_it_whatever_was_chosen(keys):
    assert keys(ANIMALS, {"0": "3"}) == ["1", "2", "4", "3"]


def test_where_classes_are_searched_a_digit_may_be_given_to_a_searched_one_and_a_letter_to_none(keys):
    assert keys(MANY, {"21": "5"}) == [*class_keys(MANY)[:4], None, *class_keys(MANY)[5:20], None, "5"]
    assert keys(MANY, {"21": "b"}) == class_keys(MANY)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("f", "F is a command (flag)."),
        ("g", "G is a command (guide)."),
        ("n", "N is a command (leave)."),
        ("x", "X is a command (toggle)."),
        ("c", "C belongs to the page."),
        ("F5", "A class has a digit or a letter"),
        ("3", "3 is the key of the class with that name."),
    ],
)
def test_a_key_that_means_something_else_is_refused_with_a_sentence(why_not, key, said):
    assert said in why_not(key, ANIMALS)


def test_a_free_key_is_not_refused(why_not):
    assert [why_not(key, ANIMALS) for key in ("b", "1", "shift+9", "å")] == [None] * 4
    assert "Take a digit" in why_not("b", MANY)


@pytest.mark.parametrize(("key", "code"), [("b", "KeyB"), ("B", "KeyB"), ("и", "KeyB")])
def test_an_own_letter_is_read_on_every_keyboard(page, key, code):
    script = (
        """([key, code]) => meaningOf({ key, code, getModifierState: () => false }, "label", false, new Set(["b"]))"""
    )
    assert page.evaluate(script, [key, code]) == "class:b"
