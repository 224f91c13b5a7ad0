"""Deciding about samples: label, skip, flag and undo, each one event that is never changed again.

One decision is one transaction: the event, what now stands for the sample, and the freed claim.
"""

from __future__ import annotations

from sqlalchemy import delete, select

from storage.asking import latest_query_id
from storage.current import CurrentLabel, changed_since, current_labels, fold_decision, set_decision, standing_event
from storage.engine import Session
from storage.errors import (
    InvalidDecisionError,
    RequestIdReusedError,
    UnknownAnnotatorError,
    UnknownEventError,
    UnknownSampleError,
)
from storage.events import IMPORTED, LabelEventInfo, find_event, find_undo, history, last_event_id, list_events
from storage.journal import note
from storage.models import Annotator, Base, Claim, Class, LabelEvent, Query, Round, Sample
from storage.plain import finite, utc_now
from storage.projects import count_classes
from storage.queue import put_on_screen

__all__ = [
    "CurrentLabel",
    "LabelEventInfo",
    "changed_since",
    "current_labels",
    "history",
    "last_event_id",
    "list_events",
    "record_decision",
    "undo",
    "undo_request",
]

_ASKED = ("purpose", "round_number", "acquisition", "score", "acquisition_probability", "rank", "model_version")


def record_decision(
    session: Session,
    *,
    project_id: int,
    sample_id: int,
    annotator_id: int,
    action: str,
    class_index: int | None,
    request_id: str,
    suggestion_shown: bool = False,
    why_shown: bool = False,
    shown_together: int = 1,
    lead_time_s: float | None = None,
    acquisition: str | None = None,
) -> LabelEventInfo:
    """Store a label, skip or flag, once per request id: sent again, it returns the event stored the first time.

    A flag keeps the claim and is stored as ``flag:<request id>``, so the decision that follows from the same screen,
    with the same request id, is not taken for its repetition.

    Args:
        session: A writing session.
        project_id: The project.
        sample_id: The sample.
        annotator_id: Who decides.
        action: ``label``, ``skip`` or ``flag``.
        class_index: For a label.
        request_id: Made when the sample was shown; unique in the database.
        suggestion_shown: Whether the model's answer was on screen.
        why_shown: Whether the reasons for asking were on screen.
        shown_together: Samples on screen at once.
        lead_time_s: From the sample's appearance to the decision, in seconds.
        acquisition: How the sample came on screen if not by its place in the ranking, such as ``grid``; it has no
            score, rank or probability then. An audit or recheck sample keeps its own.

    Raises:
        RequestIdReusedError: When the request id belongs to another sample's event.
        InvalidDecisionError: When the action is none, the class is none of the project's, or the sample is test data.
        UnknownSampleError: When the sample is none of the project's.
    """
    request_id = f"flag:{request_id}" if action == "flag" else request_id
    stored = find_event(session, request_id=request_id)
    if stored is not None:
        return _note(session, _same_request(stored, sample_id))
    _check(session, project_id, sample_id, action, class_index)
    if shown_together < 1:
        raise InvalidDecisionError(
            f"A decision is about one of {shown_together} samples on screen; there is at least one."
        )
    _check_annotator(session, project_id, annotator_id)
    standing = standing_event(session, sample_id=sample_id)
    asked = _asked_under(session, sample_id, annotator_id, standing)
    if acquisition is not None and asked["purpose"] == "train":
        asked = _chosen_otherwise(session, project_id, acquisition)
    event = LabelEvent(
        project_id=project_id,
        sample_id=sample_id,
        annotator_id=annotator_id,
        action=action,
        class_index=class_index,
        suggestion_shown=suggestion_shown,
        why_shown=why_shown,
        shown_together=shown_together,
        lead_time_s=finite(lead_time_s),
        request_id=request_id,
        supersedes=standing.id if standing and action != "flag" else None,
        created_at=utc_now(),
        **asked,
    )
    return _append(session, event)


def undo(session: Session, *, project_id: int, event_id: int, annotator_id: int) -> LabelEventInfo:
    """Take an event back: what stood before stands again, and the sample returns to the annotator's screen.

    Undoing the same event again returns the undo stored the first time. A sample that another annotator is looking at
    by now stays with them.

    Raises:
        UnknownEventError: When the event is none of the project's.
        InvalidDecisionError: When the event is itself an undo.
    """
    undone = session.get(LabelEvent, event_id)
    if undone is None or undone.project_id != project_id:
        raise UnknownEventError(event_id)
    return _undo(session, undone, annotator_id, undo_id=f"undo:{event_id}")


def undo_request(
    session: Session, *, project_id: int, annotator_id: int, request_id: str, undo_id: str
) -> LabelEventInfo:
    """Take back the decision an annotator's page sent under a request id, before the page knows the event's id.

    Args:
        session: A writing session.
        project_id: The project.
        annotator_id: Who undoes; their own decisions only.
        request_id: Of the decision, or of the flag where no decision has it.
        undo_id: The request id of the undo itself: sent again, it returns the undo stored the first time.

    Returns:
        The undo; where the decision was undone before, that undo.

    Raises:
        UnknownEventError: When the annotator has no such decision in the project.
        InvalidDecisionError: When the request was itself an undo.
        RequestIdReusedError: When the undo's id belongs to another sample's event.
    """
    either = LabelEvent.request_id.in_([request_id, f"flag:{request_id}"])
    found = session.scalars(select(LabelEvent).where(either).order_by(LabelEvent.action == "flag")).first()
    if found is None or (found.project_id, found.annotator_id) != (project_id, annotator_id):
        raise UnknownEventError(request_id)
    return _undo(session, found, annotator_id, undo_id=undo_id)


def _undo(session: Session, undone: LabelEvent, annotator_id: int, *, undo_id: str) -> LabelEventInfo:
    if undone.action == "undo":
        raise InvalidDecisionError("An undo cannot be undone; label the sample again.")
    stored = find_event(session, request_id=undo_id) or find_undo(session, event_id=undone.id)
    if stored is not None:
        return _note(session, _same_undo(stored, undone))
    _check_annotator(session, undone.project_id, annotator_id)
    event = LabelEvent(
        project_id=undone.project_id,
        sample_id=undone.sample_id,
        annotator_id=annotator_id,
        action="undo",
        suggestion_shown=False,
        why_shown=False,
        shown_together=1,
        request_id=undo_id,
        supersedes=undone.id,
        created_at=utc_now(),
        **{name: getattr(undone, name) for name in _ASKED},
    )
    info = _append(session, event)
    if undone.action != "flag":
        put_on_screen(session, project_id=undone.project_id, annotator_id=annotator_id, sample_id=undone.sample_id)
    return info


def _append(session: Session, event: LabelEvent) -> LabelEventInfo:
    session.add(event)
    session.flush()
    if event.action in ("label", "skip"):
        set_decision(session, event)
        own = (Claim.sample_id == event.sample_id, Claim.annotator_id == event.annotator_id)
        session.execute(delete(Claim).where(*own))
    elif event.action == "undo":
        fold_decision(session, sample_id=event.sample_id)
    info = find_event(session, request_id=event.request_id)
    assert info is not None
    return _note(session, info)


def _note(session: Session, info: LabelEventInfo) -> LabelEventInfo:
    """Have an event written to the journal; also one that comes again: perhaps the journal had no room before."""
    event = session.get_one(LabelEvent, info.id)
    rows: dict[str, Base] = {
        "event": event,
        "sample": session.get_one(Sample, event.sample_id),
        "annotator": session.get_one(Annotator, event.annotator_id),
    }
    if event.class_index is not None:
        rows["class"] = session.get_one(Class, (event.project_id, event.class_index))
    note(session.info, **rows)
    return info


def _same_request(stored: LabelEventInfo, sample_id: int) -> LabelEventInfo:
    if stored.sample_id != sample_id:
        raise RequestIdReusedError(stored.request_id)
    return stored


def _same_undo(stored: LabelEventInfo, undone: LabelEvent) -> LabelEventInfo:
    if (stored.action, stored.supersedes) != ("undo", undone.id):
        raise RequestIdReusedError(stored.request_id)
    return stored


def _check(session: Session, project_id: int, sample_id: int, action: str, class_index: int | None) -> None:
    if action not in ("label", "skip", "flag"):
        raise InvalidDecisionError(f"A decision is 'label', 'skip' or 'flag', not {action!r}.")
    sample = session.get(Sample, sample_id)
    if sample is None or sample.project_id != project_id:
        raise UnknownSampleError(sample_id)
    if sample.split == "test":
        raise InvalidDecisionError(f"Sample {sample_id} is test data; its class came with the import.")
    if action != "label":
        if class_index is not None:
            raise InvalidDecisionError(f"A {action} has no class, but class {class_index} was given.")
        return
    if class_index is None or session.get(Class, (project_id, class_index)) is None:
        classes = count_classes(session, project_id=project_id)
        raise InvalidDecisionError(f"Class {class_index} is none of the project's {classes} classes.")


def _check_annotator(session: Session, project_id: int, annotator_id: int) -> None:
    annotator = session.get(Annotator, annotator_id)
    if annotator is None or annotator.project_id != project_id:
        raise UnknownAnnotatorError(annotator_id)


def _asked_under(session: Session, sample_id: int, annotator_id: int, standing: LabelEvent | None) -> dict[str, object]:
    """Why the sample was shown: by the annotator's claim, else as the decision it corrects, else by its last query.

    The last one is for a claim that expired and went to somebody else: an audit sample must stay one.
    """
    own = (Claim.sample_id == sample_id, Claim.annotator_id == annotator_id)
    query_id = session.scalar(select(Claim.query_id).where(*own))
    if query_id is None and standing is not None and standing.purpose != IMPORTED:
        return {name: getattr(standing, name) for name in _ASKED}
    query_id = query_id or latest_query_id(session, sample_id=sample_id)
    query = session.get(Query, query_id) if query_id else None
    if query is None:
        return {"purpose": "train"}
    asked = session.get_one(Round, query.round_id)
    return {
        "purpose": query.purpose,
        "round_number": asked.number,
        "acquisition": asked.acquisition,
        "score": query.score,
        "acquisition_probability": query.acquisition_probability,
        "rank": query.rank,
        "model_version": asked.model_version,
    }


def _chosen_otherwise(session: Session, project_id: int, acquisition: str) -> dict[str, object]:
    """A score or probability of the ranking would be wrong here: they are what an estimate weighs a label by."""
    opened = session.scalar(select(Round).where(Round.project_id == project_id, Round.state == "open"))
    known = {"round_number": opened.number, "model_version": opened.model_version} if opened else {}
    return {"purpose": "train", "acquisition": acquisition, **known}
