from __future__ import annotations

import contextlib
import sqlite3

import pytest
from sqlalchemy import text

from app.screens.grid_page import deal as grid_deal
from app.screens.grid_page.choice import class_to_offer
from app.screens.grid_page.deal import Source, deal, find_source, why_nothing
from app.screens.grid_page.message import GridMessage
from storage.projects import get_or_create_annotator
from storage.rounds import NewQuery
from storage.samples import get_samples


def message(*, size=2, want=1, held=(), passed=(), class_index=None) -> GridMessage:
    return GridMessage(1, "name", (), "", size, class_index, want, tuple(held), tuple(passed))


@pytest.fixture
def scored(filled):
    """The model takes samples 1 to 6 for cats, and is in doubt about 1 and 4."""
    filled.publish(labels=0)
    filled.write_scores(0, sample_ids=[1, 2, 3, 4, 5, 6], torn=(1, 4))
    return filled


def source(filled) -> Source:
    return find_source(filled.project, round_number=0, classes=("cat", "dog", "emu"))


def dealt(filled, asked: GridMessage, *, annotator="anna", audit_share=0.0, decided=()) -> list[list[int]]:
    """The sample ids of the grids an annotator gets."""
    with filled.database.write() as session:
        person = get_or_create_annotator(session, project_id=filled.project_id, name=annotator)
    grids = deal(
        filled.database,
        source(filled),
        asked,
        project_id=filled.project_id,
        annotator_id=person,
        audit_share=audit_share,
        decided=set(decided),
    )
    return [[one.sample.id for one in grid.samples] for grid in grids]


def claimed(filled) -> set[int]:
    with filled.database.read() as session:
        return set(session.scalars(text("SELECT sample_id FROM claims")))


def test_a_grid_takes_the_surest_of_a_class_and_shows_those_in_doubt_first(scored):
    assert dealt(scored, message(size=5)) == [[2, 3, 5, 6]]  # those given 50 % are no grid's


def test_a_class_the_model_is_unsure_of_has_no_grid_and_it_says_why(scored):
    asked = message(class_index=0)
    assert dealt(scored, asked, decided={2, 3, 5, 6}) == []
    said = why_nothing(source(scored), asked, round_number=0, taken={2, 3, 5, 6})
    assert said.startswith("The model is not sure enough of any further sample to be cat: a grid holds those")


def test_the_next_grid_goes_on_where_the_first_one_ends(scored):
    assert dealt(scored, message(want=2)) == [[2, 3], [5, 6]]
    assert claimed(scored) == {2, 3, 5, 6}


def test_while_a_grid_is_looked_for_in_a_large_pool_others_can_store_labels(scored, monkeypatch):
    found = []

    def look(pool, classes):
        with contextlib.closing(sqlite3.connect(scored.database.path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")  # fails while somebody is writing
        found.append(class_to_offer(pool, classes))
        return found[-1]

    monkeypatch.setattr(grid_deal, "class_to_offer", look)
    assert dealt(scored, message(want=2)) == [[2, 3], [5, 6]]
    assert found == [0, 0]


def test_a_page_keeps_what_it_holds_and_gets_what_is_missing(scored):
    dealt(scored, message(want=2))
    assert dealt(scored, message(held=[2, 3])) == [[5, 6]]
    assert dealt(scored, message(held=[5, 6], want=0)) == []
    assert claimed(scored) == {5, 6}


def test_two_people_never_get_the_same_sample(scored):
    assert dealt(scored, message(), annotator="anna") == [[2, 3]]
    assert dealt(scored, message(), annotator="bert") == [[5, 6]]


def test_decided_and_passed_samples_are_not_shown(scored):
    scored.label(2, 0)
    assert dealt(scored, message(passed=[3])) == [[5, 6]]


def test_the_audit_reserve_is_not_shown(scored):
    with scored.database.read() as session:
        keys = {number: info.audit_key for number, info in get_samples(session, sample_ids=[2, 3, 5, 6]).items()}
    reserved = min(keys, key=keys.__getitem__)
    just_above = keys[reserved] + 1e-9
    shown = dealt(scored, message(size=6), audit_share=just_above)[0]
    assert reserved not in shown
    assert set(keys) - {reserved} <= set(shown)


@pytest.mark.parametrize("purpose", ["audit", "recheck"])
def test_audit_samples_and_rechecks_are_not_shown(filled, purpose):
    filled.publish(labels=0, queries=[NewQuery(2, 0, purpose, 1.0, None), NewQuery(3, 1, "train", 1.0, None)])
    filled.write_scores(0, sample_ids=[1, 2, 3, 4, 5, 6])
    assert dealt(filled, message(size=3)) == [[3, 4, 5]]


def test_a_class_nobody_chose_has_no_grid(scored):
    assert dealt(scored, message(class_index=1)) == []
    told = why_nothing(source(scored), message(class_index=1), round_number=0, taken=())
    assert told == "The model takes no further sample for dog. Show another class."


def test_before_a_model_a_group_of_the_map_is_shown_the_farthest_from_its_middle_first(filled):
    filled.publish(labels=0)
    filled.write_map([1, 2, 3, 4, 5, 6])
    assert dealt(filled, message(size=3)) == [[1, 3, 2]]  # around 2, the first with a neighbor on either side
    assert source(filled).sure(()) == [0, 0, 0]


def test_a_page_without_a_grid_is_told_why(filled):
    without = Source(("cat",), None, None)
    assert "first samples are not chosen" in why_nothing(without, message(), round_number=None, taken=())
    assert "map of the samples is not drawn" in why_nothing(without, message(), round_number=0, taken=())
    filled.publish(labels=0)
    filled.write_scores(0, sample_ids=[1, 2])
    found = source(filled)
    assert "on other people's screens" in why_nothing(found, message(), round_number=0, taken=())
    assert "one by one on the Label page" in why_nothing(found, message(), round_number=0, taken={1, 2})


def test_no_grid_is_of_a_retired_class_whatever_the_model_takes_samples_for(scored):
    asked = message()
    of_cats = find_source(scored.project, round_number=0, classes=("cat", "dog", "emu"))
    retired = find_source(scored.project, round_number=0, classes=("cat", "dog", "emu"), retired={0})
    assert of_cats.candidates(asked, ()).class_index == 0
    assert retired.candidates(asked, ()) is None
    assert retired.candidates(message(class_index=0), ()) is None
    assert (of_cats.sure(())[0], retired.sure(())) == (4, [0, 0, 0])
