from __future__ import annotations

from storage.queue import claim_batch
from storage.rounds import NewQuery, mark_scoring, publish_round
from storage.suggestions import Acceptance, SuggestionInfo, last_suggestions, seeded_acceptances


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


def claim(world, count):
    with world.database.write() as session:
        claim_batch(session, project_id=world.project_id, annotator_id=world.ada, count=count)


def acceptances(world):
    with world.database.read() as session:
        found = seeded_acceptances(session, project_id=world.project_id)
    return [(one.annotator, one.shown, one.accepted) for one in found]


def test_a_suggestion_that_is_not_the_models_is_stored_as_seeded_and_counted(world):
    publish(world, query(1, 0, 0.99), query(2, 0, 0.99), query(3, 0, 0.99))
    claim(world, 3)
    accepted = world.label(1, 1, suggestion_shown=True, suggested=1)
    looked = world.label(2, 0, suggestion_shown=True, suggested=1)
    plain = world.label(3, 0, suggestion_shown=True, suggested=0)
    assert [event.seeded_suggestion for event in (accepted, looked, plain)] == [1, 1, None]
    assert acceptances(world) == [("ada", 2, 1)]
    assert suggestions(world)[1] == SuggestionInfo(0, 0.99, 0)  # the model's answer stays its own


def test_nothing_is_seeded_where_a_label_measures(world):
    publish(world, NewQuery(1, 0, "audit", None, 0.5, 0, 0.99))
    claim(world, 1)
    assert world.label(1, 1, suggestion_shown=True, suggested=1).seeded_suggestion is None
    assert acceptances(world) == []


def test_what_was_accepted_is_said_in_words():
    assert Acceptance("eve", 9, 2).words == "accepted 2 of 9 wrong suggestions"
