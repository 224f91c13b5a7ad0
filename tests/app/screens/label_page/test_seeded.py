"""Which suggestions are wrong on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.screens.label_page.seeded import shown_suggestion
from storage.plain import utc_now
from storage.queue import ClaimedSample
from storage.samples import SampleInfo

CLASSES = range(10)


def entry(sample_id=1, **known):
    fields = dict.fromkeys(SampleInfo.__dataclass_fields__)
    sample = SampleInfo(**{**fields, "id": sample_id})
    plain = ClaimedSample(sample, "t", 1, 0, 0.5, "train", 1, 1, "bald", 3, 0.9, utc_now(), True)
    return replace(plain, **known)


def seeded(**known):
    shown = [shown_suggestion(entry(number, **known), classes=CLASSES, seed=0) for number in range(1000)]
    return [index for index in shown if index != 3]


def test_one_in_twenty_is_another_class_and_stays_so():
    first = seeded()
    assert 30 <= len(first) <= 70  # of 1000, at 5 %
    assert first == seeded()
    assert len(set(first)) == 9


def test_another_seed_draws_other_samples():
    drawn = [[n for n in range(300) if shown_suggestion(entry(n), classes=CLASSES, seed=s) != 3] for s in (0, 1)]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    "known",
    [
        {"purpose": "audit"},
        {"purpose": "recheck"},
        {"annotators": 2},
        {"suggestion_probability": None},
        {"suggestion_probability": 0.5},  # another class is right with 5.6 % by the model's word
    ],
)
def test_none_is_seeded_where_it_would_bend_a_measure_or_may_be_right(known):
    assert seeded(**known) == []


def test_a_retired_class_is_no_suggestion_and_none_is_seeded_in_its_place():
    assert shown_suggestion(entry(), classes=[0, 1], seed=0) is None
    assert {shown_suggestion(entry(n), classes=[3], seed=0) for n in range(200)} == {3}
