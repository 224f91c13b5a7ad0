from __future__ import annotations

import pytest

from app.screens.shared import decisions
from app.screens.shared.decisions import GRID, Applied, apply, outbox_name
from storage.errors import DiskFullError
from storage.labels import current_labels, list_events
from storage.queue import claim_batch
from storage.rounds import NewQuery


@pytest.fixture
def asked(filled, monkeypatch):
    """Samples 1 to 6 are asked in this order, by a page of anna."""
    filled.publish(labels=0, queries=[NewQuery(n, n - 1, "train", 1.0, None) for n in range(1, 7)])
    monkeypatch.setattr("app.screens.shared.decisions.annotator_id", lambda: filled.annotator_id)
    return filled


def label(number, sample_id, class_index, **more):
    return {"id": f"{number:032x}", "kind": "label", "sample_id": sample_id, "class_index": class_index, **more}


def undo(number, sample_id, undone):
    return {"id": f"{number:032x}", "kind": "undo", "sample_id": sample_id, "undoes": f"{undone:032x}"}


def events(filled):
    with filled.database.read() as session:
        return list_events(session, project_id=filled.project_id)


def standing(filled):
    with filled.database.read() as session:
        return {now.sample_id: now.class_index for now in current_labels(session, project_id=filled.project_id)}


def test_decisions_are_stored_in_order_and_confirmed_by_id(asked):
    applied = apply([label(1, 1, 2, lead_time_s=1.5, suggestion_shown=True, why_shown=True), label(2, 2, 0)])
    assert applied == Applied((f"{1:032x}", f"{2:032x}"), ())
    first, second = events(asked)
    assert (first.sample_id, first.class_index, first.request_id) == (1, 2, f"{1:032x}")
    assert (first.lead_time_s, first.suggestion_shown, first.why_shown, first.shown_together) == (1.5, True, True, 1)
    assert (second.sample_id, second.class_index) == (2, 0)


def test_who_accepts_a_suggestion_that_was_wrong_on_purpose_is_told_so(filled, monkeypatch):
    filled.publish(labels=0, queries=[NewQuery(n, n - 1, "train", 1.0, None, 0, 0.99) for n in (1, 2)])
    monkeypatch.setattr("app.screens.shared.decisions.annotator_id", lambda: filled.annotator_id)
    with filled.database.write() as session:
        claim_batch(session, project_id=filled.project_id, annotator_id=filled.annotator_id, count=2)
    shown = {"suggestion_shown": True, "suggested": 2}
    applied = apply([label(1, 1, 2, **shown), label(2, 2, 0, **shown)])
    ((name, sentence),) = applied.notices
    assert name == f"{1:032x}"
    assert "wrong on purpose" in sentence
    assert [event.seeded_suggestion for event in events(filled)] == [2, 2]


def test_a_repeated_a_late_and_a_reordered_message_change_nothing(asked):
    message = [label(1, 1, 2), label(2, 1, 0), undo(3, 1, 2)]
    apply(message)
    before = events(asked)
    for again in (message, message[:1], list(reversed(message))):
        assert set(apply(again).confirmed) == {decision["id"] for decision in again}
    assert events(asked) == before
    assert standing(asked) == {1: 2}


def test_an_undo_of_what_the_same_message_brought_first_is_stored_after_it(asked):
    apply([label(1, 1, 2), undo(2, 1, 1), label(3, 1, 0)])
    assert [event.action for event in events(asked)] == ["label", "undo", "label"]
    assert standing(asked) == {1: 0}


def test_skips_and_flags_have_no_class(asked):
    apply(
        [
            {"id": "a" * 32, "kind": "flag", "sample_id": 1, "class_index": None},
            {"id": "b" * 32, "kind": "skip", "sample_id": 1, "class_index": None},
        ]
    )
    assert [event.action for event in events(asked)] == ["flag", "skip"]


def test_a_confirmed_grid_is_marked_as_such(asked):
    apply([label(1, 1, 2, mode=GRID, shown_together=30)])
    assert [(event.acquisition, event.shown_together) for event in events(asked)] == [(GRID, 30)]


@pytest.mark.parametrize(
    "impossible",
    [
        {"class_index": 3},
        {"class_index": "1"},
        {"class_index": True},
        {"sample_id": 99},
        {"sample_id": None},
        {"kind": "delete"},
        {"kind": "undo", "undoes": "f" * 32},
        {"id": "correct:1:2"},
        {"id": ""},
        {"lead_time_s": float("nan")},
        {"lead_time_s": -1},
        {"shown_together": 0},
        {"suggestion_shown": "yes"},
        {"mode": "bald"},
    ],
)
def test_what_can_never_be_stored_is_refused_and_the_rest_goes_on(asked, impossible):
    wrong = label(1, 1, 2) | impossible
    applied = apply([wrong, label(2, 2, 0)])
    assert applied.confirmed == (f"{2:032x}",)
    assert [name for name, _ in applied.refused] == [wrong["id"]]
    assert standing(asked) == {2: 0}


def test_a_full_disk_keeps_the_decision_and_all_after_it_in_the_browser(asked, monkeypatch):
    stored = []

    def store(session, decision, *rest):
        if stored:
            raise DiskFullError
        stored.append(decision.id)
        return real(session, decision, *rest)

    real = decisions._store
    monkeypatch.setattr("app.screens.shared.decisions._store", store)
    applied = apply([label(1, 1, 0), label(2, 2, 0), label(3, 3, 0)])
    assert (applied.confirmed, applied.refused) == ((f"{1:032x}",), ())
    assert "disk is full" in str(applied.trouble)


def test_each_annotator_has_an_outbox_of_their_own(asked, monkeypatch):
    mine = outbox_name()
    assert mine == outbox_name()
    monkeypatch.setattr("app.screens.shared.decisions.annotator_id", lambda: asked.annotator_id + 1)
    assert outbox_name() != mine
