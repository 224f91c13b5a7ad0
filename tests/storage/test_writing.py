"""Thirty writers at once: none is told "busy", none waits for long, each gets its own answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from storage import journal
from storage.errors import DatabaseError, DiskFullError, InvalidDecisionError
from storage.labels import list_events, record_decision
from storage.writing import WriteQueue

WRITERS = 30
EACH = 20


def deciding(world, sample_id, request_id, class_index=0):
    def work(session):
        return record_decision(
            session, project_id=world.project_id, sample_id=sample_id, annotator_id=world.ada, action="label",
            class_index=class_index, request_id=request_id,
        )  # fmt: skip

    return work


def test_thirty_writers_at_once_store_each_decision_once_in_fewer_transactions(world, monkeypatch):
    queue, together, transactions = WriteQueue(world.database), Barrier(WRITERS), []
    begun = world.database.write
    monkeypatch.setattr(world.database, "write", lambda: transactions.append(1) or begun())

    def write(writer):
        together.wait()
        work = [deciding(world, 1 + writer % 10, f"{writer}-{number}") for number in range(EACH)]
        return [queue.run(one).request_id for one in work]

    with ThreadPoolExecutor(WRITERS) as pool:
        answered = [name for names in pool.map(write, range(WRITERS)) for name in names]
    wanted = {f"{writer}-{number}" for writer in range(WRITERS) for number in range(EACH)}
    assert len(answered) == WRITERS * EACH
    assert set(answered) == wanted == {event.request_id for event in world.ask(list_events)}
    told = journal.read(world.database.path.with_name(journal.NAME)).entries
    assert sorted(entry["event"]["request_id"] for entry in told if "event" in entry) == sorted(wanted)
    assert len(transactions) < WRITERS * EACH


def share_one_transaction(world, *works):
    """Let several writes wait for each other."""
    queue = WriteQueue(world.database)
    with ThreadPoolExecutor(len(works)) as pool, queue._turn:  # nobody begins before all wait
        futures = [pool.submit(queue.run, work) for work in works]
        while len(queue._waiting) < len(works):
            pass
    return [future.exception() or future.result() for future in futures]


def test_one_that_is_refused_leaves_the_others_and_no_line(world):
    first, refused, last = share_one_transaction(
        world, deciding(world, 1, "first"), deciding(world, 2, "wrong", class_index=9), deciding(world, 3, "last")
    )
    assert (first.sample_id, last.sample_id) == (1, 3)
    assert isinstance(refused, InvalidDecisionError)
    assert [event.request_id for event in world.ask(list_events)] == ["first", "last"]
    told = journal.read(world.database.path.with_name(journal.NAME)).entries
    assert [entry["event"]["request_id"] for entry in told if "event" in entry] == ["first", "last"]


def test_what_the_database_refuses_is_told_to_all_who_share_it(world):
    def full(session):
        raise DiskFullError

    outcomes = share_one_transaction(world, deciding(world, 1, "first"), full)
    assert all(isinstance(outcome, DatabaseError) for outcome in outcomes)
    assert world.ask(list_events) == []


def test_an_error_of_the_work_itself_reaches_who_asked(world):
    with pytest.raises(ZeroDivisionError):
        WriteQueue(world.database).run(lambda session: 1 // 0)
