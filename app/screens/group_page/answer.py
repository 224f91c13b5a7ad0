"""What the server answers to a message of the groups, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.project.groups import GroupState, begin, read_state, split
from app.screens.content.sample import to_send
from app.screens.group_page.message import GroupMessage, read_group_message
from app.screens.group_page.offers import GroupSearch, Offer, find_offers, left_out
from app.screens.shared.conversation import answered_once, nothing_said, stored
from app.screens.shared.decisions import as_told
from app.screens.shared.label_keys import told_classes
from app.screens.shared.likeness import not_like
from app.screens.shared.pages import adopt_closed_pages
from app.screens.shared.session import (
    annotator_id,
    current_project,
    database,
    kind_name,
    limits,
    project_classes,
    project_id,
)
from app.screens.shared.waiting import over_words
from loops.embeddings.stored_rows import fullest_folder, open_rows
from loops.errors import FeatureStoreError
from storage.engine import Session
from storage.errors import InvalidDecisionError
from storage.grid import claim_grid
from storage.groups import EACH, count_taken, group_parts, last_taken, open_group
from storage.limits import reached
from storage.projects import ClassInfo
from storage.queue import release_claims
from storage.samples import get_samples

FEWEST_RIGHT = 5  # with fewer, most of the group would be closest to the wrong one
AHEAD = 8  # members a page can show without asking
ANSWER_KEY = "groups_answer"  # the last answer: drawn again, it need not be worked out again


def answer_to(sent: object, wanted: GroupSearch) -> dict[str, Any]:
    """Store a page's decisions, begin the group it has chosen, and say where things stand.

    Args:
        sent: What the browser sent, unchecked.
        wanted: What the person looks for.
    """
    message = read_group_message(sent)
    if message is None or not message.is_ours:
        return _nothing(project_classes()) | nothing_said()
    return answered_once(ANSWER_KEY, (message.name, message.seq, wanted), lambda: _answer(message, wanted))


def _answer(message: GroupMessage, wanted: GroupSearch) -> dict[str, Any]:
    about = stored(message)
    identity, person, classes = project_id(), annotator_id(), project_classes()
    adopt_closed_pages(message.page)
    notices = list(about["notices"])
    if message.begin is not None:
        notices += _begin(message, wanted, classes)
    state = _open_state(identity, person)
    with database().read() as session:
        over = reached(session, project_id=identity, limits=limits())
        offers = _offers(session, classes, wanted) if state is None else []
        taken = _last_taken(session, identity, person, classes)
    return {
        **_nothing(classes),
        **about,
        "notices": notices,
        "offers": [_plain_offer(offer) for offer in offers],
        "group": None if state is None else _plain_group(state),
        "due": [] if state is None else _due(message, state),
        "taken": taken,
        "over": None if over is None else over_words(over),
    }


def _begin(message: GroupMessage, wanted: GroupSearch, classes: Sequence[ClassInfo]) -> list[dict[str, str]]:
    """Begins the group; where that cannot be, the sentence why."""
    chosen = message.begin
    assert chosen is not None
    with database().read() as session:
        if group_parts(session, project_id=project_id(), key=chosen.key):
            return []
        offers = {offer.name: offer for offer in _offers(session, classes, wanted)}
    offer = offers.get(chosen.offer)
    try:
        if offer is None:
            raise InvalidDecisionError("This group is not there any more: choose another one.")
        with database().write() as session:
            begin(
                session,
                current_project().settings(),
                project_id=project_id(),
                annotator_id=annotator_id(),
                key=chosen.key,
                class_index=chosen.class_index if offer.class_index is None else offer.class_index,
                origin=f"{len(offer.sample_ids)} {offer.words}",
                sample_ids=offer.sample_ids,
                classes=dict(zip(offer.sample_ids, offer.classes, strict=True)) if offer.classes else None,
            )
    except InvalidDecisionError as error:
        return as_told([(chosen.key, str(error))])
    return []


def _offers(session: Session, classes: Sequence[ClassInfo], wanted: GroupSearch) -> list[Offer]:
    project, identity = current_project(), project_id()
    out = left_out(session, project_id=identity, audit_share=project.settings().audit_share)
    return find_offers(session, project, project_id=identity, classes=classes, out=out, wanted=wanted)


def _open_state(identity: int, person: int) -> GroupState | None:
    """The group that the person is judging; after a wrong member, with those most like it sent back."""
    share = current_project().settings().audit_share
    with database().read() as session:
        key = open_group(session, project_id=identity, annotator_id=person)
        state = None if key is None else read_state(session, project_id=identity, key=key, audit_share=share)
    if state is None or not state.was_wrong:
        return state
    stays = _staying(state)
    if stays is None:
        return state
    with database().write() as session:
        return split(session, state, project_id=identity, stays=stays)


def _staying(state: GroupState) -> list[int] | None:
    """The members whose closest judged one is right; None where nothing tells yet what is close."""
    folder = fullest_folder(current_project().features_dir)
    if folder is None or len(state.right) < FEWEST_RIGHT:
        return None
    not_drawn, right, wrong = (
        np.array(ids, np.int64) for ids in (state.part.members[state.drawn :], state.right, state.wrong)
    )
    try:
        stays: list[int] = not_like(open_rows(folder), not_drawn, right=right, wrong=wrong).tolist()
    except FeatureStoreError:
        return None
    return stays if len(stays) < len(not_drawn) else None


def _due(message: GroupMessage, state: GroupState) -> list[dict[str, Any]]:
    """The next members to be judged, kept from the others' queues; what the page can show already is not sent again."""
    ids = list(state.due[:AHEAD])
    said = state.part.said_of(ids)
    whose: dict[str, Any] = {"project_id": project_id(), "annotator_id": annotator_id(), "page": message.page}
    share = current_project().settings().audit_share
    with database().write() as session:
        claimed = claim_grid(session, **whose, sample_ids=ids, count=len(ids), audit_share=share)
        release_claims(session, **whose, keep=[one.token for one in claimed])
        samples = get_samples(session, sample_ids=ids)
    return [
        {
            "sample_id": sample_id,
            "draw": state.judged + number + 1,
            "class_index": said[sample_id],  # the page counts with it, and shows it nowhere
            "content": None if sample_id in message.held else to_send(samples[sample_id], large=True),
        }
        for number, sample_id in enumerate(ids)
    ]


def _last_taken(session: Session, identity: int, person: int, classes: Sequence[ClassInfo]) -> dict[str, Any] | None:
    """The rest that the person labeled last, as long as it was not taken back."""
    key = last_taken(session, project_id=identity, annotator_id=person)
    if key is None:
        return None
    part = group_parts(session, project_id=identity, key=key)[-1]
    count = count_taken(session, project_id=identity, key=key)
    name = None if part.class_index == EACH else classes[part.class_index].name
    return {"key": key, "count": count, "name": name} if count else None


def _plain_group(state: GroupState) -> dict[str, Any]:
    return {
        "key": state.part.key,
        "class_index": state.part.class_index,
        "origin": state.part.origin,
        "judged": state.judged,
        "wrong": len(state.wrong),
        "sent_back": state.sent_back,
        "rest": len(state.free),
        "needed": state.needed,
        "kept": len(state.kept),
        "allowed": state.part.allowed,
        "bound": state.bound,
        "holds": state.holds,
        "too_mixed": state.is_too_mixed,
    }


def _plain_offer(offer: Offer) -> dict[str, Any]:
    return {
        "name": offer.name,
        "class_index": offer.class_index,
        "words": offer.words,
        "count": len(offer.sample_ids),
        "needed": offer.needed,
    }


def _nothing(classes: Sequence[ClassInfo]) -> dict[str, Any]:
    """What a page is told before it has said anything, beside what every page is: the classes."""
    return {
        "kind": kind_name(),
        "classes": told_classes(classes),
        "offers": [],
        "group": None,
        "due": [],
        "taken": None,
        "over": None,
    }
