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


@pytest.mark.timeout(900)
def test_each_key_stands_or_was_answered_aloud(many, monkeypatch):
    filled, tabs = many
    chance, injected = random.Random(0), Counter()
    pressed: dict[str, dict[str, object]] = {}
    told: dict[str, str] = {}
    confirmed: set[str] = set()

    def hear(tab):
        monkeypatch.setattr(decisions, "annotator_id", lambda: tab.person)
        if tab.outbox and chance.random() < 0.1:
            injected["again"] += 1
            decisions.apply(tab.outbox, page=tab.page)  # its answer is lost
        applied = decisions.apply(tab.outbox, page=tab.page)
        assert applied.trouble is None
        told.update(dict(applied.refused) | dict(applied.notices))
        confirmed.update(applied.confirmed)
        tab.outbox.clear()

    def shown(tab):
        with filled.database.write() as session:
            if chance.random() < 0.1:
                injected["lost lease"] += 1
                session.execute(text("DELETE FROM claims WHERE page = :page"), {"page": chance.choice(tabs).page})
            rest = read_remainder(session, project_id=filled.project_id, audit_share=0.0, count=20)
            whose = {"project_id": filled.project_id, "annotator_id": tab.person, "page": tab.page}
            return [claimed.sample.id for claimed in claim_batch(session, **whose, count=3, rest=rest)]

    def press(tab):
        if not tab.ahead:
            tab.ahead = [number for number in shown(tab) if number not in {made["sample_id"] for made in tab.outbox}]
        if not tab.ahead:
            return
        key = {"id": f"{chance.getrandbits(128):032x}", "kind": "label", "class_index": chance.randrange(3)}
        tab.last = key | {"sample_id": tab.ahead.pop(0)}
        pressed[key["id"]] = tab.last
        injected["key"] += 1
        tab.outbox.append(tab.last)

    def meddle(tab):
        """An undo, or the same request id with another answer."""
        if tab.last is None:
            return
        if chance.random() < 0.5:
            undo = {"kind": "undo", "sample_id": tab.last["sample_id"], "undoes": tab.last["id"]}
            tab.outbox.append(undo | {"id": f"{chance.getrandbits(128):032x}"})
            injected["undo"] += 1
        elif again := chance.choice(sorted(confirmed & pressed.keys()) or [None]):
            monkeypatch.setattr(decisions, "annotator_id", lambda: tab.person)
            other = (pressed[again]["class_index"] + 1) % 3
            assert [name for name, _ in decisions.apply([pressed[again] | {"class_index": other}]).refused] == [again]
            injected["other content"] += 1
        tab.last = None

    while injected["key"] < KEYS:
        tab = chance.choice(tabs)
        press(tab)
        if chance.random() < 0.1:
            meddle(tab)
        if tab.offline == 0 and chance.random() < 0.1:
            tab.offline, injected["late"] = 15, injected["late"] + 1
        tab.offline = max(0, tab.offline - 1)
        if tab.offline == 0 and (len(tab.outbox) > 2 or not tab.ahead):
            hear(tab)
    for tab in tabs:
        hear(tab)

    with filled.database.read() as session:
        events = list_events(session, project_id=filled.project_id)
        standing = {row.event_id for row in current_labels(session, project_id=filled.project_id)}
    stored = {event.request_id: event for event in events}
    undone = {event.supersedes for event in events if event.action == "undo"}
    injected["aside"] = sum(event.aside for event in events)
    silent = 0
    for name, key in pressed.items():
        event = stored[name]
        assert (event.sample_id, event.class_index) == (key["sample_id"], key["class_index"])
        later = [other for other in events if other.sample_id == event.sample_id and other.id > event.id]
        own = any(other.annotator == event.annotator and other.action == "label" for other in later)
        silent += not (event.id in standing or event.id in undone or own or name in told)
    assert silent == 0
    assert {what: injected[what] for what, least in LEAST.items() if injected[what] < least} == {}
