import math

import pytest
from sqlalchemy.exc import IntegrityError

from storage.errors import InvalidQueryError, RoundStateError, StaleGenerationError, UnknownRoundError
from storage.metrics import NewConfusion, NewMetric, list_confusion, list_metrics
from storage.models import Round
from storage.rounds import (
    NewQuery,
    QueryInfo,
    add_metrics,
    fail_round,
    latest_round,
    list_queries,
    list_rounds,
    mark_scoring,
    open_round,
    publish_round,
    resume_round,
)
from storage.trainer import start_generation

ONE_QUERY = (NewQuery(1, 0, "train", 0.5, 1.0),)


def step(world, function, **more):
    with world.database.write() as session:
        return function(session, **more)


def score(world, round_id, generation=1, checkpoint="model.ckpt"):
    step(world, mark_scoring, round_id=round_id, generation=generation, checkpoint=checkpoint, sha256="ab" * 32, size=7)


def publish(world, round_id, generation=1, queries=ONE_QUERY, metrics=()):
    return step(
        world,
        publish_round,
        round_id=round_id,
        generation=generation,
        queries=queries,
        metrics=metrics,
        confusion=[NewConfusion("test", 0, 1, 3), NewConfusion("test", 1, 1, 0)],
        fit_seconds=1.0,
        score_seconds=2.0,
    )


def states(world):
    return [(entry.number, entry.state) for entry in world.ask(list_rounds)]


def test_a_round_goes_from_training_over_scoring_to_open(world):
    assert world.ask(latest_round) is None
    begun = world.begin()
    assert (begun.number, begun.state, begun.model_version) == (0, "training", "round-0")
    score(world, begun.id)
    scoring = world.ask(latest_round)
    assert (scoring.state, scoring.checkpoint, scoring.checkpoint_bytes) == ("scoring", "model.ckpt", 7)
    assert publish(world, begun.id) is True
    opened = world.ask(open_round)
    assert (opened.state, opened.fit_seconds, opened.score_seconds) == ("open", 1.0, 2.0)
    assert opened.opened_at is not None


def test_publishing_closes_the_round_before_in_the_same_transaction(world):
    world.publish(1)
    world.publish(2)
    assert states(world) == [(0, "closed"), (1, "open")]
    assert world.ask(list_rounds)[0].closed_at == world.ask(list_rounds)[1].opened_at


def test_a_publication_that_fails_leaves_the_old_ranking_in_force(world):
    world.publish(1)
    begun = world.begin()
    score(world, begun.id)
    twice = [NewQuery(1, 0, "train", 0.5, 1.0), NewQuery(2, 0, "train", 0.5, 1.0)]
    with pytest.raises(IntegrityError):
        publish(world, begun.id, queries=twice)
    assert states(world) == [(0, "open"), (1, "scoring")]
    with world.database.read() as session:
        assert list_queries(session, round_id=begun.id) == []


def test_a_round_is_published_once_however_often_it_is_tried(world):
    begun = world.begin()
    score(world, begun.id)
    assert publish(world, begun.id) is True
    other = [NewQuery(2, 0, "train", 0.5, 1.0)]
    assert publish(world, begun.id, queries=other) is False
    world.tell(start_generation, pid=1)
    assert publish(world, begun.id, queries=other, generation=2) is False
    with world.database.read() as session:
        assert list_queries(session, round_id=begun.id) == [QueryInfo(1, 0, "train", 0.5, 1.0, None, None, id=1)]


def test_the_database_itself_allows_one_open_round(world):
    world.publish(1)
    begun = world.begin()
    with pytest.raises(IntegrityError), world.database.write() as session:
        session.get_one(Round, begun.id).state = "open"


def test_the_next_round_waits_for_the_unfinished_one(world):
    begun = world.begin()
    with pytest.raises(RoundStateError, match="round 0 is training"):
        world.begin()
    step(world, fail_round, round_id=begun.id, generation=1, reason="no room")
    with pytest.raises(RoundStateError, match="round 0 is failed"):
        world.begin()


def test_a_round_must_be_scored_before_it_is_published(world):
    begun = world.begin()
    with pytest.raises(RoundStateError, match="training"):
        publish(world, begun.id)


def test_a_repeated_step_lists_the_newer_checkpoint(world):
    begun = world.begin()
    score(world, begun.id, checkpoint="first.ckpt")
    score(world, begun.id, checkpoint="second.ckpt")
    assert world.ask(latest_round).checkpoint == "second.ckpt"


def test_a_failed_round_keeps_its_reason_until_it_is_resumed(world):
    begun = world.begin()
    step(world, fail_round, round_id=begun.id, generation=1, reason="no room")
    assert (world.ask(latest_round).state, world.ask(latest_round).reason) == ("failed", "no room")
    resumed = step(world, resume_round, round_id=begun.id, generation=2)
    assert (resumed.state, resumed.reason, resumed.generation) == ("training", None, 2)


def test_a_resumed_round_with_a_checkpoint_goes_on_with_scoring(world):
    begun = world.begin()
    score(world, begun.id)
    assert step(world, resume_round, round_id=begun.id, generation=2).state == "scoring"


def test_a_published_round_can_neither_fail_nor_be_resumed_nor_be_scored(world):
    opened = world.publish(1)
    for function, more in ((fail_round, {"reason": "late"}), (resume_round, {})):
        with pytest.raises(RoundStateError, match="open"):
            step(world, function, round_id=opened.id, generation=1, **more)
    with pytest.raises(RoundStateError, match="open"):
        score(world, opened.id)


def test_a_trainer_whose_round_was_taken_over_is_refused(world):
    begun = world.begin(generation=1)
    score(world, begun.id)
    step(world, resume_round, round_id=begun.id, generation=2)
    for stale in (score, publish):
        with pytest.raises(StaleGenerationError, match="generation 1 was replaced by generation 2"):
            stale(world, begun.id, generation=1)
    for function, more in ((fail_round, {"reason": "late"}), (resume_round, {})):
        with pytest.raises(StaleGenerationError):
            step(world, function, round_id=begun.id, generation=1, **more)
    assert publish(world, begun.id, generation=2) is True


def test_a_replaced_trainer_is_refused_even_before_its_round_is_taken_over(world):
    first = world.tell(start_generation, pid=1)
    begun = world.begin(first)
    score(world, begun.id, first)
    second = world.tell(start_generation, pid=2)
    with pytest.raises(StaleGenerationError):
        publish(world, begun.id, first)
    with pytest.raises(RoundStateError, match="without resuming"):
        publish(world, begun.id, second)
    assert states(world) == [(0, "scoring")]


def test_a_replaced_trainer_begins_no_round(world):
    world.tell(start_generation, pid=1)
    world.tell(start_generation, pid=2)
    with pytest.raises(StaleGenerationError):
        world.begin(generation=1)


def test_an_unknown_round_is_refused(world):
    with pytest.raises(UnknownRoundError, match="99"):
        score(world, 99)


def test_a_score_that_is_not_known_is_stored_as_none(world):
    begun = world.begin()
    score(world, begun.id)
    publish(world, begun.id, queries=[NewQuery(1, 0, "train", math.nan, None)])
    with world.database.read() as session:
        assert [query.score for query in list_queries(session, round_id=begun.id)] == [None]


def test_metrics_come_back_with_their_round_and_bounds(world):
    begun = world.begin()
    score(world, begun.id)
    metrics = [
        NewMetric("accuracy_audit", 0.5, low=0.25, high=0.75, n=4),
        NewMetric("recall_test", 1.0, class_index=1),
        NewMetric("recall_test", math.nan, class_index=0),  # no sample of the class: not defined, not stored
    ]
    publish(world, begun.id, metrics=metrics)
    (accuracy,) = world.ask(list_metrics, name="accuracy_audit")
    assert (accuracy.round_number, accuracy.labels, accuracy.value, accuracy.n) == (0, 0, 0.5, 4)
    assert (accuracy.low, accuracy.high) == (0.25, 0.75)
    assert [(metric.name, metric.class_index) for metric in world.ask(list_metrics)] == [
        ("accuracy_audit", None),
        ("recall_test", 1),
    ]


def test_the_filled_cells_of_a_confusion_matrix_come_back(world):
    begun = world.begin()
    score(world, begun.id)
    publish(world, begun.id)
    assert world.ask(list_confusion, round_number=0, dataset="test") == [NewConfusion("test", 0, 1, 3)]
    assert world.ask(list_confusion, round_number=0, dataset="audit") == []


def add(world, round_id, *metrics, generation=1):
    step(world, add_metrics, round_id=round_id, generation=generation, metrics=metrics)


def values(world):
    return {(metric.name, metric.class_index): metric.value for metric in world.ask(list_metrics)}


def test_numbers_measured_later_join_those_of_the_publication(world):
    begun = world.begin()
    score(world, begun.id)
    publish(world, begun.id, metrics=[NewMetric("accuracy_audit", 0.5)])
    add(world, begun.id, NewMetric("accuracy_cross_validated", 0.75, low=0.5, high=1.0, n=4))
    assert values(world) == {("accuracy_audit", None): 0.5, ("accuracy_cross_validated", None): 0.75}
    (added,) = world.ask(list_metrics, name="accuracy_cross_validated")
    assert (added.low, added.high, added.n, added.round_number) == (0.5, 1.0, 4, 0)
    assert world.ask(list_confusion, round_number=0, dataset="test") == [NewConfusion("test", 0, 1, 3)]


def test_a_number_said_again_replaces_that_of_its_name_and_class_alone(world):
    opened = world.publish(1)
    both = [NewMetric("recall_test", 0.25, class_index=0), NewMetric("recall_test", 0.25, class_index=1)]
    add(world, opened.id, NewMetric("recall_test", 0.25), *both)
    add(world, opened.id, NewMetric("recall_test", 0.5, class_index=1))
    add(world, opened.id, NewMetric("recall_test", 0.1), NewMetric("recall_test", 0.75))
    assert values(world) == {("recall_test", 0): 0.25, ("recall_test", 1): 0.5, ("recall_test", None): 0.75}
    assert len(world.ask(list_metrics)) == 3


def test_a_number_that_is_not_defined_any_more_is_gone(world):
    opened = world.publish(1)
    add(world, opened.id, NewMetric("accuracy_cross_validated", 0.75))
    add(world, opened.id, NewMetric("accuracy_cross_validated", math.nan))
    assert values(world) == {}


def test_numbers_can_be_added_to_a_closed_round_too_but_not_to_an_unpublished_one(world):
    closed = world.publish(1)
    world.publish(2)
    add(world, closed.id, NewMetric("accuracy_cross_validated", 0.75))
    assert [metric.round_number for metric in world.ask(list_metrics)] == [0]
    begun = world.begin()
    with pytest.raises(RoundStateError, match="add metrics: round 2 is training"):
        add(world, begun.id, NewMetric("accuracy_cross_validated", 0.75))


def test_a_replaced_trainer_adds_no_numbers_and_its_successor_does(world):
    first = world.tell(start_generation, pid=1)
    opened = world.publish(1, generation=first)
    second = world.tell(start_generation, pid=2)
    with pytest.raises(StaleGenerationError):
        add(world, opened.id, NewMetric("mean_bald", 0.5), generation=first)
    add(world, opened.id, NewMetric("mean_bald", 0.75), generation=second)
    assert values(world) == {("mean_bald", None): 0.75}


@pytest.mark.parametrize("taken_back", [False, True])
def test_an_audit_sample_is_never_rechecked(world, taken_back):
    world.publish(1, 2, audit=(1,))
    event = world.label(1)
    if taken_back:
        world.undo(event.id)
    begun = world.begin()
    score(world, begun.id)
    with pytest.raises(InvalidQueryError, match=r"Sample 1 .*audit"):
        publish(world, begun.id, queries=[NewQuery(1, 0, "recheck", 0.5, 1.0)])
    assert states(world) == [(0, "open"), (1, "scoring")]


def test_an_unknown_purpose_is_refused(world):
    begun = world.begin()
    score(world, begun.id)
    with pytest.raises(InvalidQueryError, match="'test' is none of train, audit, recheck"):
        publish(world, begun.id, queries=[NewQuery(1, 0, "test", 0.5, 1.0)])
