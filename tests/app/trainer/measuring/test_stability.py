from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.project.scores import scores_path
from app.trainer.measuring.stability import measure_stability
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from storage.metrics import MetricInfo, list_metrics
from tests.app.trainer.conftest import QUERY_SIZE, Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")


@pytest.fixture
def bench(make_bench: Callable[[], Workbench]) -> Workbench:
    return make_bench()


def kappas(bench: Workbench) -> list[MetricInfo]:
    with bench.database.read() as session:
        return list_metrics(session, project_id=bench.project_id, name="prediction_kappa")


def write_predictions(bench: Workbench, round_number: int, predicted: dict[int, int]) -> None:
    path = scores_path(bench.project.rounds_dir, round_number)
    path.parent.mkdir(parents=True, exist_ok=True)
    ids, classes = np.array(list(predicted), np.int64), np.array(list(predicted.values()), np.int16)
    pq.write_table(pa.table({"sample_id": ids, "predicted": classes}), path)


def test_rounds_that_agree_on_three_of_four_samples_have_kappa_one_half(bench: Workbench) -> None:
    run_rounds(bench)
    write_predictions(bench, -1, {1: 0, 2: 0, 3: 1, 4: 1, 9: 1})
    write_predictions(bench, 0, {4: 0, 3: 1, 2: 0, 1: 0, 8: 1})
    measure_stability(bench)
    (metric,) = kappas(bench)
    assert (metric.value, metric.n) == (pytest.approx(0.5), 4)


def test_it_is_measured_once_for_each_round_that_has_one_before(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    measure_stability(bench)
    annotator.label(QUERY_SIZE)
    run_rounds(bench)
    measure_stability(bench)
    assert kappas(bench) == [], "the cold start has predicted nothing"
    annotator.label(QUERY_SIZE)
    run_rounds(bench)
    measure_stability(bench)
    measure_stability(bench)
    (metric,) = kappas(bench)
    assert metric.round_number == 2
    assert -1 <= metric.value <= 1
    assert metric.n is not None


def test_a_round_that_was_closed_before_anything_was_measured_is_measured_later(
    bench: Workbench, annotator: Annotator
) -> None:
    run_rounds(bench)
    annotator.label(QUERY_SIZE)
    run_rounds(bench)
    for round_number in (-1, 0):
        write_predictions(bench, round_number, {1: 0, 2: 1})
    measure_stability(bench)
    assert next((metric.round_number, metric.value) for metric in kappas(bench)) == (0, 1.0)
