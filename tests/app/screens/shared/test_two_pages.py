"""P20: two thousand keys on three pages of one name and two of another; each stands, or was answered aloud."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from app.screens.shared import decisions
from storage.labels import current_labels, list_events
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch
from storage.remainder import read_remainder
from storage.samples import NewSample, add_samples

KEYS = 2000
SAMPLES = 2400
LEAST = {"key": KEYS, "late": 100, "undo": 50, "again": 50, "other content": 50, "lost lease": 100, "aside": 10}


@dataclass
class Tab:
    """One page: what it has on screen, what it decided and what the server has not confirmed yet."""

    person: int
    page: str
    ahead: list[int] = field(default_factory=list)
    outbox: list[dict[str, object]] = field(default_factory=list)
    offline: int = 0  # steps until it is heard again
    last: dict[str, object] | None = None


@pytest.fixture
def many(filled):
    samples = [NewSample(f"/images/{n}.png", f"{n:064x}", 8, 8, "pool") for n in range(SAMPLES)]
    with filled.database.write() as session:
        add_samples(session, project_id=filled.project_id, samples=samples)
        bob = get_or_create_annotator(session, project_id=filled.project_id, name="bob")
    return filled, [Tab(filled.annotator_id, page) for page in "abc"] + [Tab(bob, page) for page in "de"]


class Crowd:
    """People at five pages, and what is told to them."""

    def __init__(self, filled, tabs, monkeypatch):
        self.filled, self.tabs, self.monkeypatch = filled, tabs, monkeypatch
        self.chance, self.injected = random.Random(0), Counter()
        self.pressed: dict[str, dict[str, object]] = {}
        self.told: dict[str, str] = {}
        self.confirmed: set[str] = set()

    def new_id(self):
        return f"{self.chance.getrandbits(128):032x}"

    def apply(self, tab, made):
        self.monkeypatch.setattr(decisions, "annotator_id", lambda: tab.person)
        return decisions.apply(made, page=tab.page)

    def hear(self, tab):
        if tab.outbox and self.chance.random() < 0.1:
            self.injected["again"] += 1
            self.apply(tab, tab.outbox)  # its answer is lost
        applied = self.apply(tab, tab.outbox)
        assert applied.trouble is None
        self.told.update(dict(applied.refused) | dict(applied.notices))
        self.confirmed.update(applied.confirmed)
        tab.outbox.clear()

    def shown(self, tab):
        project_id = self.filled.project_id
        with self.filled.database.write() as session:
            if self.chance.random() < 0.1:
                self.injected["lost lease"] += 1
                lost = {"page": self.chance.choice(self.tabs).page}
                session.execute(text("DELETE FROM claims WHERE page = :page"), lost)
            rest = read_remainder(session, project_id=project_id, audit_share=0.0, count=20)
            whose = {"project_id": project_id, "annotator_id": tab.person, "page": tab.page}
            return [claimed.sample.id for claimed in claim_batch(session, **whose, count=3, rest=rest)]

    def press(self, tab):
        if not tab.ahead:
            made = {decision["sample_id"] for decision in tab.outbox}
            tab.ahead = [number for number in self.shown(tab) if number not in made]
        if not tab.ahead:
            return
        key = {"id": self.new_id(), "kind": "label", "class_index": self.chance.randrange(3)}
        tab.last = key | {"sample_id": tab.ahead.pop(0)}
        self.pressed[key["id"]] = tab.last
        self.injected["key"] += 1
        tab.outbox.append(tab.last)

    def undo(self, tab):
        if tab.last is not None:
            undone = {"kind": "undo", "sample_id": tab.last["sample_id"], "undoes": tab.last["id"]}
            tab.outbox.append(undone | {"id": self.new_id()})
            self.injected["undo"] += 1
        tab.last = None

    def send_other_content(self, tab):
        """The same request id with another answer."""
        known = sorted(self.confirmed & self.pressed.keys())
        if known:
            again = self.chance.choice(known)
            other = self.pressed[again] | {"class_index": (self.pressed[again]["class_index"] + 1) % 3}
            assert [name for name, _ in self.apply(tab, [other]).refused] == [again]
            self.injected["other content"] += 1

    def go_on(self, tab):
        self.press(tab)
        if self.chance.random() < 0.1:
            self.chance.choice([self.undo, self.send_other_content])(tab)
        if tab.offline == 0 and self.chance.random() < 0.1:
            tab.offline, self.injected["late"] = 15, self.injected["late"] + 1
        tab.offline = max(0, tab.offline - 1)
        if tab.offline == 0 and (len(tab.outbox) > 2 or not tab.ahead):
            self.hear(tab)


def silently_replaced(crowd, events, standing):
    """The keys that neither stand, nor were undone or followed by the same person's own, nor answered aloud."""
    undone = {event.supersedes for event in events if event.action == "undo"}
    last_own = {(event.sample_id, event.annotator): event.id for event in events if event.action == "label"}
    for event in (event for event in events if event.request_id in crowd.pressed):
        is_last = last_own[event.sample_id, event.annotator] == event.id
        if is_last and event.id not in standing | undone and event.request_id not in crowd.told:
            yield event


@pytest.mark.timeout(900)
def test_each_key_stands_or_was_answered_aloud(many, monkeypatch):
    filled, tabs = many
    crowd = Crowd(filled, tabs, monkeypatch)
    while crowd.injected["key"] < KEYS:
        crowd.go_on(crowd.chance.choice(tabs))
    for tab in tabs:
        crowd.hear(tab)
    with filled.database.read() as session:
        events = list_events(session, project_id=filled.project_id)
        standing = {row.event_id for row in current_labels(session, project_id=filled.project_id)}
    stored = {event.request_id: (event.sample_id, event.class_index) for event in events}
    assert all(stored[name] == (key["sample_id"], key["class_index"]) for name, key in crowd.pressed.items())
    assert list(silently_replaced(crowd, events, standing)) == []
    crowd.injected["aside"] = sum(event.aside for event in events)
    assert {what: crowd.injected[what] for what, least in LEAST.items() if crowd.injected[what] < least} == {}
