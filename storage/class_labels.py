"""What a change of classes does to labels: events more, never fewer, so that what was said stays readable.

A merge is a label event more for each label of the class that goes. A split takes its labels back, and asks for those
samples first: what stood there no longer says which of the new classes they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, update

from storage.current import fold_decision
from storage.engine import Session
from storage.entries import is_journaled, note_event
from storage.events import is_undone
from storage.models import ClassChange, CurrentDecision, LabelEvent, Query, Round, Sample, SampleError
from storage.plain import pairs, utc_now
from storage.rounds import NewQuery, insert_queries

MERGED = "merge"  # how the label events of a merge came to be, and how their request ids begin
SPLIT = "split"  # likewise; behind the change's key stands what the event does
_KEPT = (
    "project_id", "sample_id", "annotator_id", "purpose", "round_number", "score", "acquisition_probability", "rank",
    "model_version", "predictor", "predictor_version", "predictor_labels", "acquisition",
)  # fmt: skip


@dataclass(frozen=True)
class WaitingSample:
    """A sample whose label a split took back, and under what it was asked."""

    sample_id: int
    purpose: str
    acquisition_probability: float | None


@dataclass(frozen=True)
class ClassCount:
    """How much has a class."""

    labels: int = 0  # samples whose label it is
    tests: int = 0  # samples of the test set


def count_per_class(session: Session, *, project_id: int) -> dict[int, ClassCount]:
    """Count what each class has, by its index; one that has nothing is left out."""
    standing = select(LabelEvent.class_index, func.count()).join(
        CurrentDecision, CurrentDecision.event_id == LabelEvent.id
    )
    of_labels = (CurrentDecision.project_id == project_id, CurrentDecision.action == "label")
    labels = pairs(session.execute(standing.where(*of_labels).group_by(LabelEvent.class_index)))
    of_tests = (Sample.project_id == project_id, Sample.split == "test", Sample.class_index.is_not(None))
    counted = select(Sample.class_index, func.count()).where(*of_tests).group_by(Sample.class_index)
    tests = pairs(session.execute(counted))
    return {index: ClassCount(labels.get(index, 0), tests.get(index, 0)) for index in labels.keys() | tests.keys()}


def move_labels(session: Session, *, project_id: int, gone: int, stays: int, key: str) -> int:
    """Make each person's label of one class that stands one of another; return how many samples have another now."""
    votes = _votes_of(session, project_id, gone)
    _store(session, [_labeled(vote, stays, f"{MERGED}:{key}:{number}") for number, vote in enumerate(votes)])
    return len({vote.sample_id for vote in votes})


def take_moves_back(session: Session, *, key: str) -> None:
    """Undo the label events of a merge, but for those that somebody has corrected or undone since."""
    mine = _begins_with(f"{MERGED}:{key}:")
    events = session.scalars(select(LabelEvent).where(mine, ~is_undone()).order_by(LabelEvent.id)).all()
    _store(session, [_undone(event, f"undo:{event.id}") for event in events])


def withdraw_labels(session: Session, *, project_id: int, gone: int, key: str) -> int:
    """Take each person's label of a class back and ask for those samples first; return how many they are.

    What the same person said before goes with it: a corrected label, or that of a merged class, would stand again.
    """
    said = [event for events in _said_of(session, project_id, gone) for event in events]
    _store(session, [_undone(event, f"{SPLIT}:{key}:{number}") for number, event in enumerate(said)])
    withdrawn = {event.sample_id for event in said}
    waiting = [one for one in list_waiting(session, project_id=project_id) if one.sample_id in withdrawn]
    _ask_first(session, project_id, waiting)
    return len(withdrawn)


def give_labels_back(session: Session, *, key: str) -> None:
    """Say again what a split took back, but for samples that somebody has decided on since."""
    undecided = ~exists().where(CurrentDecision.sample_id == LabelEvent.sample_id)
    mine = (_begins_with(f"{SPLIT}:{key}:"), LabelEvent.action == "undo", undecided)
    undos = session.scalars(select(LabelEvent).where(*mine).order_by(LabelEvent.id)).all()
    taken = [session.get_one(LabelEvent, undo.supersedes) for undo in undos]
    _store(session, [_again(*each, key, number) for number, each in enumerate(zip(undos, taken, strict=True))])


def split_since(session: Session, *, key: str) -> int | None:
    """Return the change that took back labels of a merge, by splitting the class that got them, and that stands."""
    merged = select(LabelEvent.id).where(_begins_with(f"{MERGED}:{key}:"))
    taken = (LabelEvent.action == "undo", LabelEvent.supersedes.in_(merged), _begins_with(f"{SPLIT}:"))
    keys = {request_id.split(":")[1] for request_id in session.scalars(select(LabelEvent.request_id).where(*taken))}
    undone = select(ClassChange.undoes).where(ClassChange.undoes.is_not(None))
    standing = select(ClassChange.id).where(ClassChange.key.in_(keys), ClassChange.id.not_in(undone))
    return session.scalar(standing.order_by(ClassChange.id.desc()).limit(1))


def list_waiting(session: Session, *, project_id: int) -> list[WaitingSample]:
    """List the samples that splits took the label of and nobody has decided on since, in the order of their labels."""
    taken = (LabelEvent.project_id == project_id, _begins_with(f"{SPLIT}:"), LabelEvent.action == "undo")
    decided = exists().where(CurrentDecision.sample_id == LabelEvent.sample_id)
    broken = exists().where(SampleError.sample_id == LabelEvent.sample_id)
    rows = session.execute(
        select(LabelEvent.sample_id, LabelEvent.purpose, LabelEvent.acquisition_probability)
        .where(*taken, ~decided, ~broken)
        .order_by(LabelEvent.id)
    )
    found = [WaitingSample(sample_id, purpose, chance) for sample_id, purpose, chance in rows]
    return list({one.sample_id: one for one in found}.values())


def split_samples(session: Session, *, project_id: int) -> set[int]:
    """Return all samples whose label a split took back, whatever was decided on them since."""
    taken = (LabelEvent.project_id == project_id, _begins_with(f"{SPLIT}:"), LabelEvent.action == "undo")
    return set(session.scalars(select(LabelEvent.sample_id).where(*taken).distinct()))


def asked_first(waiting: Iterable[WaitingSample]) -> list[NewQuery]:
    """Queries about them, from rank 0 on: one of the audit stays one, and no new ranking takes another's place."""
    return [
        NewQuery(one.sample_id, rank, _purpose(one), None, one.acquisition_probability)
        for rank, one in enumerate(waiting)
    ]


def _purpose(waiting: WaitingSample) -> str:
    return "audit" if waiting.purpose == "audit" else "recheck"


def _ask_first(session: Session, project_id: int, waiting: Sequence[WaitingSample]) -> None:
    """Put them before all others of the open round; without one the next round does it."""
    opened = select(Round.id).where(Round.project_id == project_id, Round.state == "open")
    round_id = session.scalar(opened)
    if round_id is None or not waiting:
        return
    _move_behind(session, round_id, len(waiting))
    queries = asked_first(waiting)
    in_round = (Query.round_id == round_id, Query.sample_id.in_([query.sample_id for query in queries]))
    known = pairs(session.execute(select(Query.sample_id, Query.id).where(*in_round)))
    for query in queries:
        if query.sample_id in known:  # a claim may name it, so it stays
            there = update(Query).where(Query.id == known[query.sample_id])
            session.execute(there.values(rank=query.rank, purpose=query.purpose))
    insert_queries(session, round_id=round_id, queries=[one for one in queries if one.sample_id not in known])
    session.expire_all()


def _move_behind(session: Session, round_id: int, count: int) -> None:
    """Make room before a ranking; ranks are unique at every moment, so they go below zero on the way."""
    of_round = Query.round_id == round_id
    session.execute(update(Query).where(of_round).values(rank=-1 - Query.rank - count))
    session.execute(update(Query).where(of_round).values(rank=-1 - Query.rank))


def _votes_of(session: Session, project_id: int, class_index: int) -> list[LabelEvent]:
    """Each person's label of a class that stands, in the order in which they were given."""
    return [events[-1] for events in _said_of(session, project_id, class_index)]


def _said_of(session: Session, project_id: int, class_index: int) -> list[list[LabelEvent]]:
    """What each person said of each sample whose label is a class, where that class is the last of it."""
    voted = _of_standing(project_id, class_index)
    events = session.scalars(
        select(LabelEvent)
        .where(LabelEvent.sample_id.in_(voted), LabelEvent.action != "flag", LabelEvent.action != "undo")
        .where(~is_undone())
        .order_by(LabelEvent.id)
    ).all()
    said: dict[tuple[int, int, bool], list[LabelEvent]] = {}
    for event in events:
        said.setdefault((event.sample_id, event.annotator_id, event.aside), []).append(event)
    of_class = (each for each in said.values() if each[-1].class_index == class_index)
    return sorted(of_class, key=lambda each: each[-1].id)


def _of_standing(project_id: int, class_index: int) -> Select[Any]:
    standing = select(CurrentDecision.sample_id).join(LabelEvent, LabelEvent.id == CurrentDecision.event_id)
    return standing.where(CurrentDecision.project_id == project_id, LabelEvent.class_index == class_index)


def _begins_with(prefix: str) -> ColumnElement[bool]:
    return LabelEvent.request_id.startswith(prefix, autoescape=True)


def _labeled(vote: LabelEvent, class_index: int | None, request_id: str, *, action: str = "label") -> LabelEvent:
    kept = {name: getattr(vote, name) for name in _KEPT}
    return LabelEvent(
        **kept, action=action, class_index=class_index, aside=vote.aside, suggestion_shown=False, why_shown=False,
        shown_together=1, lead_time_s=None, request_id=request_id, supersedes=vote.id, created_at=utc_now(),
    )  # fmt: skip


def _again(undo: LabelEvent, taken: LabelEvent, key: str, number: int) -> LabelEvent:
    """What was taken, once more; what a merge said stays the merge's, which can be taken back as well."""
    own = f"{SPLIT}:{key}:back:{number}"
    request_id = f"{taken.request_id}:{own}" if taken.request_id.startswith(f"{MERGED}:") else own
    return _labeled(undo, taken.class_index, request_id, action=taken.action)


def _undone(event: LabelEvent, request_id: str) -> LabelEvent:
    return LabelEvent(
        **{name: getattr(event, name) for name in _KEPT}, action="undo", aside=event.aside, suggestion_shown=False,
        why_shown=False, shown_together=1, request_id=request_id, supersedes=event.id, created_at=utc_now(),
    )  # fmt: skip


def _store(session: Session, events: Sequence[LabelEvent]) -> None:
    session.add_all(events)
    session.flush()
    for sample_id in sorted({event.sample_id for event in events}):
        fold_decision(session, sample_id=sample_id)
    if is_journaled(session):
        for event in events:
            note_event(session, event)
