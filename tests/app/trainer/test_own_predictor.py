"""A project whose predictor and acquisition function are somebody's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.project.project import Project
from app.project.settings import save_settings
from app.trainer.measuring.cross_validation import cross_validate, due_round
from app.trainer.model_export import export_model
from app.trainer.oracle import DatabaseOracle
from app.trainer.re_ranking import ReRanker
from app.trainer.resuming import restored
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from loops.checkpoint import read_checkpoint
from loops.oracle import Query
from loops.predictors.champion import Champion
from loops.predictors.network import Network
from loops.predictors.scikit import ScikitPredictor
from storage.engine import Database
from storage.metrics import list_metrics
from storage.rounds import QueryInfo, RoundInfo, latest_round, list_queries
from tests.app.trainer.conftest import QUERY_SIZE, Annotator
from tests.loops.acquisition.entry_points import install

pytestmark = pytest.mark.usefixtures("quick_predictor")

FOREST = "tests.app.trainer.small_forest:forest"
Choose = Callable[..., Workbench]


@pytest.fixture
def choose(project: Project, make_bench: Callable[[], Workbench]) -> Choose:
    def chosen(**settings: str) -> Workbench:
        save_settings(project.settings_path, replace(project.settings(), **settings))  # type: ignore[arg-type]
        return make_bench()

    return chosen


def latest(bench: Workbench) -> RoundInfo:
    with bench.database.read() as session:
        found = latest_round(session, project_id=bench.project_id)
    assert found is not None
    return found


def queue(bench: Workbench) -> list[QueryInfo]:
    with bench.database.read() as session:
        return list(list_queries(session, round_id=latest(bench).id))


def test_a_forest_publishes_rounds_and_ranks_anew_after_each_label(choose: Choose, annotator: Annotator) -> None:
    bench = choose(predictor=FOREST, acquisition="bald")
    run_rounds(bench)
    annotator.label(3 * QUERY_SIZE)
    run_rounds(bench)
    info = latest(bench)
    assert (info.number, info.state, info.predictor, info.acquisition) == (1, "open", FOREST, "bald")
    assert all(query.suggestion is not None for query in queue(bench))
    with bench.database.read() as session:
        (test,) = list_metrics(session, project_id=bench.project_id, name="accuracy_test")
    assert test.n == 10

    re_ranker = ReRanker(bench)
    seen = {event.sample_id for event in annotator.label(2)}
    assert re_ranker.look() > 0
    scores = [query.score for query in queue(bench) if query.purpose == "train" and query.sample_id not in seen]
    assert scores == sorted(scores, key=lambda score: -(score or 0.0))
    assert re_ranker.described is not None
    assert re_ranker.described.name == FOREST


def test_its_round_goes_on_after_a_kill_from_a_file_that_runs_nothing(
    choose: Choose, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = choose(predictor=FOREST, acquisition="bald")
    run_rounds(bench)
    annotator.label(3 * QUERY_SIZE)
    fits, ask = [], DatabaseOracle.answer
    fit = ScikitPredictor.fit

    def counted(self: ScikitPredictor, *given: object, **more: object) -> None:
        fits.append(more["round_number"])
        fit(self, *given, **more)  # type: ignore[arg-type]

    def killed(self: DatabaseOracle, query: Query | None) -> object:
        if query is not None:
            raise KeyboardInterrupt
        return ask(self, query)

    with monkeypatch.context() as patched:
        patched.setattr(DatabaseOracle, "answer", killed)
        with pytest.raises(KeyboardInterrupt):
            run_rounds(bench)
    info = latest(bench)
    assert (info.state, info.checkpoint) == ("scoring", "rounds/0001/model.ckpt")
    content = read_checkpoint(bench.project.folder / str(info.checkpoint))  # tensors and plain values alone
    assert len(content["fitted_on"]) == 3 * QUERY_SIZE

    monkeypatch.setattr(ScikitPredictor, "fit", counted)
    run_rounds(bench)
    assert latest(bench).state == "open"
    assert fits == [1], "on the labels in the file, as it was loaded"


def test_a_forest_beside_the_graph_is_weighed_cross_validated_and_taught_to_a_network_for_export(
    choose: Choose, annotator: Annotator, tmp_path: Path
) -> None:
    bench = choose(predictor=FOREST, acquisition="auto")
    run_rounds(bench)
    annotator.label(32)
    run_rounds(bench)
    due = due_round(bench)
    assert due is not None
    cross_validate(bench, due, lambda: None)
    with bench.database.read() as session:
        (metric,) = list_metrics(session, project_id=bench.project_id, name="accuracy_cross_validated")
    assert metric.n == 32
    predictor = restored(bench, latest(bench))
    assert isinstance(predictor, Champion)
    assert predictor.weights.weighed_at == 32
    assert export_model(bench.database, bench.project, tmp_path / "out").classes == 10


def test_another_predictor_takes_over_in_the_next_round(
    choose: Choose, annotator: Annotator, database: Database
) -> None:
    bench = choose(predictor=FOREST, acquisition="bald")
    run_rounds(bench)
    for predictor, acquisition, named in (
        (FOREST, "bald", FOREST),
        ("auto", "auto", "cnn"),
        ("auto", "bald", "cnn"),
        (FOREST, "committee_bald", FOREST),
        (FOREST, "auto", FOREST),
    ):
        bench = choose(predictor=predictor, acquisition=acquisition)
        annotator.label(QUERY_SIZE)
        run_rounds(bench)
        assert (latest(bench).state, latest(bench).predictor) == ("open", named)
        assert not list(bench.project.rounds_dir.rglob("*.damaged")), "of another kind is not damaged"


def test_a_project_of_yesterdays_release_goes_on_with_its_round(
    choose: Choose, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checkpoint holds a network, with the graph's labels in the loop's state; killed between fit and question."""
    bench = choose(acquisition="auto")
    run_rounds(bench)
    annotator.label(QUERY_SIZE)

    def as_yesterday(self: Champion, path: Path, loop_state: dict[str, object]) -> object:
        network = bench.network()
        network.fit(self._labels, round_number=1)
        return Network.save(network, path, {**loop_state, "graph_learner": {"network": False, "compared_at": 0}})

    with monkeypatch.context() as patched:
        patched.setattr(Champion, "save", as_yesterday)
        run_rounds(bench)
    assert ReRanker(bench).look() == 0, "nothing is new"
    annotator.label(1)
    assert ReRanker(bench).look() > 0, "it ranks by all labels there are"
    annotator.label(QUERY_SIZE - 1)
    run_rounds(bench)
    assert (latest(bench).number, latest(bench).state) == (2, "open")
    assert not list(bench.project.rounds_dir.rglob("*.damaged"))


def test_a_function_of_an_installed_package_asks_a_round_and_orders_it_after_each_label(
    choose: Choose, annotator: Annotator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch)
    bench = choose(acquisition="least_first_class")
    run_rounds(bench)
    annotator.label(2 * QUERY_SIZE)
    run_rounds(bench)
    assert latest(bench).acquisition == "least_first_class"
    annotator.label(1)
    assert ReRanker(bench).look() > 0
