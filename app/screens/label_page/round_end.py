"""A round's end as an event: what it gained and what the model confuses now, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from app.screens.shared.enough_measured import is_enough
from app.screens.shared.plain_text import whole_percent
from app.screens.shared.session import database, project_id
from storage.metrics import MetricInfo, NewConfusion, list_confusion, list_metrics
from storage.projects import list_classes

DATASETS = {"accuracy_test": "test", "accuracy_audit": "audit"}  # the test set's where there is one


def round_end_sentence(number: int) -> str:
    """Say what a round that has just been learned brought.

    Args:
        number: Of the round.
    """
    identity = project_id()
    with database().read() as session:
        names = [entry.name for entry in list_classes(session, project_id=identity)]
        measured = {
            name: [one for one in list_metrics(session, project_id=identity, name=name) if is_enough(one)]
            for name in DATASETS
        }
        name = next((name for name in DATASETS if any(m.round_number == number for m in measured[name])), None)
        if name is None:
            return f"Round {number} is learned; the next samples are its questions."
        cells = list_confusion(session, project_id=identity, round_number=number, dataset=DATASETS[name])
    return f"Round {number} is learned: {_gain(measured[name], number)}{_confused(cells, names)}."


def _gain(measured: Sequence[MetricInfo], number: int) -> str:
    now = next(metric for metric in measured if metric.round_number == number)
    before = [metric for metric in measured if metric.round_number < number]
    was = f", {whole_percent(before[-1].value)} before" if before else ""
    return f"accuracy {whole_percent(now.value)}{was}"


def _confused(cells: Sequence[NewConfusion], names: Sequence[str]) -> str:
    wrong = [cell for cell in cells if cell.true_index != cell.predicted_index]
    if not wrong:
        return ""
    worst = max(wrong, key=lambda cell: cell.count)
    return f"; most often it takes {names[worst.true_index]} for {names[worst.predicted_index]}"
