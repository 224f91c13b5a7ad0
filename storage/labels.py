"""Deciding about samples: label, skip, flag and undo, each one event that is never changed again.

One decision is one transaction: the event, what now stands for the sample, and the freed claim.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from storage.asking import latest_query_id, wants_opinion
from storage.checks import check_annotator, check_decision
from storage.current import CurrentLabel, changed_since, current_labels, fold_decision, set_decision, standing_event
from storage.engine import Session
from storage.entries import is_journaled, note_event
from storage.errors import (
    InvalidDecisionError,
    RequestIdReusedError,
    UnknownEventError,
)
from storage.events import (
    IMPORTED,
    LabelEventInfo,
    find_event,
    find_undo,
    history,
    is_undone,
    last_event_id,
    list_events,
)
from storage.limits import NO_LIMITS, Limits, check_limits
from storage.models import Claim, LabelEvent
from storage.plain import finite, utc_now
from storage.provenance import ASKED, asked_under, chosen_otherwise, model_answer
from storage.queue import put_on_screen
from storage.remainder import RANDOM

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
    "undo_told",
]


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
    suggested: int | None = None,
    why_shown: bool = False,
    shown_together: int = 1,
    lead_time_s: float | None = None,
    acquisition: str | None = None,
    group_key: str | None = None,
    group_draw: int | None = None,
    blind: bool = False,
    limits: Limits = NO_LIMITS,
) -> LabelEventInfo:
    """Store a label, skip or flag, once per request id: sent again, it returns the event stored the first time.

    Two decisions of one person are two events, of which the later stands. A blind one never takes the place of what
    another person decided meanwhile: it is kept aside, where Review finds it as a disagreement.

    A flag keeps the claim and is stored as ``flag:<request id>``, so the decision that follows from the same screen,
    with the same request id, is not taken for its repetition.

    Args:
        session: A writing session.
        project_id: The project.
        sample_id: The sample.
        annotator_id: Who decides.
        action: ``label``, ``skip`` or ``flag``.
        class_index: For a label.
        request_id: Made when the person decided; unique in the database.
        suggestion_shown: Whether a suggestion was on screen.
        suggested: The class it named. Where that is not what the model answers, it was seeded, and is stored as such.
        why_shown: Whether the reasons for asking were on screen.
        shown_together: Samples on screen at once.
        lead_time_s: From the sample's appearance to the decision, in seconds.
        acquisition: How the sample came on screen if not by its place in the ranking, such as ``grid``; it has no
            score, rank or probability then. An audit or recheck sample keeps its own.
        group_key: The group whose member it is, judged one by one.
        group_draw: Its number among the draws of that group, from 1 on.
        blind: Whether the person did not see what others have decided about the sample.
        limits: Where labeling ends; a sample that has a label may get another one.

    Raises:
        RequestIdReusedError: When the request id came before with another content, or from another person.
        InvalidDecisionError: When the action is none, the class is none of the project's, or the sample is test data.
        UnknownSampleError: When the sample is none of the project's.
        LimitReachedError: When it would be one label more than the limits allow.
    """
    request_id = f"flag:{request_id}" if action == "flag" else request_id
    stored = find_event(session, request_id=request_id)
    if stored is not None:
        given = {
            "annotator_id": annotator_id, "sample_id": sample_id, "action": action, "class_index": class_index
        }  # fmt: skip
        return _note(session, _same_request(session, stored, given))
    check_decision(session, project_id, sample_id, action, class_index)
    if shown_together < 1:
        raise InvalidDecisionError(
            f"A decision is about one of {shown_together} samples on screen; there is at least one."
        )
    check_annotator(session, project_id, annotator_id)
    standing = standing_event(session, sample_id=sample_id)
    if action == "label" and (standing is None or standing.action != "label"):
        check_limits(session, project_id=project_id, limits=limits)
    asked = asked_under(session, sample_id, annotator_id, standing)
    if blind and asked.get("acquisition") is None:  # on a page of its own, and no round asks for it
        asked = {**asked, "acquisition": RANDOM}
    if acquisition is not None and asked["purpose"] == "train":
        asked = chosen_otherwise(session, project_id, acquisition)
    event = LabelEvent(
        project_id=project_id,
        sample_id=sample_id,
        annotator_id=annotator_id,
        action=action,
        class_index=class_index,
        suggestion_shown=suggestion_shown,
        seeded_suggestion=_seeded(session, sample_id, annotator_id, suggested, purpose=asked["purpose"]),
        why_shown=why_shown,
        shown_together=shown_together,
        lead_time_s=finite(lead_time_s),
        request_id=request_id,
        supersedes=standing.id if standing and action != "flag" else None,
        group_key=group_key,
        group_draw=group_draw,
        aside=blind and action != "flag" and _is_late(session, sample_id, annotator_id, standing),
        created_at=utc_now(),
        **asked,
    )
    return _append(session, event)


def _seeded(
    session: Session, sample_id: int, annotator_id: int, suggested: int | None, *, purpose: object
) -> int | None:
    """The class that was suggested, if it was not the model's; nothing of what measures is ever seeded."""
    if suggested is None or purpose != "train":
        return None
    answer = model_answer(session, sample_id, annotator_id)
    return suggested if answer is not None and answer != suggested else None


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
    session: Session, *, project_id: int, annotator_id: int, request_id: str, undo_id: str, page: str = ""
) -> LabelEventInfo:
    """Take back the decision an annotator's page sent under a request id, before the page knows the event's id.

    Args:
        session: A writing session.
        project_id: The project.
        annotator_id: Who undoes; their own decisions only.
        request_id: Of the decision, or of the flag where no decision has it.
        undo_id: The request id of the undo itself: sent again, it returns the undo stored the first time.
        page: The annotator's page, to whose screen the sample returns.

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
    return _undo(session, found, annotator_id, undo_id=undo_id, page=page)


def undo_told(session: Session, *, project_id: int, prefix: str) -> LabelEventInfo | None:
    """Take back what another program told last under request ids that begin alike; None where nothing of it stands.

    Args:
        session: A writing session.
        project_id: The project.
        prefix: Of the request ids.
    """
    told = select(LabelEvent).where(
        LabelEvent.project_id == project_id,
        LabelEvent.request_id.startswith(prefix, autoescape=True),
        LabelEvent.action != "undo",
        ~is_undone(),
    )
    last = session.scalars(told.order_by(LabelEvent.id.desc()).limit(1)).first()
    return None if last is None else _undo(session, last, last.annotator_id, undo_id=f"undo:{last.id}")


def _undo(session: Session, undone: LabelEvent, annotator_id: int, *, undo_id: str, page: str = "") -> LabelEventInfo:
    if undone.action == "undo":
        raise InvalidDecisionError("An undo cannot be undone; label the sample again.")
    stored = find_event(session, request_id=undo_id) or find_undo(session, event_id=undone.id)
    if stored is not None:
        return _note(session, _same_undo(stored, undone))
    info = take_back(session, undone, annotator_id, undo_id=undo_id)
    if undone.action != "flag":
        whose: dict[str, Any] = {"project_id": undone.project_id, "annotator_id": annotator_id, "page": page}
        put_on_screen(session, **whose, sample_id=undone.sample_id)
    return info


def take_back(session: Session, undone: LabelEvent, annotator_id: int, *, undo_id: str) -> LabelEventInfo:
    """Store the undo of an event that has none yet: what stood before stands again, and nobody is asked anew."""
    check_annotator(session, undone.project_id, annotator_id)
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
        **{name: getattr(undone, name) for name in ASKED},
    )
    return _append(session, event)


def _append(session: Session, event: LabelEvent) -> LabelEventInfo:
    session.add(event)
    session.flush()
    if event.action in ("label", "skip"):
        if not event.aside:
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
    if is_journaled(session):
        note_event(session, session.get_one(LabelEvent, info.id))
    return info


def _same_request(session: Session, stored: LabelEventInfo, given: dict[str, object]) -> LabelEventInfo:
    event = session.get_one(LabelEvent, stored.id)
    if {name: getattr(event, name) for name in given} != given:
        raise RequestIdReusedError(stored.request_id)
    return stored


def _is_late(session: Session, sample_id: int, annotator_id: int, standing: LabelEvent | None) -> bool:
    """Whether somebody else has decided already, and nobody waits for another opinion."""
    if standing is None or standing.annotator_id == annotator_id or standing.purpose == IMPORTED:
        return False
    query_id = latest_query_id(session, sample_id=sample_id)
    return query_id is None or not wants_opinion(session, query_id=query_id, annotator_id=annotator_id)


def _same_undo(stored: LabelEventInfo, undone: LabelEvent) -> LabelEventInfo:
    if (stored.action, stored.supersedes) != ("undo", undone.id):
        raise RequestIdReusedError(stored.request_id)
    return stored
