import pytest

from storage.errors import InvalidClassError, ProjectExistsError, UnknownProjectError
from storage.projects import (
    ClassInfo,
    add_classes,
    create_project,
    find_project,
    get_or_create_annotator,
    list_annotators,
    list_classes,
    list_projects,
)


def test_a_project_is_found_by_its_name(world):
    with world.database.read() as session:
        found = find_project(session, name="pets")
        assert (found.id, found.seed) == (world.project_id, 0)
        assert found.created_at.tzinfo is not None
        assert list_projects(session) == [found]
        assert find_project(session, name="Pets") is None


def test_a_second_project_of_the_same_name_is_refused(world):
    with pytest.raises(ProjectExistsError, match="pets"), world.database.write() as session:
        create_project(session, name="pets", classes=["a"], seed=1)


def test_added_classes_come_after_the_old_ones(world):
    world.tell(add_classes, names=[" bird "])
    assert world.ask(list_classes) == [
        ClassInfo(place, name, position=place) for place, name in enumerate(("cat", "dog", "bird"))
    ]


@pytest.mark.parametrize("names", [["cat"], ["bird", "bird"], [" "], [""]])
def test_a_blank_or_double_class_is_refused_and_none_is_added(world, names):
    with pytest.raises(InvalidClassError):
        world.tell(add_classes, names=["fish", *names])
    assert len(world.ask(list_classes)) == 2


def test_an_annotator_keeps_their_id(world):
    assert world.tell(get_or_create_annotator, name="ada") == world.ada
    assert world.tell(get_or_create_annotator, name="eve") not in (world.ada, world.bob)


def test_annotators_are_listed_in_the_order_in_which_they_came(world):
    names = world.ask(list_annotators)
    world.tell(get_or_create_annotator, name="eve")
    assert world.ask(list_annotators) == [*names, "eve"]


def test_an_unknown_project_is_refused(world):
    with pytest.raises(UnknownProjectError, match="99"), world.database.write() as session:
        add_classes(session, project_id=99, names=["a"])
