from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest
import torch

from app.project.project import Project
from app.project.settings import save_settings
from app.trainer.every_label import Watching, WorkbenchState, watch
from app.trainer.re_ranking import ReRanker
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from storage.rounds import list_queries, open_round
from storage.trainer import list_errors
from tests.app.trainer.conftest import Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")


@pytest.fixture
def bench(make_bench: Callable[[], Workbench]) -> Workbench:
    return make_bench()


@contextmanager
def watching(bench: Workbench) -> Iterator[Connection]:
    """As in the process of its own, but on a thread; yields the trainer's end."""
    ours, theirs = Pipe()
    thread = threading.Thread(target=watch, args=(bench.project, theirs))
    thread.start()
    ours.send(WorkbenchState.of(bench, anew=False))
    yield ours
    ours.close()
    thread.join(30)
    assert not thread.is_alive()


def queue(bench: Workbench) -> list[int]:
    with bench.database.read() as session:
        latest = open_round(session, project_id=bench.project_id)
        assert latest is not None
        return [query.sample_id for query in list_queries(session, round_id=latest.id)]


def soon(happened: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def errors(bench: Workbench) -> list[str]:
    with bench.database.read() as session:
        return [error.message for error in list_errors(session, project_id=bench.project_id)]


def test_a_label_moves_the_queue_while_the_trainer_is_busy_with_something_else(
    bench: Workbench, annotator: Annotator
) -> None:
    run_rounds(bench)
    annotator.label(24)
    run_rounds(bench)
    before = queue(bench)
    with watching(bench):
        annotator.label(3)
        soon(lambda: queue(bench) != before)


def test_the_trainer_is_told_what_answers_in_plain_words_and_with_its_reasons(
    project: Project, make_bench: Callable[[], Workbench], annotator: Annotator
) -> None:
    save_settings(project.settings_path, replace(project.settings(), acquisition="auto"))
    bench = make_bench()
    run_rounds(bench)
    with watching(bench) as connection:
        annotator.label(1)
        assert connection.poll(30)
        described = connection.recv()
    assert described.sentence == (
        "There are too few labels to say how often the model is right; it learns from look-alikes."
    )
    assert described.details.startswith("Neighbors are looked for in")


def test_what_is_known_of_the_project_is_kept_until_something_changes(bench: Workbench) -> None:
    keeper = Watching(bench.project, bench.database)
    kept = []
    for taken in (
        WorkbenchState.of(bench, anew=False),
        WorkbenchState.of(bench, anew=False),
        WorkbenchState.of(bench, anew=True),
    ):
        keeper.take(taken)
        kept.append(keeper.re_ranker)
    assert kept[0] is kept[1]
    assert kept[1] is not kept[2]


def test_a_failure_is_recorded_once_and_the_next_workbench_is_another_attempt(
    bench: Workbench, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_rounds(bench)

    def fail(_self: ReRanker) -> int:
        raise MemoryError("not enough memory for the graph")

    monkeypatch.setattr(ReRanker, "look", fail)
    with watching(bench) as connection:
        soon(lambda: len(errors(bench)) == 1)
        annotator.label(1)
        connection.send(WorkbenchState.of(bench, anew=False))
        soon(lambda: len(errors(bench)) == 2)
    assert errors(bench) == ["not enough memory for the graph"] * 2


def test_re_ranking_leaves_the_random_numbers_of_a_fit_on_another_thread_alone(
    bench: Workbench, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_rounds(bench)
    annotator.label(24)
    run_rounds(bench)
    annotator.label(1)

    def seeded(*_: object) -> None:
        raise AssertionError("all threads share torch's random numbers")

    before = torch.get_rng_state()
    monkeypatch.setattr(torch, "manual_seed", seeded)
    assert ReRanker(bench).look() > 0
    assert bool((torch.get_rng_state() == before).all())
