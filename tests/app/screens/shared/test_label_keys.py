from __future__ import annotations

from app.screens.shared.label_keys import DIGITS, class_keys, told_classes
from storage.projects import ClassInfo


def test_the_first_twenty_classes_have_keys_and_later_ones_are_searched():
    keys = class_keys([f"class {number}" for number in range(25)])
    assert keys == [*DIGITS, *(f"shift+{digit}" for digit in DIGITS), *[None] * 5]


def test_a_class_named_by_a_digit_has_that_digit():
    assert class_keys([str(digit) for digit in range(10)]) == [str(digit) for digit in range(10)]


def test_a_class_named_by_a_digit_has_it_whoever_stands_before():
    assert class_keys(["none", "1", "2", "3"]) == ["4", "1", "2", "3"]
    assert class_keys([*(f"class {number}" for number in range(20)), "7"])[-1] == "7"


def test_a_key_changes_only_where_a_new_class_is_named_by_it():
    names = ["cat", "1", "7", "dog", "x", "y", "z", "2", "emu", "fox", "0", "gnu"]
    keys = class_keys(names)
    assert len(set(keys)) == len(names)
    before = class_keys([name for name in names if name not in ("0", "gnu")])
    changed = [
        name for name, key in zip(names, before, strict=False) if key != dict(zip(names, keys, strict=True))[name]
    ]
    assert changed == ["fox"]  # the tenth class had the 0


def test_no_key_is_one_of_streamlits_own():
    assert not {"c", "r"} & set(class_keys(["c", "r", *"abdefg"]))


def test_a_retired_class_is_told_without_a_key_and_the_others_keep_theirs():
    told = told_classes([ClassInfo(0, "cat"), ClassInfo(1, "dog", retired=True), ClassInfo(2, "emu")])
    assert [(one["name"], one["key"], one["retired"]) for one in told] == [
        ("cat", "1", False),
        ("dog", None, True),
        ("emu", "3", False),
    ]


def test_keys_go_by_the_order_in_which_somebody_has_put_the_classes():
    told = told_classes(
        [ClassInfo(0, "cat", position=2), ClassInfo(1, "dog", position=0), ClassInfo(2, "emu", position=1)]
    )
    assert [(one["name"], one["key"], one["position"]) for one in told] == [
        ("cat", "3", 2),
        ("dog", "1", 0),
        ("emu", "2", 1),
    ]
