from storage.projects import get_or_create_annotator
from storage.votes import list_disagreements, list_votes


def votes(world):
    found = world.ask(list_votes)
    return [(vote.sample_id, vote.annotator, vote.class_index, vote.adjudicated) for vote in found]


def disagreements(world):
    return [entry.sample_id for entry in world.ask(list_disagreements)]


def test_only_samples_that_several_labeled_have_votes(world):
    world.label(1, 0)
    world.label(1, 1)  # the same person changed her mind
    world.label(2, 0)
    world.label(2, 1, annotator_id=world.bob)
    assert votes(world) == [(2, "ada", 0, False), (2, "bob", 1, False)]
    assert disagreements(world) == [2]


def test_the_same_class_twice_is_no_disagreement(world):
    world.label(1, 1)
    world.label(1, 1, annotator_id=world.bob)
    assert len(votes(world)) == 2
    assert disagreements(world) == []


def test_the_newest_label_of_each_is_the_vote(world):
    world.label(1, 0)
    world.label(1, 1, annotator_id=world.bob)
    world.label(1, 1)
    assert votes(world) == [(1, "ada", 1, False), (1, "bob", 1, False)]
    assert disagreements(world) == []


def test_a_skip_and_an_undone_label_are_no_votes(world):
    world.label(1, 0)
    world.skip(1, annotator_id=world.bob)
    world.label(2, 0)
    world.undo(world.label(2, 1, annotator_id=world.bob).id, world.bob)
    assert votes(world) == []


def test_who_takes_a_label_back_votes_as_before_it(world):
    world.label(1, 0)
    world.undo(world.label(1, 1).id)
    world.label(1, 0, annotator_id=world.bob)
    assert votes(world) == [(1, "ada", 0, False), (1, "bob", 0, False)]


def test_a_decision_on_review_settles_and_is_no_vote(world):
    carl = world.tell(get_or_create_annotator, name="carl")
    world.label(1, 0)
    last = world.label(1, 1, annotator_id=world.bob)
    world.label(1, 0, annotator_id=carl, request_id=f"correct:{last.id}:0")
    assert votes(world) == [(1, "ada", 0, True), (1, "bob", 1, True)]
    assert disagreements(world) == []


def test_who_settles_keeps_their_blind_vote(world):
    world.label(1, 0)
    last = world.label(1, 1, annotator_id=world.bob)
    world.label(1, 0, annotator_id=world.bob, request_id=f"correct:{last.id}:0")
    assert votes(world) == [(1, "ada", 0, True), (1, "bob", 1, True)]


def test_a_skip_on_review_settles_too(world):
    world.label(1, 0)
    last = world.label(1, 1, annotator_id=world.bob)
    world.skip(1, request_id=f"correct:{last.id}:skip")
    assert disagreements(world) == []


def test_a_settlement_that_is_taken_back_settles_nothing(world):
    world.label(1, 0)
    last = world.label(1, 1, annotator_id=world.bob)
    world.undo(world.label(1, 0, request_id=f"correct:{last.id}:0").id)
    assert disagreements(world) == [1]


def test_a_vote_that_comes_after_the_settlement_opens_it_again(world):
    first = world.label(1, 0)
    world.label(1, 0, request_id=f"correct:{first.id}:0")
    world.label(1, 1, annotator_id=world.bob)
    assert disagreements(world) == [1]


def test_a_correction_of_what_one_person_labeled_is_no_second_vote(world):
    first = world.label(1, 0)
    world.label(1, 1, annotator_id=world.bob, request_id=f"correct:{first.id}:1")
    assert votes(world) == []


def test_a_blind_recheck_by_another_person_is_a_vote(world):
    world.label(1, 0)
    world.publish(1, recheck=(1,))
    (again,) = world.batch(world.bob, 1)
    event = world.label(1, 1, annotator_id=world.bob, request_id=again.token)
    (entry,) = world.ask(list_disagreements)
    assert entry.sample_id == 1
    assert [vote.event_id for vote in entry.votes] == [1, event.id]
    assert [vote.annotator_id for vote in entry.votes] == [world.ada, world.bob]
