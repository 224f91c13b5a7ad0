from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.project.project import Project
from app.project.settings import save_settings
from app.trainer.measuring import cross_validation
from app.trainer.measuring.between_rounds import BetweenRounds
from app.trainer.measuring.cross_validation import due_round
from app.trainer.re_ranking import ReRanker
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from loops import kfold
from loops.predictors.predictor import Predictor
from loops.settings import LoopSettings
from storage.current import decided_ids
from storage.labels import record_decision
from storage.metrics import list_metrics
from storage.projects import get_or_create_annotator
from storage.queue import claim_batch
from storage.rounds import list_queries, open_round
from storage.suspects import list_suspects
from storage.trainer import list_errors, request_training
from tests.app.trainer.conftest import QUERY_SIZE, Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")


@pytest.fixture
def bench(make_bench: Callable[[], Workbench]) -> Workbench:
    return make_bench()


@pytest.fixture
def after_a_round(bench: Workbench, annotator: Annotator) -> Workbench:
    """Round 1 is open, trained on 24 labels."""
    run_rounds(bench)
    annotator.label(24)
    run_rounds(bench)
    return bench


def queue(bench: Workbench) -> list[tuple[int, str, float | None]]:
    with bench.database.read() as session:
        latest = open_round(session, project_id=bench.project_id)
        assert latest is not None
        return [(query.sample_id, query.purpose, query.score) for query in list_queries(session, round_id=latest.id)]


def test_labels_are_looked_for_after_every_batch_of_a_pass_over_the_pool_too(bench: Workbench) -> None:
    looks: list[str] = []
    predictor = bench.predictor(lambda _fold: [cross_validation.InterruptCallback(lambda: looks.append("look"))])
    ids = bench.pool.ids[:4].tolist()
    predictor.fit({ids[0]: 0, ids[1]: 1}, round_number=1)
    looks.clear()
    predictor.predict(ids)
    assert looks == ["look"], "one batch"


def test_labels_are_looked_for_while_other_processes_fit_and_score() -> None:
    looks: list[str] = []
    give_way = cross_validation.InterruptCallback(lambda: looks.append("look"))
    give_way.on_devices_epoch(1, 20)
    give_way.on_devices_samples(1, 20)
    assert len(looks) == 2


def test_a_label_re_ranks_what_nobody_has_seen_and_nothing_else(after_a_round: Workbench, annotator: Annotator) -> None:
    re_ranker = ReRanker(after_a_round)
    before = queue(after_a_round)
    assert re_ranker.look() == 0, "nothing is new yet"
    seen = {event.sample_id for event in annotator.label(3)}
    assert re_ranker.look() > 0
    after = queue(after_a_round)
    assert [line for line in before if line[0] in seen] == [line for line in after if line[0] in seen]
    places_of_audit = [rank for rank, line in enumerate(before) if line[1] == "audit"]
    assert [rank for rank, line in enumerate(after) if line[1] == "audit"] == places_of_audit
    unseen = [line[2] for line in after if line[0] not in seen and line[1] == "train"]
    assert unseen == sorted(unseen, key=lambda score: -(score or 0.0))
    assert re_ranker.look() == 0, "nothing is new any more"


def test_the_same_labels_give_the_same_order_however_often_it_looked(
    after_a_round: Workbench, annotator: Annotator
) -> None:
    eager = ReRanker(after_a_round)
    for _ in range(3):
        annotator.label(1)
        eager.look()
    order = queue(after_a_round)
    ReRanker(after_a_round).look()
    assert [line[0] for line in queue(after_a_round)] == [line[0] for line in order]


def test_re_ranking_can_be_switched_off_and_leaves_other_acquisitions_alone(
    after_a_round: Workbench, annotator: Annotator
) -> None:
    annotator.label(3)
    before = queue(after_a_round)
    off = replace(after_a_round, settings=replace(after_a_round.settings, re_rank=False))
    assert ReRanker(off).look() == 0
    assert queue(after_a_round) == before


def test_cross_validation_reports_accuracy_and_suspected_labels_once_per_round(
    bench: Workbench, annotator: Annotator
) -> None:
    run_rounds(bench)
    annotator.label(24)
    run_rounds(bench)
    due = due_round(bench)
    assert due is not None
    BetweenRounds(bench).work()
    assert due_round(bench) is None
    with bench.database.read() as session:
        (metric,) = list_metrics(session, project_id=bench.project_id, name="accuracy_cross_validated")
        suspects = list_suspects(session, project_id=bench.project_id)
    assert metric.n == 24
    assert metric.low <= metric.value <= metric.high
    assert all(suspect.given_index != suspect.suggested_index for suspect in suspects)
    assert not (bench.project.rounds_dir / "0001" / "folds").exists()


def test_too_few_labels_are_not_cross_validated(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    annotator.label(QUERY_SIZE)
    run_rounds(bench)
    assert due_round(bench) is None


def test_cross_validation_gives_way_to_a_finished_round_and_is_no_failure(
    after_a_round: Workbench, project_id: int
) -> None:
    with after_a_round.database.write() as session:
        request_training(session, project_id=project_id, kind="train")
    between = BetweenRounds(after_a_round)
    between.work()
    assert between.given_up == set()
    with after_a_round.database.read() as session:
        assert list_errors(session, project_id=project_id) == []
        assert list_metrics(session, project_id=project_id, name="accuracy_cross_validated") == []


def test_its_failure_is_recorded_and_not_repeated_before_the_next_round(
    after_a_round: Workbench, project_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("not enough memory for the folds")

    monkeypatch.setattr(Predictor, "cross_validate", fail)
    between = BetweenRounds(after_a_round)
    between.work()
    between.work()
    with after_a_round.database.read() as session:
        (error,) = list_errors(session, project_id=project_id)
    assert (error.step, error.message) == ("cross-validating", "not enough memory for the folds")


def test_a_suspected_label_comes_back_as_a_second_look_and_its_answer_stands(
    after_a_round: Workbench, annotator: Annotator, project_id: int
) -> None:
    bench = after_a_round
    BetweenRounds(bench).work()
    with bench.database.read() as session:
        suspected = {suspect.sample_id for suspect in list_suspects(session, project_id=project_id)}
    if not suspected:
        pytest.fail("24 labels and a predictor of four steps: some must be suspected")
    annotator.label(QUERY_SIZE)
    run_rounds(bench)
    asked_again = [line[0] for line in queue(bench) if line[1] == "recheck"]
    assert asked_again
    assert set(asked_again) <= suspected
    events = list(iter(lambda: decide_wrongly(bench), None))
    rechecks = [event for event in events if event.purpose == "recheck"]
    assert [event.sample_id for event in rechecks] == asked_again


def decide_wrongly(bench: Workbench) -> object:
    with bench.database.write() as session:
        annotator_id = get_or_create_annotator(session, project_id=bench.project_id, name="me")
        claim = next(iter(claim_batch(session, project_id=bench.project_id, annotator_id=annotator_id, count=1)), None)
        if claim is None:
            return None
        return record_decision(
            session,
            project_id=bench.project_id,
            sample_id=claim.sample.id,
            annotator_id=annotator_id,
            action="label",
            class_index=0,
            request_id=claim.token,
        )


def test_settings_file_keeps_both_switches(project: Project) -> None:
    save_settings(project.settings_path, replace(project.settings(), re_rank=False, cross_validate=False))
    assert (project.settings().re_rank, project.settings().cross_validate) == (False, False)


def test_labels_that_were_drawn_at_random_give_a_lure_weighted_accuracy(
    bench: Workbench, annotator: Annotator, project_id: int
) -> None:
    drawn = replace(bench, settings=replace(bench.settings, acquisition="random", cold_start="random"))
    run_rounds(drawn)
    annotator.label(24)
    run_rounds(drawn)
    BetweenRounds(drawn).work()
    with bench.database.read() as session:
        (lure_weighted,) = list_metrics(session, project_id=project_id, name="accuracy_lure")
        (cross_validated,) = list_metrics(session, project_id=project_id, name="accuracy_cross_validated")
    assert lure_weighted.n == cross_validated.n == 24
    assert lure_weighted.value == pytest.approx(cross_validated.value), "uniform draws all weigh the same"


def test_chosen_labels_have_no_lure_weighted_accuracy(after_a_round: Workbench, project_id: int) -> None:
    BetweenRounds(after_a_round).work()
    with after_a_round.database.read() as session:
        assert list_metrics(session, project_id=project_id, name="accuracy_cross_validated")
        assert list_metrics(session, project_id=project_id, name="accuracy_lure") == []


def test_a_committee_is_not_cross_validated_a_second_time(
    bench: Workbench, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    committee = replace(bench, settings=replace(bench.settings, acquisition="committee_bald"))
    run_rounds(committee)
    annotator.label(24)
    run_rounds(committee)
    monkeypatch.delattr(kfold, "cross_validated")
    BetweenRounds(committee).work()
    with bench.database.read() as session:
        (metric,) = list_metrics(session, project_id=bench.project_id, name="accuracy_cross_validated")
        assert list_errors(session, project_id=bench.project_id) == []
    assert metric.n == 24


def test_the_queue_goes_on_with_what_the_round_scored_highest_until_the_pool_is_used_up(
    bench: Workbench, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoopSettings, "ranking_size", 6)
    run_rounds(bench)
    annotator.label(6)
    run_rounds(bench)
    re_ranker = ReRanker(bench)
    while annotator.decide() is not None:
        re_ranker.look()
    with bench.database.read() as session:
        decided = decided_ids(session, project_id=bench.project_id)
    may_be_asked = bench.pool.ids[bench.pool.audit_keys >= bench.settings.audit_share]
    assert set(may_be_asked.tolist()) <= decided
