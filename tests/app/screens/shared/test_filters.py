from __future__ import annotations

from datetime import datetime, timezone

import pytest

from app.screens.shared.filters import DISAGREEMENT, OLDEST, ReviewFilter, ReviewRow, matching
from storage.labels import CurrentLabel
from storage.suggestions import SuggestionInfo
from storage.suspects import SuspectInfo


def row(
    event_id,
    class_index=0,
    *,
    says=None,
    confidence=0.5,
    purpose="train",
    annotator="anna",
    flagged=False,
    suspicion=None,
):
    action = "skip" if class_index is None else "label"
    moment = datetime(2024, 1, 1, tzinfo=timezone.utc)
    label = CurrentLabel(event_id, event_id, action, class_index, purpose, annotator, 1, moment, False, flagged)
    suspect = None if suspicion is None else SuspectInfo(event_id, event_id, 0, 1, suspicion, 1)
    return ReviewRow(label, None if says is None else SuggestionInfo(says, confidence, 1), suspect)


ROWS = [
    row(1, 0, says=0),
    row(2, 1, says=0, confidence=0.6),
    row(3, 1, says=2, confidence=0.9, annotator="bob"),
    row(4, None, says=2, purpose="audit"),
    row(5, 2, flagged=True),
]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (ReviewFilter(), [5, 4, 3, 2, 1]),
        (ReviewFilter(order=OLDEST), [1, 2, 3, 4, 5]),
        (ReviewFilter(classes=(1,)), [3, 2]),
        (ReviewFilter(classes=(0, 2)), [5, 1]),
        (ReviewFilter(annotators=("bob",)), [3]),
        (ReviewFilter(actions=("skip",)), [4]),
        (ReviewFilter(purposes=("audit",)), [4]),
        (ReviewFilter(purposes=("recheck",)), []),
        (ReviewFilter(flagged_only=True), [5]),
        (ReviewFilter(disagreements_only=True), [3, 2]),
        (ReviewFilter(classes=(1,), annotators=("anna",)), [2]),
    ],
)
def test_a_row_must_pass_every_choice(chosen, kept):
    assert [found.label.event_id for found in matching(ROWS, chosen)] == kept


def test_the_surest_disagreement_comes_first():
    found = matching(ROWS, ReviewFilter(order=DISAGREEMENT))
    assert [entry.label.event_id for entry in found][:2] == [3, 2]


def test_the_likeliest_wrong_comes_first_whatever_the_order():
    rows = [row(1, suspicion=0.2), row(2), row(3, suspicion=0.9), row(4, suspicion=0.5)]
    found = matching(rows, ReviewFilter(suspects_only=True, order=OLDEST))
    assert [entry.label.event_id for entry in found] == [3, 4, 1]


def test_a_skip_disagrees_with_nothing():
    assert not row(1, None, says=2).disagrees
