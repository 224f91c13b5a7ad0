from __future__ import annotations

import pytest

from app.screens.grid_page.message import read_grid_message

SENT = {
    "seq": 7,
    "name": "project-1",
    "decisions": [{"id": "a"}],
    "size": 24,
    "class_index": 3,
    "want": 2,
    "held": [1, 2],
    "passed": [3],
}


def test_a_message_is_read_as_it_was_sent():
    message = read_grid_message(SENT)
    assert message is not None
    assert (message.seq, message.name, message.size, message.class_index, message.want) == (7, "project-1", 24, 3, 2)
    assert (message.decisions, message.held, message.passed) == (({"id": "a"},), (1, 2), (3,))


@pytest.mark.parametrize("sent", [None, "text", {}, {"seq": "seven"}, {"seq": True}, []])
def test_what_is_no_message_is_none(sent):
    assert read_grid_message(sent) is None


def test_values_no_page_sends_fall_back_to_harmless_ones():
    message = read_grid_message({"seq": 1, "size": 5000, "class_index": -1, "want": 99, "held": "1,2", "decisions": 3})
    assert message is not None
    assert (message.size, message.class_index, message.want, message.held, message.decisions) == (12, None, 2, (), ())
    mixed = read_grid_message(
        {**SENT, "held": [1, "2", None, 3.5, True], "passed": list(range(6000)), "decisions": [1, {}]}
    )
    assert mixed is not None
    assert mixed.held == (1,)
    assert (len(mixed.passed), mixed.passed[-1]) == (5000, 5999)  # the latest
    assert mixed.decisions == ({},)
