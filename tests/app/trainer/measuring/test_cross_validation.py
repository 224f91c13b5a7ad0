from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.project.project import Project
from app.project.settings import save_settings
from app.trainer.measuring.cross_validation import cross_validate, due_round
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from storage.metrics import list_metrics
from tests.app.trainer.conftest import Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")


def test_while_the_graph_answers_its_answers_are_cross_validated(
    project: Project, make_bench: Callable[[], Workbench], annotator: Annotator
) -> None:
    save_settings(project.settings_path, replace(project.settings(), acquisition="auto"))
    bench = make_bench()
    run_rounds(bench)
    annotator.label(24)
    run_rounds(bench)
    due = due_round(bench)
    assert due is not None
    cross_validate(bench, due, lambda: pytest.fail("no network is fitted, so nothing has to give way"))
    with bench.database.read() as session:
        (metric,) = list_metrics(session, project_id=bench.project_id, name="accuracy_cross_validated")
    assert metric.n == 24
    assert metric.value > 0.3, "a network of two steps would guess"
