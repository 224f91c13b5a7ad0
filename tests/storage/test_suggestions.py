from __future__ import annotations

from storage.rounds import NewQuery
from storage.suggestions import SuggestionInfo, last_suggestions


def suggestions(world):
    with world.database.read() as session:
        return last_suggestions(session, project_id=world.project_id)


def test_the_newest_ranking_that_answers_counts(world):
    world.publish([NewQuery(1, 0, "train", suggestion=0, suggestion_probability=0.6)])
    world.publish([NewQuery(1, 0, "train", suggestion=1, suggestion_probability=0.9)])
    world.publish([NewQuery(1, 0, "train")])
    world.label(1, 0)
    assert suggestions(world) == {1: SuggestionInfo(1, 0.9, 1)}


def test_samples_without_a_decision_or_an_answer_are_left_out(world):
    world.publish([NewQuery(1, 0, "train", suggestion=0), NewQuery(2, 1, "audit"), NewQuery(3, 2, "train")])
    world.label(2, 0)
    world.label(3, 0)
    assert suggestions(world) == {}


def test_an_undone_decision_leaves_with_its_answer(world):
    world.publish([NewQuery(1, 0, "train", suggestion=0, suggestion_probability=0.6)])
    event = world.label(1, 0)
    assert list(suggestions(world)) == [1]
    world.undo(event.id)
    assert suggestions(world) == {}
