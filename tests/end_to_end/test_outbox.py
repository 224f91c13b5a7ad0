"""The outbox of the labeling screens in a bare page: what it keeps, sends, and lets go of."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from app.browser import text_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

OPEN = """() => {
  window.sent = [];
  const send = (all) => sent.push(all.map((one) => one.id));
  window.box = openOutbox({name: "project:anna", send, changed: () => {}});
}"""


@pytest.fixture
def box(page):
    """A page with an open outbox, whose clock stands still; `sent` lists the messages, each a list of ids."""
    script = text_of("shared/outbox.js")
    page.route("http://outbox.test/", lambda route: route.fulfill(body=f"<script>{script}</script>"))
    page.clock.install(time=datetime(2026, 1, 1, tzinfo=timezone.utc))
    page.goto("http://outbox.test/")
    page.clock.pause_at(datetime(2026, 1, 2, tzinfo=timezone.utc))
    page.evaluate(OPEN)
    return page


def add(page, *ids: str) -> None:
    page.evaluate("(ids) => box.add(...ids.map((id) => ({id})))", list(ids))


def answer(page, *confirmed: str, refused: str | None = None) -> None:
    taken = [{"id": refused, "sentence": "no"}] if refused else []
    page.evaluate("(answer) => box.answered(answer)", {"confirmed": list(confirmed), "refused": taken})


def sent(page) -> list[list[str]]:
    return page.evaluate("sent")


def kept(page) -> list[str]:
    return page.evaluate("box.all().map((one) => one.id)")


def test_a_decision_is_sent_at_once_and_leaves_when_the_server_names_it(box):
    add(box, "a")
    assert sent(box) == [["a"]]
    assert kept(box) == ["a"]
    answer(box, "a")
    assert kept(box) == []
    assert box.evaluate("localStorage.length") == 0
    assert sent(box) == [["a"]]


def test_what_was_decided_while_a_message_is_under_way_goes_with_the_next_one(box):
    add(box, "a")
    add(box, "b", "c")
    assert sent(box) == [["a"]]
    answer(box, "a")
    assert sent(box) == [["a"], ["b", "c"]]


def test_without_an_answer_everything_is_sent_again_ever_more_rarely(box):
    add(box, "a")
    box.clock.run_for(1_000)
    assert sent(box) == [["a"]] * 2
    box.clock.run_for(1_999)
    assert sent(box) == [["a"]] * 2
    box.clock.run_for(1)
    assert sent(box) == [["a"]] * 3
    box.clock.run_for(4_000 + 8_000 + 15_000 + 15_000)
    assert sent(box) == [["a"]] * 7


def test_an_answer_to_an_older_message_sends_nothing_again(box):
    add(box, "a")
    answer(box, "older")
    assert sent(box) == [["a"]]
    assert kept(box) == ["a"]


def test_a_refused_decision_is_not_sent_for_ever(box):
    add(box, "a", "b")
    answer(box, refused="a")
    assert kept(box) == ["b"]


def test_a_reload_finds_the_unsaved_decisions_in_their_order(box):
    add(box, "b", "a")
    add(box, "c")
    box.reload()
    box.evaluate(OPEN)
    assert kept(box) == ["b", "a", "c"]
    box.evaluate("box.attempt()")
    assert sent(box) == [["b", "a", "c"]]


def test_a_clock_that_goes_back_keeps_the_order(box):
    add(box, "first")
    box.evaluate("() => { Date.now = () => 0; }")
    add(box, "second")
    assert kept(box) == ["first", "second"]


def test_two_tabs_do_not_lose_each_others_decisions(box):
    box.evaluate("window.tab = openOutbox({name: 'project:anna', send: () => {}, changed: () => {}})")
    add(box, "here")
    box.evaluate("tab.add({id: 'there'})")
    answer(box, "here")
    box.reload()
    box.evaluate(OPEN)
    assert kept(box) == ["there"]


def test_another_annotators_box_is_not_touched(box):
    box.evaluate("localStorage.setItem('labelloop:project:bert:1:x', '{\"id\": \"x\"}')")
    box.reload()
    box.evaluate(OPEN)
    assert kept(box) == []


def test_a_browser_that_refuses_storage_still_sends(box):
    box.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    add(box, "a")
    assert sent(box) == [["a"]]
    assert box.evaluate("box.isStored()") is False
