from contextlib import closing

import pytest

from storage import journal
from storage.class_labels import ClassCount, count_per_class
from storage.classes import (
    add_class,
    by_place,
    color_class,
    describe_class,
    list_class_changes,
    merge_class,
    order_classes,
    rename_class,
    retire_class,
    split_class,
    undo_class_change,
)
from storage.current import changed_since, current_labels
from storage.errors import InvalidClassError, InvalidDecisionError
from storage.labels import last_event_id, list_events, record_decision
from storage.opening import create_database
from storage.projects import add_classes, create_project, get_or_create_annotator, list_classes
from storage.replay import replay
from storage.samples import NewSample, add_samples, list_samples
from storage.settling import journal_path


@pytest.fixture
def pets(database):
    """A project of cat, dog, hound with five samples: cat, dog, hound, hound, undecided."""
    with database.write() as session:
        project_id = create_project(session, name="pets", classes=["cat", "dog", "hound"], seed=0)
        samples = [NewSample(f"{k}.png", f"{k:064}", 1, 1, "pool", None) for k in range(5)]
        add_samples(session, project_id=project_id, samples=samples)
        ada = get_or_create_annotator(session, project_id=project_id, name="ada")
        for sample_id, index in ((1, 0), (2, 1), (3, 2), (4, 2)):
            label(session, project_id, ada, sample_id, index)
    return project_id, ada


def label(session, project_id, ada, sample_id, index, request_id=""):
    return record_decision(
        session, project_id=project_id, sample_id=sample_id, annotator_id=ada, action="label", class_index=index,
        request_id=request_id or f"{sample_id}-{index}",
    )  # fmt: skip


def standing(session, project_id):
    return {one.sample_id: one.class_index for one in current_labels(session, project_id=project_id)}


def test_a_renamed_class_keeps_its_labels_and_its_old_name_stays_in_the_history(database, pets):
    project_id, _ = pets
    with database.write() as session:
        done = rename_class(session, project_id=project_id, name="CAT", new_name="kitten", who="ada")
        assert [one.name for one in list_classes(session, project_id=project_id)] == ["kitten", "dog", "hound"]
        assert (done.before, done.after, done.who) == ("cat", "kitten", "ada")
        undo_class_change(session, project_id=project_id, change_id=done.id, who="ada")
        assert list_classes(session, project_id=project_id)[0].name == "cat"
        kinds = [change.kind for change in list_class_changes(session, project_id=project_id)]
        assert kinds == ["rename", "rename", "undo"]


def test_a_merge_moves_the_labels_retires_the_class_and_can_be_taken_back(database, pets):
    project_id, ada = pets
    with database.write() as session:
        before, last = standing(session, project_id), last_event_id(session, project_id=project_id)
        events = list_events(session, project_id=project_id)
        done, moved = merge_class(session, project_id=project_id, name="hound", into="dog", who="ada")
        assert moved == 2
        assert standing(session, project_id) == {1: 0, 2: 1, 3: 1, 4: 1}
        assert changed_since(session, project_id=project_id, event_id=last) == 2, "the next round learns of it"
        assert list_events(session, project_id=project_id)[: len(events)] == events, "what was said, was said"
        with pytest.raises(InvalidDecisionError, match="'hound' is retired"):
            label(session, project_id, ada, 5, 2)
        label(session, project_id, ada, 4, 0, "corrected since")
        undo_class_change(session, project_id=project_id, change_id=done.id, who="ada")
        assert standing(session, project_id) == before | {4: 0}
        assert not any(one.retired for one in list_classes(session, project_id=project_id))


def of_tests(session, project_id):
    return [one.class_index for one in list_samples(session, project_id=project_id, split="test")]


def test_merges_of_merged_classes_are_taken_back_in_any_order_and_the_test_set_is_as_it_was(database, pets):
    project_id, _ = pets
    tests = [NewSample(f"t{k}.png", f"{k + 10:064}", 1, 1, "test", k) for k in range(3)]
    for order in ((0, 1), (1, 0)):
        with database.write() as session:
            add_samples(session, project_id=project_id, samples=tests if order == (0, 1) else [])
            add_class(session, project_id=project_id, name=f"fox {order}", who="ada")
            before = standing(session, project_id)
            merges = [
                merge_class(session, project_id=project_id, name=name, into=into, who="ada")[0].id
                for name, into in (("hound", "dog"), ("dog", "cat"))
            ]
            assert of_tests(session, project_id) == [0, 0, 0]
            undo_class_change(session, project_id=project_id, change_id=merges[order[0]], who="ada")
            assert of_tests(session, project_id) == ([0, 0, 0] if order == (0, 1) else [0, 1, 1])
            undo_class_change(session, project_id=project_id, change_id=merges[order[1]], who="ada")
            assert of_tests(session, project_id) == [0, 1, 2]
            assert standing(session, project_id) == before


def test_retired_classes_come_back_when_they_are_added(database, pets):
    project_id, ada = pets
    with database.write() as session:
        retire_class(session, project_id=project_id, name="hound", who="ada")
        assert standing(session, project_id)[3] == 2, "its labels stay"
        with pytest.raises(InvalidClassError, match="needs two classes"):
            retire_class(session, project_id=project_id, name="dog", who="ada")
        add_class(session, project_id=project_id, name="Hound", who="ada")
        assert label(session, project_id, ada, 5, 2).class_index == 2
        assert len(list_classes(session, project_id=project_id)) == 3


def test_a_class_has_the_labels_that_stand_and_its_test_samples(database, pets):
    project_id, _ = pets
    with database.write() as session:
        add_samples(session, project_id=project_id, samples=[NewSample("t.png", "t" * 64, 1, 1, "test", 0)])
        assert count_per_class(session, project_id=project_id) == {
            0: ClassCount(labels=1, tests=1), 1: ClassCount(labels=1), 2: ClassCount(labels=2)
        }  # fmt: skip
        merge_class(session, project_id=project_id, name="hound", into="dog", who="ada")
        assert count_per_class(session, project_id=project_id)[1] == ClassCount(labels=3)


def test_two_classes_are_left_whatever_is_done(database, pets):
    project_id, _ = pets
    with database.write() as session:
        added = add_class(session, project_id=project_id, name="fox", who="ada")
        for name in ("hound", "cat"):
            retire_class(session, project_id=project_id, name=name, who="ada")
        with pytest.raises(InvalidClassError, match="needs two classes"):
            merge_class(session, project_id=project_id, name="dog", into="fox", who="ada")
        with pytest.raises(InvalidClassError, match="needs two classes"):
            undo_class_change(session, project_id=project_id, change_id=added.id, who="ada")
        merge_class(session, project_id=project_id, name="hound", into="dog", who="ada")


def test_names_that_differ_in_case_or_composition_are_one_class(database, pets):
    project_id, _ = pets
    with database.write() as session:
        add_class(session, project_id=project_id, name="caf\u00e9", who="ada")
        for same in ("Dog", "cafe\u0301", "CAF\u00c9"):
            with pytest.raises(InvalidClassError, match="already there"):
                add_classes(session, project_id=project_id, names=[same])
        with pytest.raises(InvalidClassError, match="merge them"):
            rename_class(session, project_id=project_id, name="cat", new_name="DOG", who="ada")
        rename_class(session, project_id=project_id, name="dog", new_name="Dog", who="ada")
        describe_class(session, project_id=project_id, name="dog", text="barks", who="ada")
        assert [one.description for one in list_classes(session, project_id=project_id)] == ["", "barks", "", ""]


def test_an_order_puts_classes_first_and_is_taken_back(database, pets):
    project_id, _ = pets

    def order():
        return [one.name for one in by_place(list_classes(session, project_id=project_id))]

    with database.write() as session:
        done = order_classes(session, project_id=project_id, names=["Hound", "cat"], who="ada")
        add_class(session, project_id=project_id, name="fox", who="ada")
        assert order() == ["hound", "cat", "dog", "fox"]
        assert [one.name for one in list_classes(session, project_id=project_id)] == ["cat", "dog", "hound", "fox"]
        for wrong in ([], ["cat", "cat"], ["lion"]):
            with pytest.raises(InvalidClassError):
                order_classes(session, project_id=project_id, names=wrong, who="ada")
        undo_class_change(session, project_id=project_id, change_id=done.id, who="ada")
        assert order() == ["cat", "dog", "hound", "fox"]


def test_a_color_is_six_signs_and_is_taken_back(database, pets):
    project_id, _ = pets
    with database.write() as session:
        color_class(session, project_id=project_id, name="dog", color="#E69F00", who="ada")
        done = color_class(session, project_id=project_id, name="dog", color="", who="ada")
        with pytest.raises(InvalidClassError, match="#e69f00"):
            color_class(session, project_id=project_id, name="dog", color="red", who="ada")
        undo_class_change(session, project_id=project_id, change_id=done.id, who="ada")
        assert list_classes(session, project_id=project_id)[1].color == "#e69f00"


def test_only_a_change_that_stands_can_be_taken_back(database, pets):
    project_id, _ = pets
    with database.write() as session:
        done = retire_class(session, project_id=project_id, name="hound", who="ada")
        undone = undo_class_change(session, project_id=project_id, change_id=done.id, who="ada")
        none = ((change_id, "no change") for change_id in (undone.id, 99, 10**30))
        for change_id, said in ((done.id, "already"), *none):
            with pytest.raises(InvalidClassError, match=said):
                undo_class_change(session, project_id=project_id, change_id=change_id, who="ada")


def test_the_journal_alone_brings_changed_classes_back(database, pets, tmp_path):
    project_id, ada = pets
    with database.write() as session:
        tests = [NewSample(f"t{k}.png", f"{k + 10:064}", 1, 1, "test", k) for k in range(3)]
        add_samples(session, project_id=project_id, samples=tests)
        rename_class(session, project_id=project_id, name="cat", new_name="kitten", who="ada")
        back = merge_class(session, project_id=project_id, name="kitten", into="hound", who="ada")[0]
        undo_class_change(session, project_id=project_id, change_id=back.id, who="ada")
        merge_class(session, project_id=project_id, name="hound", into="dog", who="ada")
        split_class(session, project_id=project_id, name="dog", into=["wolf", "jackal"], who="ada")
        taken = split_class(session, project_id=project_id, name="wolf", into=["fox", "lynx"], who="ada")[0]
        undo_class_change(session, project_id=project_id, change_id=taken.id, who="ada")
        order_classes(session, project_id=project_id, names=["jackal", "kitten"], who="ada")
        color_class(session, project_id=project_id, name="wolf", color="#123456", who="ada")
    with database.write() as session:
        label(session, project_id, ada, 5, 0)
        wanted = list_classes(session, project_id=project_id), standing(session, project_id)
        assert of_tests(session, project_id) == [0, 1, 1]
    entries = journal.read(journal_path(database)).entries
    with closing(create_database(f"sqlite:///{tmp_path / 'new.db'}")) as made, made.write() as session:
        assert replay(session, entries).unusable == 0
        assert (list_classes(session, project_id=project_id), standing(session, project_id)) == wanted
        assert of_tests(session, project_id) == [0, 1, 1]
        assert replay(session, entries).events == 0, "told twice, it changes nothing"
        assert list_classes(session, project_id=project_id) == wanted[0]


def test_of_two_changes_the_older_one_is_taken_back_and_the_newer_one_stays(database, pets, tmp_path):
    project_id, _ = pets

    def of_dog(session):
        known = list_classes(session, project_id=project_id)
        order = [one.index for one in by_place(known)]
        return known[1].name, known[1].description, known[1].color, known[1].retired, order

    own = {"project_id": project_id, "who": "ada"}
    with database.write() as session:
        add_class(session, name="fox", **own)
        changed = []
        for k, name in enumerate(("dog", "wolf 0")):
            changed.append(describe_class(session, name=name, text=f"text {k}", **own).id)
            changed.append(color_class(session, name=name, color=f"#00000{k}", **own).id)
            changed.append(order_classes(session, names=[("hound", "cat")[k], "fox"], **own).id)
            changed.append(rename_class(session, name=name, new_name=f"wolf {k}", **own).id)
            changed.append(retire_class(session, name=f"wolf {k}", **own).id)
            changed.append(add_class(session, name=f"wolf {k}", **own).id)
        changed.append(retire_class(session, name="wolf 1", **own).id)
        for change in changed[:6]:
            undo_class_change(session, change_id=change, **own)
        assert of_dog(session) == ("wolf 1", "text 1", "#000001", True, [0, 3, 2, 1])
        for change in changed[6:]:
            undo_class_change(session, change_id=change, **own)
        assert of_dog(session) == ("dog", "", "", False, [0, 1, 2, 3])
        wanted = list_classes(session, project_id=project_id)
        renames = [one.id for one in list_class_changes(session, project_id=project_id) if one.kind == "rename"]
        assert len(renames) == 3, "the older one needed no rename to be taken back, the newer one did"
        with pytest.raises(InvalidClassError, match="no change"):
            undo_class_change(session, change_id=renames[-1], **own)
    entries = journal.read(journal_path(database)).entries
    with closing(create_database(f"sqlite:///{tmp_path / 'new.db'}")) as made, made.write() as session:
        assert replay(session, entries).unusable == 0
        assert list_classes(session, project_id=project_id) == wanted
