"""A split takes the labels of a class back and asks for those samples first, on both databases."""

import pytest

from storage.class_labels import list_waiting
from storage.classes import add_class, list_class_changes, merge_class, split_class, undo_class_change
from storage.current import current_labels
from storage.errors import InvalidClassError, InvalidDecisionError
from storage.events import list_events
from storage.projects import list_classes
from storage.rerank import replace_tail
from storage.rounds import NewQuery, list_queries

CAT, DOG, HOUND, WOLF = range(4)


def standing(world):
    return {one.sample_id: one.class_index for one in world.ask(current_labels)}


def split(world, *parts, name="dog"):
    return world.tell(split_class, name=name, into=parts, who="ada")


def ranks(world, opened):
    with world.database.read() as session:
        return [(query.sample_id, query.purpose) for query in list_queries(session, round_id=opened.id)]


@pytest.fixture
def labeled(world):
    """Of the open round 1 to 5, 1 is a cat and 2 and 3, of the audit, are dogs; 9 was a dog before it."""
    world.label(9, DOG)
    opened = world.publish(1, 2, 3, 4, 5, audit=(3,))
    for sample_id, class_index in ((1, CAT), (2, DOG), (3, DOG)):
        world.batch(count=9)
        world.label(sample_id, class_index)
    return opened


def test_a_split_adds_the_parts_retires_the_class_and_takes_its_labels_back(world, labeled):
    events = world.ask(list_events)
    change, asked = split(world, "hound", "wolf")
    assert (asked, change.after) == (3, "hound, wolf")
    assert [(one.name, one.retired) for one in world.ask(list_classes)] == [
        ("cat", False), ("dog", True), ("hound", False), ("wolf", False)
    ]  # fmt: skip
    assert standing(world) == {1: CAT}
    assert world.ask(list_events)[: len(events)] == events, "what was said, was said"
    with pytest.raises(InvalidDecisionError, match="'dog' is retired"):
        world.label(2, DOG)


def test_its_samples_are_asked_first_and_a_new_ranking_leaves_them_there(world, labeled):
    split(world, "hound", "wolf")
    first = [(9, "recheck"), (2, "recheck"), (3, "audit")]
    assert ranks(world, labeled)[:3] == first
    with world.database.write() as session:
        new = [NewQuery(sample_id, place, "train", 1.0, 1.0) for place, sample_id in enumerate((8, 7, 6))]
        replace_tail(session, round_id=labeled.id, generation=1, ranking=new)
    assert ranks(world, labeled)[:3] == first
    asked = [claimed.sample.id for claimed in world.batch(count=3, page="another")]
    assert asked == [9, 2, 3]


def test_a_label_of_the_audit_comes_back_into_it_with_the_chance_of_its_draw(world, labeled):
    split(world, "hound", "wolf")
    world.batch(count=9)
    assert [world.label(sample_id, HOUND).purpose for sample_id in (9, 2, 3)] == ["recheck", "recheck", "audit"]
    assert world.ask(list_events)[-1].acquisition_probability == 0.25
    assert world.ask(list_waiting) == []


def test_what_nobody_labeled_anew_waits_for_the_next_round(world, labeled):
    split(world, "hound", "wolf")
    world.batch(count=9)
    world.label(2, WOLF)
    assert [one.sample_id for one in world.ask(list_waiting)] == [9, 3]


def test_undo_gives_back_what_nobody_labeled_anew(world, labeled):
    change, _ = split(world, "hound", "wolf")
    world.batch(count=9)
    world.label(2, WOLF)
    world.tell(undo_class_change, change_id=change.id, who="ada")
    assert standing(world) == {1: CAT, 2: WOLF, 3: DOG, 9: DOG}
    assert [one.name for one in world.ask(list_classes) if not one.retired] == ["cat", "dog"]
    assert world.ask(list_waiting) == []
    assert {event.sample_id: event.purpose for event in world.ask(list_events)[-2:]} == {9: "train", 3: "audit"}


def test_a_class_may_be_one_of_its_parts_and_another_class_too(world, labeled):
    split(world, "Dog", "cat", "wolf")
    assert [(one.name, one.retired) for one in world.ask(list_classes)] == [
        ("cat", False), ("dog", False), ("wolf", False)
    ]  # fmt: skip
    assert standing(world) == {1: CAT}


def test_without_a_round_the_labels_only_wait(world):
    world.label(4, DOG)
    split(world, "hound", "wolf")
    assert [(one.sample_id, one.purpose) for one in world.ask(list_waiting)] == [(4, "train")]


@pytest.mark.parametrize("parts", [(), ("hound",), ("hound", "HOUND ")])
def test_one_part_is_no_split(world, parts):
    with pytest.raises(InvalidClassError, match="cannot be split"):
        split(world, *parts)
    assert world.ask(list_class_changes) == []


def test_a_split_after_a_correction_or_a_merge_asks_too_and_does_not_bring_back_what_was_before(world, labeled):
    world.tell(add_class, name="hound", who="ada")
    world.label(1, DOG)
    world.tell(merge_class, name="dog", into="hound", who="ada")
    split(world, "fox", "wolf", name="hound")
    assert standing(world) == {}
    assert sorted(one.sample_id for one in world.ask(list_waiting)) == [1, 2, 3, 9]


def test_a_merge_and_a_later_split_are_taken_back_one_after_the_other(world, labeled):
    world.tell(add_class, name="hound", who="ada")
    before = standing(world)
    merged = world.tell(merge_class, name="dog", into="hound", who="ada")[0]
    after, taken = standing(world), split(world, "fox", "wolf", name="hound")[0]
    with pytest.raises(InvalidClassError, match=f"Take change {taken.id} back first"):
        world.tell(undo_class_change, change_id=merged.id, who="ada")
    world.tell(undo_class_change, change_id=taken.id, who="ada")
    assert standing(world) == after == {1: CAT, 2: HOUND, 3: HOUND, 9: HOUND}
    world.tell(undo_class_change, change_id=merged.id, who="ada")
    assert standing(world) == before
