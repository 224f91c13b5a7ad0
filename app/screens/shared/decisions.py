"""What the browser decided, stored: each decision in one transaction, once, in the order it was made.

Each key press has an id of its own, made in the browser, which repeats the decision until that id comes back as
confirmed: a repeated, late or reordered message changes nothing, for the id is unique in the database.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

import streamlit as st

from app.project.groups import take
from app.screens.shared.session import annotator_id, current_project, database, limits, project_id, writes
from storage.correcting import Corrected, correct_several, undo_several
from storage.engine import Session
from storage.errors import DatabaseError, InvalidDecisionError, StorageError
from storage.events import DECISIONS, LabelEventInfo, get_event
from storage.groups import GROUP, close_group, undo_rest
from storage.labels import record_decision, undo_request
from storage.projects import list_classes, list_projects

OF_GROUPS = ("take", "give_back", "leave")  # of a whole group: label the rest, undo that, go on without it
OF_SEVERAL = ("correct", "restore")  # of decided samples chosen together: one class for all, and the undo of that
KINDS = ("label", "skip", "flag", "undo", *OF_GROUPS, *OF_SEVERAL)
GRID = "grid"  # the acquisition of what was confirmed many at once
MOST_TOGETHER = 1000  # samples on one screen; more is no screen
_ID = re.compile(r"[0-9a-f-]{8,64}")  # as the browser makes them; "correct:" and the like are not theirs


@dataclass(frozen=True)
class Applied:
    """What became of the decisions of one message; those in neither list are sent again by the browser."""

    confirmed: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]  # id, sentence: these can never be stored
    trouble: str | None = None  # why the rest was not stored yet
    notices: tuple[tuple[str, str], ...] = ()  # id, sentence: stored, but there is something to know about it


@dataclass(frozen=True)
class Decision:
    """One decision as the browser tells it.

    Raises:
        InvalidDecisionError: When it is none; nothing that comes from a browser is believed.
    """

    id: str
    kind: str
    sample_id: int
    class_index: int | None = None
    undoes: str | None = None  # request id; of a correction of several, its own
    suggestion_shown: bool = False
    suggested: int | None = None  # class index that was suggested
    why_shown: bool = False
    lead_time_s: float | None = None
    shown_together: int = 1
    mode: str | None = None
    group: str | None = None  # key of the group whose member or which itself is decided on
    draw: int | None = None  # of that group, from 1 on
    corrects: str | None = None  # request id of the person's own decision that this one changes
    chosen: Sequence[Sequence[int]] = ()  # of several: sample id, and the id of the event that was seen to stand

    def __post_init__(self) -> None:
        """Refuse what is not of its type or out of range."""
        checks = {
            "id": is_key(self.id),
            "kind": self.kind in KINDS,
            "sample_id": is_whole(self.sample_id),
            "class_index": self.class_index is None or is_whole(self.class_index),
            "undoes": self._is_undoing(),
            "suggestion_shown": isinstance(self.suggestion_shown, bool),
            "suggested": self.suggested is None or (is_whole(self.suggested) and self.suggestion_shown is True),
            "why_shown": isinstance(self.why_shown, bool),
            "lead_time_s": self.lead_time_s is None or _is_time(self.lead_time_s),
            "shown_together": is_whole(self.shown_together) and 1 <= self.shown_together <= MOST_TOGETHER,
            "mode": self.mode in (None, GRID, GROUP),
            "group": is_key(self.group) if GROUP in (self.mode, *self._of_group()) else self.group is None,
            "draw": self.draw is None or (is_whole(self.draw) and self.draw > 0),
            "corrects": self.corrects is None or isinstance(self.corrects, str),
            "chosen": _are_chosen(self.chosen) and bool(self.chosen) == (self.kind == "correct"),
        }
        wrong = [name for name, is_right in checks.items() if not is_right]
        if wrong:
            raise InvalidDecisionError(f"A decision came with an impossible {wrong[0]}.")

    def _is_undoing(self) -> bool:
        if self.kind == "restore":
            return is_key(self.undoes)
        return isinstance(self.undoes, str) if self.kind == "undo" else self.undoes is None

    def _of_group(self) -> tuple[str, ...]:
        return (GROUP,) if self.kind in OF_GROUPS else ()


def is_key(value: object) -> bool:
    """Whether it may be an id that a browser made."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def outbox_name() -> str:
    """Whose outbox the browser keeps: this annotator's in this project, whatever else is ever served on this port."""
    return f"{_project_digest(current_project().database_url, project_id())}-{annotator_id()}"


# When a project was created never changes.
@st.cache_data(max_entries=100, show_spinner=False)
def _project_digest(database_url: str, identity: int) -> str:
    with database().read() as session:
        created = next(info.created_at for info in list_projects(session) if info.id == identity)
    return hashlib.sha256(f"{database_url} {created.isoformat()}".encode()).hexdigest()[:12]


def apply(decisions: Sequence[Mapping[str, Any]], *, page: str = "") -> Applied:
    """Store decisions in order, each in its own transaction; the first one a busy or full disk keeps back ends it.

    Args:
        decisions: As the browser tells them.
        page: Which of the person's pages they come from.
    """
    identity, person = project_id(), annotator_id()
    confirmed: list[str] = []
    refused: list[tuple[str, str]] = []
    notices: list[tuple[str, str]] = []
    for told in decisions:
        name = str(told.get("id", ""))
        try:
            decision = _as_decision(told)
            notice = writes().run(partial(_store_and_tell, decision, identity, person, page))
        except DatabaseError as error:
            return Applied(tuple(confirmed), tuple(refused), str(error), tuple(notices))
        except StorageError as error:
            refused.append((name, f"A decision was not stored: {error}"))
        else:
            confirmed.append(name)
            notices += [(name, notice)] if notice else []
    return Applied(tuple(confirmed), tuple(refused), notices=tuple(notices))


def as_told(sentences: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Sentences about decisions, as the browser takes them."""
    return [{"id": name, "sentence": sentence} for name, sentence in sentences]


def _store_and_tell(decision: Decision, identity: int, person: int, page: str, session: Session) -> str:
    if decision.kind in OF_GROUPS:
        return _decide_on_group(session, decision, identity, person, page)
    if decision.kind in OF_SEVERAL:
        return _decide_on_several(session, decision, identity, person)
    return _notice(session, decision, _store(session, decision, identity, person, page))


def _decide_on_group(session: Session, decision: Decision, identity: int, person: int, page: str) -> str:
    assert decision.group is not None
    key, settings = decision.group, current_project().settings()
    if decision.kind == "leave":
        close_group(session, project_id=identity, key=key)
    elif decision.kind == "give_back":
        undo_rest(session, project_id=identity, annotator_id=person, key=key)
    else:
        take(session, settings, project_id=identity, key=key, request_id=decision.id, page=page, limits=limits())
    return ""


def _decide_on_several(session: Session, decision: Decision, identity: int, person: int) -> str:
    whose: dict[str, Any] = {"project_id": identity, "annotator_id": person}
    if decision.kind == "restore":
        assert decision.undoes is not None
        return restored_words(undo_several(session, **whose, key=decision.undoes))
    names = {entry.index: entry.name for entry in list_classes(session, project_id=identity)}
    if decision.class_index not in names:
        raise InvalidDecisionError(f"There is no class {decision.class_index}.")
    corrected = correct_several(
        session,
        **whose,
        seen={int(sample): int(event) for sample, event in decision.chosen},
        class_index=decision.class_index,
        key=decision.id,
        limits=limits(),
    )
    return corrected_words(corrected, names[decision.class_index])


def corrected_words(corrected: Corrected, name: str) -> str:
    """Say what became of the samples that were chosen to be of that class."""
    said = [f"{corrected.stored:,} corrected to {name}."]
    if corrected.same:
        said.append(f"{corrected.same:,} had that class already.")
    if corrected.moved:
        said.append(f"{corrected.moved:,} left as they are: somebody decided about them meanwhile. Look at them again.")
    return " ".join(said)


def restored_words(count: int) -> str:
    """Say what the undo of a correction of several has done."""
    if not count:
        return "That correction is taken back already."
    return f"{count:,} corrections are taken back; what stood before stands again."


def _notice(session: Session, decision: Decision, event: LabelEventInfo) -> str:
    """What a person must know of a decision that met another one they had not seen; empty where there is nothing."""
    if event.seeded_suggestion is not None and event.class_index == event.seeded_suggestion:
        return (
            f"Sample {event.sample_id}: the suggestion you accepted was wrong on purpose, to see who looks. Older "
            "(←) leads back to it; another class there corrects it."
        )
    if decision.kind not in DECISIONS or event.supersedes is None:
        return ""
    before = get_event(session, event_id=event.supersedes)
    if event.aside:
        return (
            f"Sample {event.sample_id}: {before.annotator} decided about it meanwhile, and that stands. Your answer is "
            "kept beside it, and Review shows both."
        )
    if before.annotator != event.annotator or decision.corrects is not None or event.purpose == "recheck":
        return ""
    return f"Sample {event.sample_id}: you had decided about it before, on another page. Your later answer stands."


def _as_decision(told: Mapping[str, Any]) -> Decision:
    fields = Decision.__dataclass_fields__
    try:
        return Decision(**{name: value for name, value in told.items() if name in fields})
    except TypeError as error:
        raise InvalidDecisionError("A decision came without its id, kind or sample.") from error


def _store(session: Session, decision: Decision, identity: int, person: int, page: str) -> LabelEventInfo:
    whose: dict[str, Any] = {"project_id": identity, "annotator_id": person}
    if decision.kind == "undo":
        assert decision.undoes is not None
        return undo_request(session, **whose, request_id=decision.undoes, undo_id=decision.id, page=page)
    return record_decision(
        session,
        **whose,
        sample_id=decision.sample_id,
        action=decision.kind,
        class_index=decision.class_index,
        request_id=decision.id,
        suggestion_shown=decision.suggestion_shown,
        suggested=decision.suggested,
        why_shown=decision.why_shown,
        shown_together=decision.shown_together,
        lead_time_s=decision.lead_time_s,
        acquisition=decision.mode if decision.kind == "label" else None,
        group_key=decision.group,
        group_draw=decision.draw,
        blind=True,
        limits=limits(),
    )


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is a whole number that a database can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _are_chosen(value: object) -> bool:
    pairs = value if isinstance(value, list | tuple) else [None]
    return all(isinstance(pair, list) and len(pair) == 2 and all(is_whole(number) for number in pair) for pair in pairs)
