from storage.examples import newest_examples
from storage.suspects import NewSuspect, replace_suspects


def examples(world, **more):
    with world.database.read() as session:
        return newest_examples(session, project_id=world.project_id, classes=[0, 1], per_class=2, **more)


def test_the_labels_given_last_come_first_and_no_more_than_asked_for(world):
    for sample_id, class_index in ((1, 0), (2, 0), (3, 1), (4, 0)):
        world.label(sample_id, class_index)
    assert examples(world) == {0: [4, 2], 1: [3]}


def test_what_was_corrected_or_undone_is_no_example_any_more(world):
    first = world.label(1, 0)
    world.label(2, 0)
    world.label(2, 1)
    world.undo(first.id)
    assert examples(world) == {0: [], 1: [2]}


def test_what_anybody_doubts_is_no_example(world):
    given = {sample_id: world.label(sample_id, 0) for sample_id in (1, 2, 3)}
    world.flag(1)
    opened, suspect = world.publish(9), NewSuspect(2, given[2].id, 0, 1, 0.9)
    with world.database.write() as session:
        replace_suspects(session, round_id=opened.id, generation=1, suspects=[suspect])
    assert examples(world) == {0: [3], 1: []}
    assert examples(world, without=[3]) == {0: [], 1: []}


def test_an_audit_label_only_measures(world):
    world.publish(1, 2, audit=(1,))
    world.label(1, 0)
    world.label(2, 0)
    assert examples(world) == {0: [2], 1: []}
