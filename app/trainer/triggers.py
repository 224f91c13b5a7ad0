"""When the loop should be resumed, and what an idle trainer waits for: looked at twice a second."""

from __future__ import annotations

from app.project.settings import ProjectSettings
from loops.stopping import reason_to_stop
from storage.engine import Database, Session
from storage.labels import changed_since, last_event_id
from storage.metrics import PROVEN, STOPPED, UNBIASED, list_metrics
from storage.queue import round_progress
from storage.rounds import RoundInfo, latest_round
from storage.samples import count_samples, has_undecided, last_added_at
from storage.trainer import RequestInfo, get_heartbeat, pending_request

UNFINISHED = ("training", "scoring")


def work_is_waiting(database: Database, project_id: int, settings: ProjectSettings, *, after_failure: bool) -> bool:
    """Whether the loop should be resumed now.

    Args:
        database: Is read, not written.
        project_id: Of the project in it.
        settings: Of this moment.
        after_failure: The last attempt failed: only a person's request starts another.
    """
    with database.read() as session:
        latest = latest_round(session, project_id=project_id)
        if waiting_request(session, project_id) is not None:
            return True
        if after_failure or (latest is not None and latest.state == "failed"):
            return False
        if latest is None:
            # A pool whose labels all came with its source asks nothing, but it is learned from.
            return has_undecided(session, project_id=project_id) or last_event_id(session, project_id=project_id) > 0
        if latest.state in UNFINISHED:
            return True
        trigger = trigger_of_round(session, project_id, settings)
        return trigger is not None and _reason_to_rest(session, project_id, settings, latest) is None


def trigger_of_round(session: Session, project_id: int, settings: ProjectSettings) -> str | None:
    """Why a new round should start now, for the rounds table on screen; None: people are still labeling.

    Labels that changed are counted against the snapshot of the last round. (Never `count % query_size == 0`: two
    labels at once, or an undo, skip it.)
    """
    latest = latest_round(session, project_id=project_id)
    if latest is None:
        return "cold start"
    if waiting_request(session, project_id) is not None:
        return "Train now"
    changed = changed_since(session, project_id=project_id, event_id=latest.snapshot_event_id)
    if changed >= settings.query_size:
        return f"{changed} labels changed"
    has_news = _has_news(session, project_id, latest)
    if _has_new_test_set(session, project_id, latest):
        return "a test set was added"
    may_go_on = has_news or _has_new_samples(session, project_id, latest)
    if may_go_on and round_progress(session, project_id=project_id).remaining == 0:
        return "the queue ran out" if has_news else "samples were added"
    budget = settings.labeling_budget
    if budget and changed and count_samples(session, project_id=project_id).labeled >= budget:
        return "the labeling budget is used up"
    return None


def waiting_request(session: Session, project_id: int) -> RequestInfo | None:
    """A person's "Train now" or "Retry" that no round has taken up yet."""
    heartbeat = get_heartbeat(session, project_id=project_id)
    handled = heartbeat.handled_request_id if heartbeat else 0
    request = pending_request(session, project_id=project_id, after_id=handled or 0)
    return request if request is not None and request.kind in ("train", "retry") else None


def waiting_reason(database: Database, project_id: int, settings: ProjectSettings) -> str:
    """Why an idle trainer rests, as a sentence for the screen; empty when it waits for labels as usual."""
    with database.read() as session:
        latest = latest_round(session, project_id=project_id)
        if latest is None:
            return "Waiting for samples."
        reason = _reason_to_rest(session, project_id, settings, latest)
    return "" if reason is None else f"Training rests: {reason}."


def _reason_to_rest(session: Session, project_id: int, settings: ProjectSettings, latest: RoundInfo) -> str | None:
    """The loop's own rule, applied to the latest round as it was published."""
    metrics = list_metrics(session, project_id=project_id)
    accuracies = [m for m in metrics if m.name in UNBIASED and m.round_number == latest.number]
    proven = [m.low or 0.0 for m in metrics if m.name == PROVEN and m.round_number == latest.number]
    is_enough = any(m.name == STOPPED and m.round_number == latest.number for m in metrics)
    audited = sum(m.n or 0 for m in accuracies if m.name == "accuracy_audit")
    return reason_to_stop(
        labeling_budget=settings.labeling_budget,
        target_accuracy=settings.target_accuracy,
        labels=latest.labels + audited,
        lowest_accuracy=min((m.low or 0.0 for m in accuracies), default=0.0),
        proven=max(proven, default=0.0),
        criterion=settings.stop if is_enough else "",
        # The last labels of a pool leave nothing to ask, but they are still to be trained on.
        left=int(_has_news(session, project_id, latest) or has_undecided(session, project_id=project_id)),
    )


def _has_new_samples(session: Session, project_id: int, latest: RoundInfo) -> bool:
    """Whether the pool has grown since the round began: if it was used up, it goes on."""
    added_at = last_added_at(session, project_id=project_id)
    return added_at is not None and added_at > latest.started_at


def _has_new_test_set(session: Session, project_id: int, latest: RoundInfo) -> bool:
    """Whether a model is there that a test set added since could measure at once."""
    added_at = last_added_at(session, project_id=project_id, split="test")
    return latest.number > 0 and added_at is not None and added_at > latest.started_at


def _has_news(session: Session, project_id: int, latest: RoundInfo) -> bool:
    return last_event_id(session, project_id=project_id) > latest.snapshot_event_id
