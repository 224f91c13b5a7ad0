"""Where a project stands: rounds, labels, accuracy with its interval, trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from app.project.advice import read_advice
from app.project.certificates import read_proof, status_of
from app.project.endings import TRAINER, ending_words
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.project.simplest import GAIN, gain_in_words
from loops.evaluation.labels_saved_words import saved_in_words
from storage.endings import list_endings
from storage.engine import Database
from storage.imported import count_imported
from storage.metrics import UNBIASED, MetricInfo, list_metrics
from storage.rounds import RoundInfo, list_rounds
from storage.samples import count_samples
from storage.settling import Difference, compare
from storage.trainer import Heartbeat, get_heartbeat

SILENT_AFTER = 15.0  # seconds without a heartbeat; then a person is told (promise P7)
NO_TRAINER = "never started"

_MEANING = {
    "accuracy_audit": "on samples drawn uniformly and never trained on; Wilson interval",
    "accuracy_test": "on the labeled test set; Wilson interval",
    "accuracy_lure": "cross-validated, weighted by the chances with which samples were drawn (LURE)",
    "accuracy_cross_validated": "biased: on samples that were chosen, no estimate for the pool",
}


def project_status(database: Database, project: Project) -> dict[str, Any]:
    """Return the status as plain values.

    ``accuracy``, ``low`` and ``high`` (Wilson interval) are None where a round has measured none, as the cold start.
    ``state`` of the trainer is the last one it wrote; a growing ``heartbeat_age_s`` tells that it is gone.
    ``accuracies`` has the newest of each kind; only that of samples nobody chose may be believed as it is.
    ``labels_saved`` says what drawing at random would have cost; ``equal`` in it, how far the first chosen labels are
    ahead of as many random ones, is not extrapolated. ``beside_simplest`` compares the default with random questions
    answered by logistic regression. ``advice`` says when to stop: a sentence and its numbers.
    ``journal`` is there only while the database lacks something of it.
    """
    project_id, settings = project.project_id(database), project.settings()
    with database.read() as session:
        rounds = list_rounds(session, project_id=project_id)
        metrics = list_metrics(session, project_id=project_id)
        counts = count_samples(session, project_id=project_id)
        heartbeat = get_heartbeat(session, project_id=project_id)
        imported = count_imported(session, project_id=project_id)
        advice = read_advice(session, project_id=project_id, query_size=settings.query_size)
        proof = read_proof(session, project, project_id)
        deaths = list_endings(session, project_id=project_id, child=TRAINER)
    lacking = compare(database)
    return {
        "project": settings.name,
        "rounds": [_round(info, metrics) for info in rounds],
        "labels": counts.labeled,
        "imported": imported,
        "skips": counts.skipped,
        "pool": counts.pool,
        "accuracies": _accuracies(metrics),
        "certificate": status_of(proof),
        "labels_saved": _labels_saved(metrics),
        "beside_simplest": _beside_simplest(metrics, settings),
        "advice": advice.as_dict(),
        "trainer": _trainer(heartbeat) | ({"deaths": len(deaths), "death": ending_words(deaths)} if deaths else {}),
        **({"journal": _journal(lacking)} if lacking.lacks else {}),
    }


def _round(info: RoundInfo, metrics: Sequence[MetricInfo]) -> dict[str, Any]:
    accuracy = _accuracy(metrics, info.number)
    return {
        "number": info.number,
        "state": info.state,
        "labels": info.labels,
        "accuracy": accuracy.value if accuracy else None,
        "low": accuracy.low if accuracy else None,
        "high": accuracy.high if accuracy else None,
    }


def _accuracies(metrics: Sequence[MetricInfo]) -> dict[str, Any]:
    newest = {metric.name: metric for metric in metrics if metric.name in _MEANING}
    return {
        name.removeprefix("accuracy_"): {
            "round": newest[name].round_number,
            "accuracy": newest[name].value,
            "low": newest[name].low,
            "high": newest[name].high,
            "n": newest[name].n,
            "meaning": meaning,
        }
        for name, meaning in _MEANING.items()
        if name in newest
    }


def _labels_saved(metrics: Sequence[MetricInfo]) -> dict[str, Any] | None:
    newest = {metric.name: metric for metric in metrics}
    found, equal = newest.get("labels_random"), newest.get("gain_at_equal_labels")
    if found is None or found.low is None:
        return None
    return {
        "labels": found.labels,
        "random": round(found.value),
        "low": round(found.low),
        "high": None if found.high is None else round(found.high),
        "audited": found.n,
        "equal": None
        if equal is None
        else {"labels": equal.n, "gain": equal.value, "low": equal.low, "high": equal.high},
        "sentence": saved_in_words(found.labels, found.value, found.low, found.high, found.n or 0),
    }


def _beside_simplest(metrics: Sequence[MetricInfo], settings: ProjectSettings) -> dict[str, Any] | None:
    gain = next((metric for metric in reversed(metrics) if metric.name == GAIN), None)
    if gain is None:
        return None
    sentence = gain_in_words(gain, settings)
    return {"labels": gain.n, "gain": gain.value, "low": gain.low, "high": gain.high, "sentence": sentence}


def _accuracy(metrics: Sequence[MetricInfo], round_number: int) -> MetricInfo | None:
    of_round = {metric.name: metric for metric in metrics if metric.round_number == round_number}
    return next((of_round[name] for name in UNBIASED if name in of_round), None)


def _journal(found: Difference) -> dict[str, Any]:
    """What a database that could only be read lacks of its journal."""
    sentence = (
        f"The database lacks {found.sentence} that the label journal has; they are put in when it is next opened to be "
        "written."
    )
    return {"label_events_lost": found.only_journal, "sentence": sentence}


def _trainer(heartbeat: Heartbeat | None) -> dict[str, Any]:
    if heartbeat is None:
        return {"state": NO_TRAINER, "heartbeat_age_s": None}
    doing = {name: getattr(heartbeat, name) for name in ("state", "message", "done", "total", "eta_s")}
    if heartbeat.state == "idle":
        doing["message"], doing["details"] = sentence_and_details(heartbeat)
    return {**doing, "heartbeat_age_s": heartbeat_age(heartbeat)}


def sentence_and_details(heartbeat: Heartbeat) -> tuple[str, str]:
    """What an idle trainer says to whoever labels, and what it says to those who want to know more; either is empty."""
    sentence, _, details = heartbeat.message.partition("\n")
    return sentence, details


def heartbeat_age(heartbeat: Heartbeat) -> float:
    """Return the seconds since the last heartbeat; 0 when the clock was set back in between."""
    return round(max(0.0, (datetime.now(timezone.utc) - heartbeat.beat_at).total_seconds()), 1)


def status_text(status: Mapping[str, Any]) -> str:
    """Return the status as a person reads it."""
    lines = [
        f"{status['project']}: {status['labels']:,} labels{_imported_text(status)}, {status['skips']:,} skips, "
        f"{status['pool']:,} left in the pool",
        *([status["journal"]["sentence"]] if "journal" in status else []),
        f"Trainer: {_trainer_text(status['trainer'])}",
        *([status["trainer"]["death"]] if "death" in status["trainer"] else []),
        *([status["certificate"]["sentence"]] if status["certificate"]["audits"] else []),
        status["advice"]["sentence"],
        *(status[name]["sentence"] for name in ("labels_saved", "beside_simplest") if status[name]),
        "",
    ]
    if not status["rounds"]:
        return "\n".join([*lines, "No round yet; start the trainer with 'labelloop run'."])
    rows = [("round", "state", "labels", "accuracy", "95 % interval"), *(_row(entry) for entry in status["rounds"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *table])


def _imported_text(status: Mapping[str, Any]) -> str:
    return f" ({status['imported']:,} of them imported)" if status["imported"] else ""


def _trainer_text(trainer: Mapping[str, Any]) -> str:
    age = trainer["heartbeat_age_s"]
    if age is None:
        return str(trainer["state"])
    if trainer["state"] == "stopped":
        return f"stopped {_time_words(age)} ago"
    if age > SILENT_AFTER:
        return f"{trainer['state']}, last heard of {_time_words(age)} ago, silent: it is not running"
    return f"{trainer['state']}, last heard of {_time_words(age)} ago{_work_text(trainer)}"


def _time_words(seconds: float) -> str:
    """A time gone by, in the unit in which it is read at a glance."""
    for unit, length, most in (("s", 1, 90), ("min", 60, 90 * 60), ("h", 3600, 48 * 3600)):
        if seconds < most:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def _work_text(trainer: Mapping[str, Any]) -> str:
    """What it works on and how long that takes, where it says so."""
    if not trainer["total"]:
        return ""
    said = trainer["message"] or f"{trainer['done']:,} of {trainer['total']:,}"
    return f". {said}{time_left(trainer['eta_s'])}"


def time_left(eta_s: float | None) -> str:
    """The end of a sentence about work that is going on; empty when it is not known or next to nothing."""
    if eta_s is None or eta_s < 1:
        return ""
    return f", about {eta_s:.0f} s left" if eta_s < 90 else f", about {eta_s / 60:.0f} min left"


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    measured = entry["accuracy"] is not None
    accuracy = f"{100 * entry['accuracy']:.1f} %" if measured else "-"
    interval = (
        f"{100 * entry['low']:.1f} - {100 * entry['high']:.1f} %" if measured and entry["low"] is not None else "-"
    )
    return str(entry["number"]), str(entry["state"]), f"{entry['labels']:,}", accuracy, interval
