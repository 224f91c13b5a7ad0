from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.trainer.measuring.shadow import measure_shadows
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from loops.errors import TrainingInterruptedError
from loops.predictors.network import Network
from storage.metrics import MetricInfo, list_metrics
from tests.app.trainer.conftest import Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")


@pytest.fixture
def audited(make_bench: Callable[[], Workbench], annotator: Annotator, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Round 2 is open; every second sample shown was an audit sample."""
    monkeypatch.setattr("app.trainer.measuring.shadow.FEWEST_AUDITED", 8)
    monkeypatch.setattr("loops.evaluation.labels_saved.FEWEST_AUDITED", 8)
    monkeypatch.setattr("loops.evaluation.labels_saved.FEWEST_SIZES", 2)  # half of a pool of 60 that is mostly labeled
    monkeypatch.setattr("loops.evaluation.shadow.NUM_FOLDS", 2)
    bench = make_bench()
    bench = replace(bench, settings=replace(bench.settings, audit_share=0.5, acquisition="margin"))
    for _ in range(2):
        run_rounds(bench)
        annotator.label(10)
    run_rounds(bench)
    return bench


def metrics(bench: Workbench, name: str) -> list[MetricInfo]:
    with bench.database.read() as session:
        return list_metrics(session, project_id=bench.project_id, name=name)


def test_a_round_is_measured_once_gives_way_and_teaches_the_real_model_nothing(
    audited: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = set(audited.pool.ids[audited.pool.audit_keys < 0.5].tolist())
    taught: list[set[int]] = []
    fit = Network.fit

    def watched(self: Network, labels: dict[int, int], **more: object) -> None:
        taught.append(set(labels))
        fit(self, labels, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Network, "fit", watched)
    monkeypatch.setattr("app.trainer.measuring.shadow.FEWEST_AUDITED", 1000)
    measure_shadows(audited, lambda: None)
    assert metrics(audited, "labels_random") == taught == []
    monkeypatch.setattr("app.trainer.measuring.shadow.FEWEST_AUDITED", 8)

    ticks = iter(range(20))  # of some fifty: five fits of four steps
    with pytest.raises(TrainingInterruptedError):
        measure_shadows(audited, lambda: interrupt_at_the_end_of(ticks))
    assert metrics(audited, "labels_random") == []
    before = len(taught)
    measure_shadows(audited, lambda: None)
    assert taught[0] not in taught[before:], "what was fitted before it gave way is not fitted again"
    assert any(labels <= reserve for labels in taught)

    (random,) = metrics(audited, "labels_random")
    assert (random.round_number, random.labels) == (2, 20)
    assert random.low is not None
    assert random.low <= random.value
    (uniform,) = metrics(audited, "accuracy_uniform_4")
    assert uniform.n == random.n
    assert len(metrics(audited, "gain_at_equal_labels")) == 1

    taught.clear()
    measure_shadows(audited, lambda: None)
    run_rounds(audited)
    assert taught == []


def interrupt_at_the_end_of(ticks: Iterator[int]) -> None:
    if next(ticks, None) is None:
        raise TrainingInterruptedError(steps=0, wanted=0)
