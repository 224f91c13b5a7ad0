"""What the Label screen's browser part is told: what is stored, and the samples it shows next."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from app.kinds.kind import WHOLE, Shown
from app.screens.content.sample import to_send
from app.screens.label_page.counts import counts
from app.screens.label_page.guide import class_guide
from app.screens.label_page.rest import FEWEST, rest_of_pool
from app.screens.label_page.seeded import shown_suggestion
from app.screens.shared.conversation import as_list, nothing_said, read_message, stored
from app.screens.shared.label_keys import told_classes
from app.screens.shared.pages import adopt_closed_pages, page_of
from app.screens.shared.session import (
    annotator,
    annotator_id,
    current_project,
    database,
    limits,
    project_classes,
    project_id,
)
from storage.claims import has_other_page
from storage.events import ADJUDICATION, LabelEventInfo, history, standing_flags
from storage.limits import reached
from storage.queue import ClaimedSample, claim_batch, release_claims, return_to
from storage.samples import SampleInfo, get_samples

COUNTED_KEY = "label_counted_at"
WAITING_KEY = "label_waiting"  # whether the browser has nothing to show
SIDE_KEY = "label_side"  # pixels that the page has for a sample
LATENCY_KEY = "label_latency"  # milliseconds from key to next sample in this session: median, p95, worst, n
HISTORY_LENGTH = 10
MOST_AHEAD = 40  # samples
MOST_EXPLAINED = 4  # samples: the one on screen and those that come next
COUNT_EVERY_S = 0.8  # the counts of the line; each is a few reads of the whole project

ELSEWHERE = (
    "{} is labeling on another page too, in another tab or browser. Each page has samples of its own; two people need "
    "two names."
)

Message = Mapping[str, Any]
AnnotatorRecord = dict[str, Any]


def answer(sent: object) -> AnnotatorRecord:
    """Store what the browser decided and say what comes next; the same message again changes nothing.

    Args:
        sent: What the browser sent, unchecked; one that was made under another annotator's name is not touched: its
            decisions stay in that annotator's outbox.
    """
    message = read_message(sent)
    nothing = _nothing()
    if message is None or not message.is_ours or not isinstance(sent, Mapping):
        return nothing | nothing_said()
    classes = [entry["index"] for entry in nothing["classes"] if not entry["retired"]]
    return nothing | stored(message) | _what_comes(sent, classes)


def _nothing() -> AnnotatorRecord:
    """What a page is told before it has said anything, beside what every page is: the classes."""
    names = ("queue", "history", "flags", "past_why", "guide", "waiting", "progress", "whole", "round_end", "corrected")
    classes = project_classes()
    # Of a retired class the name is still needed, in the history.
    told = [{"index": entry.index, **one} for entry, one in zip(classes, told_classes(classes), strict=True)]
    return {**dict.fromkeys(names), "over": False, "classes": told}


def _what_comes(message: Message, classes: Sequence[int]) -> AnnotatorRecord:
    held = {number for number in as_list(message.get("have")) if isinstance(number, int)}
    now = time.monotonic()
    is_due = now - st.session_state.get(COUNTED_KEY, -COUNT_EVERY_S) >= COUNT_EVERY_S
    corrected = _last_correction() if is_due else None  # before the history: what comes between is told next time
    told = _asked_for(message, held)
    wanted = min(MOST_AHEAD, int(message.get("want") or 0))
    if wanted > 0:
        screen = [token for token in as_list(message.get("screen")) if isinstance(token, str)]
        told["over"] = _is_over()
        page = page_of(message)
        claimed, told["elsewhere"] = (
            (_let_go(page), None) if told["over"] else _claim(wanted, screen, message.get("was"), page)
        )
        told["queue"] = _queue(claimed, held, classes, why=bool(message.get("why")))
        st.session_state[WAITING_KEY] = not claimed
    if corrected is not None:
        if corrected > _known(message, "corrected", -1) and "history" not in told:
            told["history"] = _history(held)
        told["corrected"] = corrected
    if is_due or told.get("queue") == []:
        st.session_state[COUNTED_KEY] = now
        told |= counts(_known(message, "round", None), is_waiting=told.get("queue") == [])
    return told


def _known(message: Message, what: str, otherwise: int | None) -> Any:  # noqa: ANN401 - an int, or `otherwise`
    """What the page says it was told last: an answer may be lost, so nothing counts as told before it says so."""
    known = message.get(what)
    return known if isinstance(known, int) else otherwise


def _asked_for(message: Message, held: Collection[int]) -> AnnotatorRecord:
    """What the page asked for by name: its past, one image whole, the reasons of a past question."""
    told: AnnotatorRecord = {}
    if isinstance(side := message.get("side"), int) and 0 < side < WHOLE:
        st.session_state[SIDE_KEY] = side
    if _keep_latency(message).get("hello"):
        told |= {"history": _history(held), "flags": _flags()}
    elif isinstance(before := message.get("before"), str):
        told["history"] = _history(held, before)
    if isinstance(zoomed := message.get("zoomed"), int):
        told["whole"] = _whole(zoomed)
    if message.get("guide"):
        told["guide"] = class_guide()
    if isinstance(looking := message.get("looking"), int):
        told["past_why"] = _why_past(looking)
    return told


def _keep_latency(message: Message) -> Message:
    st.session_state[LATENCY_KEY] = message.get("latency")
    return message


def _is_over() -> bool:
    identity = project_id()
    with database().read() as session:
        return reached(session, project_id=identity, limits=limits()) is not None


def _let_go(page: str) -> list[ClaimedSample]:
    """Nothing is asked any more: what the page has is nobody's."""
    whose: dict[str, Any] = {"project_id": project_id(), "annotator_id": annotator_id(), "page": page}
    with database().write() as session:
        release_claims(session, **whose, keep=[])
    return []


def _claim(
    count: int, screen: Sequence[str], before_reload: object, page: str
) -> tuple[list[ClaimedSample], str | None]:
    """The page's samples; and where the name is at work on another page too, a sentence about that."""
    whose: dict[str, Any] = {"project_id": project_id(), "annotator_id": annotator_id(), "page": page}
    adopt_closed_pages(page)
    with database().write() as session:
        if isinstance(before_reload, int):
            screen = return_to(session, **whose, sample_id=before_reload)
        elsewhere = ELSEWHERE.format(annotator()) if has_other_page(session, **whose) else None
        claimed = claim_batch(session, **whose, count=count, keep=screen)
    rest = rest_of_pool(len(claimed))
    if rest.sample_ids:
        with database().write() as session:
            claimed = claim_batch(session, **whose, count=max(FEWEST, len(claimed)), keep=screen, rest=rest)
    return claimed, elsewhere


def _queue(
    claimed: Sequence[ClaimedSample], held: Collection[int], classes: Sequence[int], *, why: bool
) -> list[AnnotatorRecord]:
    """Say nothing of the purpose: who knows that a sample is for the audit labels it with more care."""
    reasons = _reasons(claimed[:MOST_EXPLAINED]) if why else {}
    return [
        {
            "token": entry.token,
            "sample_id": entry.sample.id,
            "content": None if entry.sample.id in held else _large(entry.sample),
            "suggestion": _suggestion(entry, classes, why=why),
            "suggestion_probability": entry.suggestion_probability,
            **({"why": reasons[entry.sample.id]} if entry.sample.id in reasons else {}),
        }
        for entry in claimed
    ]


def _suggestion(entry: ClaimedSample, classes: Sequence[int], *, why: bool) -> int | None:
    """What is shown as the model's answer; beside its reasons always what it is, for they would tell."""
    settings = current_project().settings()
    if why or not settings.wrong_suggestions:
        return entry.suggestion if entry.suggestion in classes else None
    return shown_suggestion(entry, classes=classes, seed=settings.seed)


def _large(sample: SampleInfo, side: int = 0) -> Shown:
    """The sample for the stage of this page, whose size in pixels every message tells."""
    return to_send(sample, large=True, side=side or int(st.session_state.get(SIDE_KEY, 0)))


def _whole(sample_id: int) -> AnnotatorRecord | None:
    """An image with all its pixels, for a person who zooms in."""
    with database().read() as session:
        found = get_samples(session, sample_ids=[sample_id])
    return {"sample_id": sample_id, "content": _large(found[sample_id], WHOLE)} if sample_id in found else None


def _reasons(claimed: Sequence[ClaimedSample]) -> dict[int, AnnotatorRecord]:
    from app.screens.label_page.why import why_this_one  # pyarrow: a quarter of a second more until a page is back

    return why_this_one([entry.sample for entry in claimed])


def _why_past(sample_id: int) -> AnnotatorRecord | None:
    """Why a sample of this person's past was asked, by the round that asked; None for any other sample."""
    from app.screens.label_page.why import why_this_one

    decided = next((event for event in _own_decisions() if event.sample_id == sample_id), None)
    if decided is None:
        return None
    with database().read() as session:
        [sample] = get_samples(session, sample_ids=[sample_id]).values()
    return {"sample_id": sample_id, "why": why_this_one([sample], round_number=decided.round_number)[sample_id]}


def _own_decisions(before: str = "") -> list[LabelEventInfo]:
    identity, person = project_id(), annotator_id()
    with database().read() as session:
        return history(session, project_id=identity, annotator_id=person, limit=3 * HISTORY_LENGTH, before=before)


def _history(held: Collection[int], before: str = "") -> list[AnnotatorRecord]:
    """The person's last decisions, or those before one of them: the way back has no end."""
    events = _own_decisions(before)
    recent = _once_each(events)
    with database().read() as session:
        samples = get_samples(session, sample_ids=[event.sample_id for event in recent])
    by_id = {event.id: event for event in events}
    return [
        _past(event, by_id) | {"content": None if event.sample_id in held else _large(samples[event.sample_id])}
        for event in recent
    ]


def _flags() -> list[AnnotatorRecord]:
    """What this person flagged, so that a page that begins shows it and can take it back."""
    identity, person = project_id(), annotator_id()
    with database().read() as session:
        flags = standing_flags(session, project_id=identity, annotator_id=person)
    return [{"sample_id": event.sample_id, "id": event.request_id} for event in flags]


def _last_correction() -> int:
    """The last event by which the person corrected something on Review; 0: there is none of late."""
    events = _own_decisions()[:HISTORY_LENGTH]
    return max((event.id for event in events if event.request_id.startswith(ADJUDICATION)), default=0)


def _past(event: LabelEventInfo, by_id: Mapping[int, LabelEventInfo]) -> AnnotatorRecord:
    """A decision with the one it corrected, which its undo brings back. A second look was blind: it corrects none."""
    corrected = by_id.get(event.supersedes or 0)
    known = corrected is not None and (corrected.purpose, corrected.round_number) == (event.purpose, event.round_number)
    return {
        "id": event.request_id,
        "sample_id": event.sample_id,
        "kind": event.action,
        "class_index": event.class_index,
        "before": _past(corrected, by_id) if corrected is not None and known else None,
    }


def _once_each(events: Sequence[LabelEventInfo]) -> list[LabelEventInfo]:
    """The last ten decided samples, latest first, each once."""
    latest = {event.sample_id: event for event in reversed(events)}
    return sorted(latest.values(), key=lambda event: event.id, reverse=True)[:HISTORY_LENGTH]
