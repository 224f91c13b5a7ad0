import pytest

from storage import journal
from storage.errors import InvalidDecisionError, UnknownGroupError
from storage.events import history
from storage.groups import (
    GroupPart,
    begin_group,
    count_taken,
    group_parts,
    judged_classes,
    kept_out_of_groups,
    last_taken,
    open_group,
    split_group,
    take_rest,
    undo_rest,
)
from storage.labels import changed_since, current_labels, list_events
from storage.limits import Limits, reached
from storage.models import Sample
from storage.opening import open_database
from storage.refusals import mark_broken
from storage.restoring import restore


def group_of(world, *members, key="group-1", **more):
    return GroupPart(
        key=key, part=0, annotator_id=world.ada, class_index=1, origin="look like dog", seed=7, allowed=0.05,
        members=members, **more,
    )  # fmt: skip


def begin(world, *members, **more):
    return world.tell(begin_group, group=group_of(world, *members, **more))


def judge(world, sample_id, draw, class_index=1, **more):
    given = {"acquisition": "group", "group_key": "group-1", "group_draw": draw}
    return world.label(sample_id, class_index, **given, **more)


def take(world, *sample_ids, most_wrong=0, request_id="press-1", **more):
    (group,) = world.ask(group_parts, key="group-1")
    given = {
        "group": group,
        "sample_ids": sample_ids,
        "most_wrong": most_wrong,
        "request_id": request_id,
        "audit_share": 0.0,
    }
    return world.tell(take_rest, **{**given, **more})


def in_group(event):
    return event.request_id, event.group_key, event.group_draw, event.group_bound


def standing(world):
    return {label.sample_id: label.class_index for label in world.ask(current_labels)}


def test_judged_members_are_ordinary_labels_that_name_the_group_and_their_draw(world):
    begin(world, 3, 1, 2)
    event = judge(world, 3, 1)
    assert (event.purpose, event.acquisition, event.group_key, event.group_draw) == ("train", "group", "group-1", 1)
    assert event.group_bound is None


def test_the_rest_is_labeled_at_once_and_says_what_was_proven_of_it(world):
    begin(world, 3, 1, 2)
    judge(world, 3, 1)
    assert take(world, 1, 2) == 2
    assert standing(world) == {1: 1, 2: 1, 3: 1}
    rest = [event for event in world.ask(list_events) if event.group_draw is None]
    assert {(event.sample_id, event.group_key, event.group_bound) for event in rest} == {
        (1, "group-1", 0.0), (2, "group-1", 0.0),
    }  # fmt: skip
    assert {label.sample_id for label in world.ask(current_labels) if label.unseen} == {1, 2}
    assert world.ask(count_taken) == 2
    assert world.ask(changed_since, event_id=0) == 3  # they train


def test_the_rest_is_refused_where_too_many_of_those_that_are_free_may_be_wrong(world):
    (group,) = begin(world, *range(1, 11))
    assert take(world, *range(1, 11), most_wrong=0) == 10
    world.tell(undo_rest, annotator_id=world.ada, key=group.key)
    with pytest.raises(InvalidDecisionError, match="1 of the 10"):
        take(world, *range(1, 11), most_wrong=1, request_id="press-2")


def test_the_same_press_twice_labels_once(world):
    begin(world, 3, 1, 2)
    assert (take(world, 1, 2), take(world, 1, 2)) == (2, 2)
    assert len(world.ask(list_events)) == 2


def test_one_undo_takes_all_of_the_rest_back_and_leaves_what_was_judged(world):
    begin(world, 3, 1, 2)
    judge(world, 3, 1)
    take(world, 1, 2)
    assert world.ask(last_taken, annotator_id=world.ada) == "group-1"
    assert world.tell(undo_rest, annotator_id=world.ada, key="group-1") == 2
    assert standing(world) == {3: 1}
    assert world.ask(last_taken, annotator_id=world.ada) is None
    assert world.tell(undo_rest, annotator_id=world.ada, key="group-1") == 0
    assert take(world, 1, 2, request_id="press-2") == 2  # and it may be taken again


def test_an_undo_leaves_what_was_corrected_since(world):
    begin(world, 3, 1, 2)
    take(world, 1, 2)
    world.label(2, 0)
    world.tell(undo_rest, annotator_id=world.ada, key="group-1")
    assert standing(world) == {2: 0}


def test_what_was_decided_meanwhile_or_is_with_others_or_the_audit_s_is_left_out(world):
    world.publish(4, 5, audit=(5,))
    begin(world, 1, 2, 3, 4, 5)
    world.label(1, 0)
    world.batch(world.bob, 1)  # has sample 4 on screen
    with world.database.write() as session:
        mark_broken(session, sample_id=3, reason="truncated")
    assert take(world, 1, 2, 3, 4, 5) == 1
    assert standing(world) == {1: 0, 2: 1}


def test_audit_samples_are_never_members(world):
    world.publish(1, 2, 3, audit=(2,), recheck=(3,))
    with world.database.read() as session:
        keys = {sample.id: sample.audit_key for sample in session.query(Sample)}
    least = min(keys, key=keys.__getitem__)
    assert world.ask(kept_out_of_groups, audit_share=keys[least] + 1e-9) == {2, 3, least}


def test_what_nobody_has_looked_at_is_no_judgment_of_a_draw(world):
    begin(world, 3, 1, 2)
    judge(world, 3, 1)
    take(world, 1)
    world.skip(2)
    with world.database.read() as session:
        assert judged_classes(session, sample_ids=[1, 2, 3, 4]) == {2: None, 3: 1}


def test_a_split_is_a_further_part_and_the_same_split_twice_is_one(world):
    (group,) = begin(world, 3, 1, 2, 4)
    part = world.tell(split_group, part=group, members=[2, 4], draws=1)
    assert world.tell(split_group, part=group, members=[2, 4], draws=1) == part
    assert [(one.part, one.members, one.draws) for one in world.ask(group_parts, key="group-1")] == [
        (0, (3, 1, 2, 4), 0), (1, (2, 4), 1),
    ]  # fmt: skip


def test_a_person_has_one_open_group_until_its_rest_is_taken(world):
    begin(world, 1, 2, key="first")
    begin(world, 3, 1, 2)
    assert world.ask(open_group, annotator_id=world.ada) == "group-1"
    take(world, 1, 2)
    assert world.ask(open_group, annotator_id=world.ada) is None
    world.tell(undo_rest, annotator_id=world.ada, key="group-1")
    assert world.ask(open_group, annotator_id=world.ada) == "group-1"


def test_a_group_needs_a_class_that_is_there(world):
    group = group_of(world, 1, 2)
    with pytest.raises(InvalidDecisionError):
        world.tell(begin_group, group=GroupPart(**{**vars(group), "class_index": 9}))
    with pytest.raises(UnknownGroupError):
        world.tell(undo_rest, annotator_id=world.ada, key="never")


def test_the_rest_is_neither_in_the_history_of_the_label_page_nor_counts_for_the_budget(world):
    begin(world, 3, 1, 2)
    judge(world, 3, 1)
    take(world, 1, 2)
    assert [event.sample_id for event in world.ask(history, annotator_id=world.ada)] == [3]
    assert world.ask(reached, limits=Limits(labels=2)) is None


@pytest.mark.sqlite
def test_the_journal_alone_brings_a_group_back(world):
    begin(world, 3, 1, 2)
    judge(world, 3, 1)
    take(world, 1, 2)
    before = [in_group(event) for event in world.ask(list_events)]
    groups, path = world.ask(group_parts, key="group-1"), world.database.path
    world.database.close()
    path.unlink()
    assert (path.parent / journal.NAME).exists()
    restore(path, backups=path.parent / "backups")
    world.database = open_database(f"sqlite:///{path}")
    assert [in_group(event) for event in world.ask(list_events)] == before
    assert [part.members for part in world.ask(group_parts, key="group-1")] == [part.members for part in groups]
    assert standing(world) == {1: 1, 2: 1, 3: 1}
    world.database.close()


def test_members_of_several_classes_are_labeled_each_as_its_own(world):
    begin(world, 1, 2, 3, 4, classes=(1, 0, 0, 1))
    assert world.ask(group_parts, key="group-1")[0].said_of([1, 2]) == {1: 1, 2: 0}
    judge(world, 1, 1)
    (first,) = world.ask(group_parts, key="group-1")
    world.tell(split_group, part=first, members=[3, 4], draws=1)
    second = world.ask(group_parts, key="group-1")[1]
    assert (second.members, second.classes) == ((3, 4), (0, 1))
    given = {"sample_ids": (3, 4), "most_wrong": 0, "request_id": "press-1", "audit_share": 0.0}
    assert world.tell(take_rest, group=second, **given) == 2
    assert standing(world) == {1: 1, 3: 0, 4: 1}


def test_no_member_may_be_of_a_class_that_is_not_there(world):
    with pytest.raises(InvalidDecisionError):
        begin(world, 1, 2, classes=(1, 9))
