from __future__ import annotations

import pytest

from storage.errors import InvalidClassError
from storage.names import one_name, written
from storage.projects import add_classes, get_or_create_annotator, list_annotators

SAME = [
    ("Cat", "cat"),
    ("caf\u00e9", "cafe\u0301"),
    ("ca\u200bt", "cat"),
    ("\ufeffcat", "cat"),
    ("big  cat", "big cat"),
    ("cat\u3164", "cat"),  # a letter of Hangul that is drawn as nothing
    ("c\u2066at\u2069", "cat"),
    ("cat\ufe0f", "cat"),
    ("c\u0430t", "cat"),  # in Cyrillic
    ("\u043d\u043e\u0441", "\u041d\u041e\u0421"),  # Russian for nose, small and in capitals
]
OTHER = [
    ("\u043a\u043e\u0442", "\u043a\u0438\u0442"),
    ("a", "A"),
    ("cat", "cat 2"),
    ("1", "2"),
    ("\u0915\u093f", "\u0915\u0940"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_what_nobody_can_tell_apart_is_one_name(world, first, second):
    assert one_name(first) == one_name(second)
    world.tell(add_classes, names=[f"{first} x"])
    with pytest.raises(InvalidClassError, match="already there"):
        world.tell(add_classes, names=[f"{second} x"])


@pytest.mark.parametrize(("first", "second"), OTHER)
def test_other_names_stay_two(first, second):
    assert one_name(first) != one_name(second)


def test_an_emoji_of_several_keeps_what_joins_it():
    family = "\U0001f469\u200d\U0001f467"
    assert written(f" {family}") == family


def test_a_person_is_one_in_capitals_or_not(world):
    first, second = (world.tell(get_or_create_annotator, name=name) for name in ("Grace", "grace"))
    assert first == second
    assert world.ask(list_annotators).count("Grace") == 1
