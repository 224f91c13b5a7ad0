"""Real processes on one file: nothing is lost, nothing is given twice, nobody gets a lock error."""

import threading

import pytest

from storage.labels import current_labels, list_events
from storage.models import Project
from storage.opening import open_database
from storage.rounds import list_queries, list_rounds, mark_scoring
from storage.samples import add_samples
from storage.votes import list_votes

COUNT_UP = """
import sys
from storage.opening import open_database
from storage.models import Project

database = open_database(sys.argv[1])
for _ in range(50):
    with database.write() as session:
        project = session.get_one(Project, 1)
        project.seed = project.seed + 1
database.close()
"""

WITHOUT_WAL = "import storage.library; storage.library.is_wal_safe = lambda version: False\n"

LABEL_ALL = """
import sys
import time
from storage.opening import open_database
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch

database = open_database(sys.argv[1])
with database.write() as session:
    annotator_id = get_or_create_annotator(session, project_id=1, name=f"annotator {sys.argv[2]}")
while True:
    with database.write() as session:
        batch = claim_batch(session, project_id=1, annotator_id=annotator_id, count=1, lease_s=3600)
    if not batch:
        break
    (claimed,) = batch
    print(claimed.sample.id)
    time.sleep(0.02)  # a look at it; SQLite lets a writer that never pauses starve the others
    with database.write() as session:
        record_decision(
            session,
            project_id=1,
            sample_id=claimed.sample.id,
            annotator_id=annotator_id,
            action="label",
            class_index=0,
            request_id=claimed.token,
        )
database.close()
"""

CLAIM_AND_LEAVE = """
import sys
from storage.opening import open_database
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch

database = open_database(sys.argv[1])
for number in range(10):
    with database.write() as session:
        annotator_id = get_or_create_annotator(session, project_id=1, name=f"{sys.argv[2]}/{number}")
        (claimed,) = claim_batch(session, project_id=1, annotator_id=annotator_id, count=1, lease_s=3600)
        print(claimed.sample.id)
database.close()
"""

RESUBMIT = """
import sys
from storage.opening import open_database
from storage.labels import record_decision

database = open_database(sys.argv[1])
for number in range(1, 11):
    for _ in range(5):
        with database.write() as session:
            event = record_decision(
                session, project_id=1, sample_id=number, annotator_id=1, action="label",
                class_index=number % 2, request_id=f"screen {number}",
            )
    print(event.id)
database.close()
"""

LABEL_OR_REORDER = f"""
import random
import sys
from storage.opening import open_database
from storage.rerank import replace_tail
from storage.rounds import NewQuery

if sys.argv[2] == "0":
    database = open_database(sys.argv[1])
    for seed in range(20):
        drawn = random.Random(seed).sample(range(1, 101), 100)
        with database.write() as session:
            ranking = [NewQuery(number, rank, "train", 0.5, 1.0) for rank, number in enumerate(drawn)]
            replace_tail(session, round_id=1, generation=1, ranking=ranking)
    database.close()
else:
    exec({LABEL_ALL!r})
"""

LABEL_AHEAD = """
import sys
import time
from sqlalchemy import text
from storage.opening import open_database
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch

TOO_MANY = text(
    "SELECT count(*) FROM queries WHERE annotators <"
    " (SELECT count(*) FROM claims WHERE claims.sample_id = queries.sample_id) +"
    " (SELECT count(DISTINCT annotator_id) FROM label_events WHERE label_events.sample_id = queries.sample_id)"
)

database = open_database(sys.argv[1])
pages = {}
with database.write() as session:
    for number in range(int(sys.argv[2])):
        pages[get_or_create_annotator(session, project_id=1, name=f"{sys.argv[-1]}/{number}")] = []
while pages:
    for annotator_id, batch in list(pages.items()):
        with database.write() as session:
            screen = [claimed.token for claimed in batch[:2]]
            batch = claim_batch(
                session, project_id=1, annotator_id=annotator_id, count=6, keep=screen, lease_s=3600
            )
            assert session.execute(TOO_MANY).scalar() == 0
        if not batch:
            del pages[annotator_id]
            continue
        time.sleep(0.01)  # a look at it; SQLite lets a writer that never pauses starve the others
        shown = batch[0]
        with database.write() as session:
            record_decision(
                session, project_id=1, sample_id=shown.sample.id, annotator_id=annotator_id, action="label",
                class_index=0, request_id=shown.token,
            )
        print(shown.sample.id)
        pages[annotator_id] = batch[1:]
database.close()
"""

LABEL_AHEAD_OR_REPLACE = f"""
import random
import sys
import time
from storage.opening import open_database
from storage.rerank import replace_tail
from storage.rounds import NewQuery

if sys.argv[-1] == "0":
    database = open_database(sys.argv[1])
    for seed in range(10):
        drawn = random.Random(seed).sample(range(1, 121), 120)  # every sample stays in the list
        with database.write() as session:
            ranking = [NewQuery(number, rank, "train", 0.5, 1.0) for rank, number in enumerate(drawn)]
            replace_tail(session, round_id=1, generation=1, ranking=ranking)
        time.sleep(0.02)
    database.close()
else:
    exec({LABEL_AHEAD!r})
"""

PUBLISH = """
import sys
from storage.opening import open_database
from storage.rounds import NewQuery, publish_round

database = open_database(sys.argv[1])
with database.write() as session:
    queries = [NewQuery(number, number, "train", 0.5, 1.0) for number in range(1, 11)]
    print(
        publish_round(
            session, round_id=1, generation=1, queries=queries, metrics=(), fit_seconds=0.0, score_seconds=0.0
        )
    )
database.close()
"""


def url_of(world):
    return world.database.url.render_as_string(hide_password=False)


def numbers(outputs):
    return [int(line) for output in outputs for line in output.split()]


def test_read_modify_writes_of_four_processes_lose_nothing(world, run_processes):
    run_processes(COUNT_UP, 4, url_of(world))
    with world.database.read() as session:
        assert session.get_one(Project, 1).seed == 200


@pytest.mark.sqlite
def test_without_wal_they_lose_nothing_either(world, run_processes):
    world.database.close()  # one journal mode at a time
    run_processes(WITHOUT_WAL + COUNT_UP, 4, url_of(world))
    world.database = open_database(f"sqlite:///{world.database.path}")
    with world.database.read() as session:
        assert session.get_one(Project, 1).seed == 200
    world.database.close()


@pytest.mark.sqlite
def test_starts_that_all_waited_to_leave_wal_do_not_wait_for_each_other(world, run_processes):
    held = world.database.connect_to_write()  # by a program that is still in WAL

    def let_go() -> None:
        held.close()
        world.database.close()

    timer = threading.Timer(2.0, let_go)  # when all have started and none got the file
    timer.start()
    run_processes(WITHOUT_WAL + COUNT_UP, 4, url_of(world))
    timer.join()
    world.database = open_database(f"sqlite:///{world.database.path}")
    with world.database.read() as session:
        assert session.get_one(Project, 1).seed == 200


def test_forty_annotators_in_four_processes_never_hold_one_sample(world, samples_like, run_processes):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(40)])
    world.publish(*range(1, 51))
    claimed = numbers(run_processes(CLAIM_AND_LEAVE, 4, url_of(world)))
    assert sorted(claimed) == list(range(1, 41))  # the forty best, each once


def test_four_processes_label_a_ranking_without_gap_or_double(world, samples_like, run_processes):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(90)])
    world.publish(*range(1, 101))
    shown = numbers(run_processes(LABEL_ALL, 4, url_of(world)))
    assert sorted(shown) == list(range(1, 101))
    assert [label.sample_id for label in world.ask(current_labels)] == list(range(1, 101))
    assert len(world.ask(list_events)) == 100


def test_a_ranking_that_is_reordered_meanwhile_is_labeled_without_gap_or_double(world, samples_like, run_processes):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(90)])
    world.publish(*range(1, 101))
    shown = numbers(run_processes(LABEL_OR_REORDER, 4, url_of(world)))
    assert sorted(shown) == list(range(1, 101))
    assert shown != sorted(shown)
    with world.database.read() as session:
        assert [query.rank for query in list_queries(session, round_id=1)] == list(range(100))
    ranks = [event.rank for event in world.ask(list_events)]
    assert sorted(ranks) == list(range(100))  # every place was answered once, under the rank it was shown with


def test_ten_annotators_who_fetch_ahead_never_hold_or_label_one_sample_twice(world, samples_like, run_processes):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(90)])
    world.publish(*range(1, 101), audit=tuple(range(10, 101, 10)))
    shown = numbers(run_processes(LABEL_AHEAD, 5, url_of(world), 2))
    assert sorted(shown) == list(range(1, 101))
    assert len(world.ask(list_events)) == 100


def test_they_do_not_either_while_the_ranking_is_replaced(world, samples_like, run_processes):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(110)])
    world.publish(*range(1, 61), audit=tuple(range(10, 61, 10)))
    shown = numbers(run_processes(LABEL_AHEAD_OR_REPLACE, 6, url_of(world), 2))
    events = world.ask(list_events)
    assert sorted(shown) == sorted({event.sample_id for event in events})
    assert len(shown) == len(events) >= 60
    assert {event.sample_id for event in events if event.purpose == "audit"} == set(range(10, 61, 10))
    assert all(event.round_number == 0 and event.score == 0.5 for event in events)


def test_two_of_ten_annotators_label_each_sample_that_wants_two(world, samples_like, run_processes):
    world.tell(add_samples, samples=[samples_like(f"more {number}") for number in range(20)])
    world.publish(*range(1, 31), annotators=2)
    shown = numbers(run_processes(LABEL_AHEAD, 5, url_of(world), 2))
    assert sorted(shown) == sorted([*range(1, 31), *range(1, 31)])
    votes = world.ask(list_votes)
    assert len(votes) == 60 == len({(vote.sample_id, vote.annotator_id) for vote in votes})


def test_two_hundred_resubmissions_store_ten_events(world, run_processes):
    answers = run_processes(RESUBMIT, 4, url_of(world))
    assert len(world.ask(list_events)) == 10
    assert answers == [answers[0]] * 4  # all processes were told of the same events


def test_four_trainers_publish_a_round_once(world, run_processes):
    begun = world.begin()
    with world.database.write() as session:
        mark_scoring(session, round_id=begun.id, generation=1, checkpoint=None, sha256=None, size=None)
    answers = run_processes(PUBLISH, 4, url_of(world))
    assert sorted(answers) == ["False\n"] * 3 + ["True\n"]
    assert [entry.state for entry in world.ask(list_rounds)] == ["open"]
