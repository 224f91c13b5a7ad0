from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.project.project import Project
from app.project.settings import save_settings
from app.project.simplest import GAIN, SIMPLEST
from app.trainer.measuring.simplest import measure_simplest
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from loops.predictors.linear import LinearOfRows
from storage.metrics import MetricInfo, NewMetric, list_metrics
from storage.rounds import add_metrics, list_queries, list_rounds, open_round
from tests.app.trainer.conftest import Annotator


@pytest.fixture
def audited(
    project: Project,
    make_bench: Callable[[], Workbench],
    annotator: Annotator,
    monkeypatch: pytest.MonkeyPatch,
) -> Workbench:
    """Round 2 of the default is open; two of five samples shown was an audit sample."""
    for module in ("app.trainer.measuring.simplest", "loops.evaluation.beside_simplest"):
        monkeypatch.setattr(f"{module}.FEWEST_DRAWN", 8)
        monkeypatch.setattr(f"{module}.FEWEST_JUDGED", 8)
    settings = replace(project.settings(), audit_share=0.4, predictor="auto", acquisition="auto")
    save_settings(project.settings_path, settings)
    bench = make_bench()
    for _ in range(2):
        run_rounds(bench)
        annotator.label(10)
    run_rounds(bench)
    return bench


def gains(bench: Workbench) -> list[MetricInfo]:
    with bench.database.read() as session:
        return list_metrics(session, project_id=bench.project_id, name=GAIN)


def test_a_round_is_compared_once_and_gives_way(audited: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []
    fit = LinearOfRows.fit

    def watched(self: LinearOfRows, labels: dict[int, int], **more: object) -> None:
        if type(self) is LinearOfRows:
            fits.append(len(labels))
        fit(self, labels, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(LinearOfRows, "fit", watched)
    measure_simplest(audited, lambda: None)
    (gain,) = gains(audited)
    assert gain.round_number == 2
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low <= gain.value <= gain.high
    assert set(fits) == {gain.n}, "the simplest thing learns from as many labels"

    measure_simplest(audited, lambda: fits.append(-1))
    assert len(gains(audited)) == 1
    assert -1 not in fits


def test_what_a_person_chose_is_not_compared(audited: Workbench, project: Project) -> None:
    save_settings(project.settings_path, replace(project.settings(), acquisition="margin"))
    measure_simplest(audited, lambda: None)
    assert gains(audited) == []


def test_a_default_that_was_worse_gives_way_in_the_next_round_and_comes_back(
    audited: Workbench, make_bench: Callable[[], Workbench], annotator: Annotator
) -> None:
    note(audited, NewMetric(GAIN, -0.3, -0.4, -0.2, 8))
    annotator.label(4)
    bench = make_bench()
    run_rounds(bench)
    assert asked(bench) == (SIMPLEST, "random", {"logistic regression"})

    measure_simplest(bench, lambda: None)  # the default is still what is compared
    assert [gain.round_number for gain in gains(bench)] == [2, 3]
    note(bench, NewMetric(GAIN, 0.0, -0.1, 0.1, 8))
    annotator.label(4)
    bench = make_bench()
    assert (bench.settings.predictor, bench.settings.acquisition) == ("auto", "auto")


def note(bench: Workbench, gain: NewMetric) -> None:
    with bench.database.write() as session:
        latest = open_round(session, project_id=bench.project_id)
        assert latest is not None
        add_metrics(session, round_id=latest.id, generation=bench.generation, metrics=[gain])


def asked(bench: Workbench) -> tuple[str, str, set[str | None]]:
    with bench.database.read() as session:
        latest = list_rounds(session, project_id=bench.project_id)[-1]
        queries = [query for query in list_queries(session, round_id=latest.id) if query.purpose == "train"]
    return latest.predictor, latest.acquisition, {query.predictor for query in queries}
