from __future__ import annotations

import pytest

from app.errors import ProjectError
from app.project.class_names import check_classes, check_name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" dog, wet ", "dog, wet"),
        ("big  cat", "big  cat"),
        ("a\u202ecb", "acb"),  # drawn as abc
        ("\u200fcat", "cat"),
        ("cat\u3164", "cat"),
        ("cafe\u0301", "cafe\u0301"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),  # Persian
    ],
)
def test_a_name_is_stored_without_the_signs_that_nobody_sees(typed, stored):
    assert check_name(typed) == stored
    assert check_classes([typed, "other"]) == [stored, "other"]


@pytest.mark.parametrize("typed", ["", "  ", "\u200b", "\u202e", "\u3164"])
def test_a_name_of_which_nothing_is_seen_is_blank(typed):
    with pytest.raises(ProjectError, match="A class name is blank"):
        check_name(typed)
    with pytest.raises(ProjectError, match="A class name is blank"):
        check_classes([typed, "other"])


@pytest.mark.parametrize("typed", ["two\nlines", "a\tb", "a\0b", "two\u2028lines"])
def test_a_name_of_several_lines_or_with_controls_is_refused(typed):
    with pytest.raises(ProjectError, match="A class name is one line of text"):
        check_name(typed)


def test_two_names_that_are_drawn_alike_are_one_given_twice():
    with pytest.raises(ProjectError, match="is given twice"):
        check_classes(["cat", "c\u0430t"])
