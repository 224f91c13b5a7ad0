from __future__ import annotations

from storage.rounds import NewQuery, mark_scoring, publish_round
from storage.suggestions import SuggestionInfo, last_suggestions


def publish(world, *queries):
    step = {"round_id": world.begin(1).id, "generation": 1}
    with world.database.write() as session:
        mark_scoring(session, **step, checkpoint=None, sha256=None, size=None)
        publish_round(session, **step, queries=queries, metrics=(), fit_seconds=0.0, score_seconds=0.0)


def query(sample_id, suggestion, probability=None):
    return NewQuery(sample_id, sample_id, "train", None, None, suggestion, probability)


def suggestions(world):
    with world.database.read() as session:
        return last_suggestions(session, project_id=world.project_id)


def test_the_newest_ranking_that_answers_counts(world):
    publish(world, query(1, 0, 0.6))
    publish(world, query(1, 1, 0.9))
    publish(world, query(1, None))
    world.label(1, 0)
    assert suggestions(world) == {1: SuggestionInfo(1, 0.9, 1)}


def test_samples_without_a_decision_or_an_answer_are_left_out(world):
    publish(world, query(1, 0, 0.6), query(2, None))
    world.label(2, 0)
    assert suggestions(world) == {}


def test_an_undone_decision_takes_the_answer_along(world):
    publish(world, query(1, 0, 0.6))
    event = world.label(1, 0)
    assert list(suggestions(world)) == [1]
    world.undo(event.id)
    assert suggestions(world) == {}
