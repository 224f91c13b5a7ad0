"""A claim is a lease of one page: two tabs or browsers under one name never have the same sample."""

from datetime import datetime, timedelta, timezone

from storage.claims import adopt_claims, has_other_page
from storage.grid import claim_grid
from storage.labels import undo_request
from storage.queue import release_claims, return_to

NOON = datetime(2024, 1, 1, 12, tzinfo=timezone.utc)


def ids(batch):
    return [claimed.sample.id for claimed in batch]


def test_three_pages_of_one_name_share_the_ranking_without_a_sample_in_common(world):
    world.publish(*range(1, 10))
    shown = [ids(world.batch(count=3, page=page)) for page in ("a", "b", "c")]
    assert shown == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert ids(world.batch(count=3, page="b")) == [4, 5, 6]
    assert ids(world.batch(count=3, page="d")) == []


def test_a_page_lets_go_of_its_own_only(world):
    world.publish(1, 2, 3)
    world.batch(count=1, page="a")
    world.batch(count=2, page="b")
    world.tell(release_claims, annotator_id=world.ada, page="b")
    assert ids(world.batch(count=3, page="c")) == [2, 3]


def test_the_samples_of_a_page_that_says_nothing_more_come_free_with_its_lease(world):
    world.publish(1, 2)
    assert ids(world.batch(count=1, page="a", now=NOON)) == [1]
    assert ids(world.batch(count=2, page="b", now=NOON + timedelta(seconds=59))) == [2]
    assert ids(world.batch(count=2, page="b", now=NOON + timedelta(seconds=61))) == [1, 2]


def test_a_page_opened_anew_adopts_what_closed_ones_had_on_screen(world):
    world.publish(1, 2, 3)
    first = world.batch(count=2, page="a")
    world.batch(count=2, page="a", keep=[first[1].token])
    world.tell(adopt_claims, annotator_id=world.ada, pages=["a"], page="b")
    assert ids(world.batch(count=2, page="b")) == [2, 1]


def test_the_same_name_on_another_page_is_told_while_that_page_lives(world):
    world.publish(1, 2, 3)
    world.batch(count=1, page="a", now=NOON)
    known = {"annotator_id": world.ada, "page": "b"}
    assert world.ask(has_other_page, **known, now=NOON)
    assert not world.ask(has_other_page, **known, now=NOON + timedelta(minutes=2))
    assert not world.ask(has_other_page, annotator_id=world.ada, page="a", now=NOON)
    assert not world.ask(has_other_page, annotator_id=world.bob, page="b", now=NOON)


def test_a_page_gets_back_what_it_showed_but_not_what_another_page_of_the_name_has(world):
    world.publish(1, 2, 3)
    world.batch(count=1, page="a")
    assert world.tell(return_to, annotator_id=world.ada, sample_id=1, page="b") == []
    assert len(world.tell(return_to, annotator_id=world.ada, sample_id=2, page="b")) == 1


def test_an_undo_brings_the_sample_back_to_the_page_it_came_from(world):
    world.publish(1, 2)
    world.batch(count=1, page="a")
    world.label(1, request_id="key")
    world.batch(count=1, page="b")
    world.tell(undo_request, annotator_id=world.ada, request_id="key", undo_id="undo", page="b")
    assert ids(world.batch(count=1, page="b")) == [1]
    assert 1 not in ids(world.batch(count=2, page="a"))


def test_two_grids_of_one_name_show_different_samples(world):
    grid = {"annotator_id": world.ada, "sample_ids": [1, 2, 3, 4], "count": 2, "audit_share": 0.0}
    assert ids(world.tell(claim_grid, **grid, page="a")) == [1, 2]
    assert ids(world.tell(claim_grid, **grid, page="b")) == [3, 4]
