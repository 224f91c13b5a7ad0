import pytest

from app.screens.group_page.message import Begin, read_group_message

KEY = "a" * 32


def test_what_a_page_says_is_read():
    sent = {"seq": 3, "name": "n", "held": [1, 2], "begin": {"key": KEY, "offer": "class:7", "class_index": 7}}
    message = read_group_message(sent)
    assert (message.seq, message.held, message.begin) == (3, frozenset({1, 2}), Begin(KEY, "class:7", 7))


@pytest.mark.parametrize("sent", [None, [], {}, {"seq": "1"}, {"seq": True}])
def test_what_is_no_message_is_none(sent):
    assert read_group_message(sent) is None


@pytest.mark.parametrize(
    "begin",
    [
        None,
        "class:7",
        {"key": "x", "offer": "found", "class_index": 1},
        {"key": KEY, "offer": 1, "class_index": 1},
        {"key": KEY, "offer": "found", "class_index": -2},
        {"key": KEY, "offer": "found", "class_index": None},
    ],
)
def test_a_choice_that_is_none_begins_nothing(begin):
    assert read_group_message({"seq": 1, "begin": begin}).begin is None


def test_of_what_is_held_only_numbers_count():
    assert read_group_message({"seq": 1, "held": [1, "2", None, 2**64]}).held == {1}
