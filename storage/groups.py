"""Groups of samples offered as one decision: some members are judged one by one, the rest is labeled at once.

What is judged is an ordinary label event that names the group and its draw. The rest is one transaction of label events
that name the group and what was proven of it; nobody has looked at these samples, so they are told apart everywhere.
One undo takes all of them back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, or_, select, update

from storage.checks import check_annotator, check_decision
from storage.current import fold_decision
from storage.engine import Session
from storage.entries import is_journaled, note_events
from storage.errors import InvalidDecisionError, UnknownGroupError
from storage.events import is_undone
from storage.grid import free_samples
from storage.journal import note, values_of
from storage.limits import NO_LIMITS, Limits, check_limits
from storage.models import Annotator, CurrentDecision, Group, LabelEvent, Query, Round, Sample, SampleError
from storage.plain import utc_now
from storage.provenance import chosen_otherwise
from storage.samples import chunks

EACH = -1  # in the place of a group's class: each member is said to be of a class of its own
GROUP = "group"  # the acquisition of its labels, and how the request ids of the rest begin


@dataclass(frozen=True)
class GroupPart:
    """A group as it was begun, or what stayed of it after a split."""

    key: str
    part: int  # 0: as it was begun
    annotator_id: int
    class_index: int  # what all members are said to be, or `EACH`
    origin: str  # how the members were found, for people
    seed: int  # of the order of the draws
    allowed: float  # share of the rest that may be of another class, 0..1
    members: tuple[int, ...]  # sample ids in the order of the draws
    draws: int = 0  # of the part before, when this one took its place
    closed: bool = False  # the rest was taken, or the person left it
    classes: tuple[int, ...] = ()  # what each member is said to be, in the order of `members`; empty: `class_index`

    def said_of(self, sample_ids: Iterable[int]) -> dict[int, int]:
        """What members are said to be, by sample id."""
        if not self.classes:
            return dict.fromkeys(sample_ids, self.class_index)
        wanted = set(sample_ids)
        return {one: said for one, said in zip(self.members, self.classes, strict=True) if one in wanted}


def begin_group(session: Session, *, project_id: int, group: GroupPart) -> tuple[GroupPart, ...]:
    """Store a group that somebody begins to judge, once per key; it takes the place of one they had open.

    Returns:
        Its parts: just this one, or what is stored under the key already.

    Raises:
        InvalidDecisionError: When the class is none that may be given.
    """
    stored = group_parts(session, project_id=project_id, key=group.key)
    if stored:
        return stored
    check_annotator(session, project_id, group.annotator_id)
    for class_index in set(group.classes) or {group.class_index}:
        check_decision(session, project_id, group.members[0], "label", class_index)
    own = (Group.project_id == project_id, Group.annotator_id == group.annotator_id)
    session.execute(update(Group).where(*own, ~Group.closed).values(closed=True))
    _add(session, project_id, group)
    return (group,)


def split_group(session: Session, *, project_id: int, part: GroupPart, members: Sequence[int], draws: int) -> GroupPart:
    """Store what stays of a group after a wrong member; the same split twice is one.

    Args:
        session: A writing session.
        project_id: The project.
        part: The part that is split, the last one of its group.
        members: Those not drawn that stay, in the order of the draws.
        draws: How many of ``part`` were drawn.
    """
    said = part.said_of(members)
    classes = tuple(said[sample_id] for sample_id in members) if part.classes else ()
    made = replace(part, part=part.part + 1, members=tuple(members), draws=draws, classes=classes)
    parts = group_parts(session, project_id=project_id, key=part.key)
    if len(parts) > made.part:
        return parts[made.part]
    _add(session, project_id, made)
    return made


def group_parts(session: Session, *, project_id: int, key: str) -> tuple[GroupPart, ...]:
    """Read a group: as it was begun, and what stayed after each split; empty where there is none."""
    of_group = select(Group).where(Group.project_id == project_id, Group.key == key).order_by(Group.part)
    return tuple(_part(row) for row in session.scalars(of_group))


def open_group(session: Session, *, project_id: int, annotator_id: int) -> str | None:
    """The key of the group that somebody is judging."""
    own = (Group.project_id == project_id, Group.annotator_id == annotator_id, ~Group.closed)
    return session.scalar(select(Group.key).where(*own).order_by(Group.id.desc()).limit(1))


def close_group(session: Session, *, project_id: int, key: str, closed: bool = True) -> None:
    """Leave a group, or go back to it; what was judged stays judged."""
    session.execute(update(Group).where(Group.project_id == project_id, Group.key == key).values(closed=closed))


def count_groups(session: Session, *, project_id: int) -> int:
    """How many groups were ever begun."""
    return session.scalar(select(func.count(func.distinct(Group.key))).where(Group.project_id == project_id)) or 0


def judged_classes(session: Session, *, sample_ids: Sequence[int]) -> dict[int, int | None]:
    """What people said of those of some samples they have looked at: the class index, None for a skip."""
    found: dict[int, int | None] = {}
    joined = select(CurrentDecision.sample_id, LabelEvent.class_index).join(
        LabelEvent, LabelEvent.id == CurrentDecision.event_id
    )
    for chunk in chunks(sample_ids):
        rows = session.execute(joined.where(CurrentDecision.sample_id.in_(chunk), LabelEvent.group_bound.is_(None)))
        found |= {row[0]: row[1] for row in rows}
    return found


def kept_out_of_groups(session: Session, *, project_id: int, audit_share: float) -> set[int]:
    """The samples that are never members: the audit's, those asked for a second look, and what cannot be read."""
    # Three questions: asked of each sample anew, the last two would take longer than all the rest.
    reserved = select(Sample.id).where(
        Sample.project_id == project_id, or_(Sample.split != "pool", Sample.audit_key < audit_share)
    )
    in_project = (Round.project_id == project_id, Query.purpose != "train")
    asked = select(Query.sample_id).join(Round, Round.id == Query.round_id).where(*in_project).distinct()
    broken = select(SampleError.sample_id).where(SampleError.project_id == project_id)
    return {sample_id for kept in (reserved, asked, broken) for sample_id in session.scalars(kept)}


def take_rest(
    session: Session,
    *,
    project_id: int,
    group: GroupPart,
    sample_ids: Sequence[int],
    most_wrong: int,
    request_id: str,
    audit_share: float,
    page: str = "",
    limits: Limits = NO_LIMITS,
) -> int:
    """Label the rest of a group as it is said to be, and close it; the same request twice is one.

    What was decided meanwhile, belongs to the audit or is on another person's screen is left out.

    Args:
        session: A writing session.
        project_id: The project.
        group: Its last part.
        sample_ids: The rest.
        most_wrong: What was proven: at most so many of the rest are of another class.
        request_id: Of the person's key press.
        audit_share: Share of the pool that is kept for the audit, 0..1.
        page: The person's page.
        limits: Where labeling ends; the rest counts as nothing.

    Returns:
        How many samples were labeled.

    Raises:
        InvalidDecisionError: When the class is none that may be given, or so few are free that what was proven says
            too little of them.
        LimitReachedError: When labeling is over.
    """
    begins = f"{GROUP}:{request_id}:"
    stored = select(func.count()).where(LabelEvent.request_id.startswith(begins, autoescape=True))
    already = session.scalar(stored) or 0
    if already:
        return already
    check_limits(session, project_id=project_id, limits=limits)
    free = free_samples(
        session, project_id=project_id, annotator_id=group.annotator_id, page=page, sample_ids=sample_ids,
        audit_share=audit_share,
    )  # fmt: skip
    if not free or most_wrong > group.allowed * len(free):
        raise InvalidDecisionError(
            f"The rest was not taken: {most_wrong:,} of the {len(free):,} that are free may be of another class; "
            f"{100 * group.allowed:g} % are allowed. The others are on another page: try again in a minute."
        )
    events = _labels_of_rest(session, project_id, group, free, bound=most_wrong / len(free), request=begins)
    session.add_all(events)
    session.flush()
    session.add_all(
        CurrentDecision(sample_id=event.sample_id, project_id=project_id, event_id=event.id, action="label")
        for event in events
    )
    close_group(session, project_id=project_id, key=group.key)
    session.flush()
    note_events(session, events)
    return len(events)


def _labels_of_rest(
    session: Session, project_id: int, group: GroupPart, free: Sequence[int], *, bound: float, request: str
) -> list[LabelEvent]:
    """One event a sample; the number at the end of its request id keeps each one unique."""
    said = group.said_of(free)
    for class_index in set(said.values()):
        check_decision(session, project_id, free[0], "label", class_index)
    asked = chosen_otherwise(session, project_id, GROUP)
    return [
        LabelEvent(
            project_id=project_id,
            sample_id=sample_id,
            annotator_id=group.annotator_id,
            action="label",
            class_index=said[sample_id],
            suggestion_shown=False,
            group_key=group.key,
            group_bound=bound,
            request_id=f"{request}{number}",
            created_at=utc_now(),
            **asked,
        )
        for number, sample_id in enumerate(free)
    ]


def undo_rest(session: Session, *, project_id: int, annotator_id: int, key: str) -> int:
    """Take back all that was labeled with the rest of a group, but for what somebody has corrected since.

    Returns:
        How many labels were taken back; none when it was done before.

    Raises:
        UnknownGroupError: When the project has no such group.
    """
    if not group_parts(session, project_id=project_id, key=key):
        raise UnknownGroupError(key)
    check_annotator(session, project_id, annotator_id)
    taken = session.scalars(select(LabelEvent).where(*_of_rest(project_id, key), ~is_undone())).all()
    events = [_undo(event, annotator_id) for event in taken]
    session.add_all(events)
    session.flush()
    for event in events:
        fold_decision(session, sample_id=event.sample_id)
    close_group(session, project_id=project_id, key=key, closed=False)
    note_events(session, events)
    return len(events)


def count_taken(session: Session, *, project_id: int, key: str | None = None) -> int:
    """How many labels stand that nobody has looked at: of one group, or of all."""
    standing = select(func.count()).select_from(CurrentDecision)
    joined = standing.join(LabelEvent, LabelEvent.id == CurrentDecision.event_id)
    return session.scalar(joined.where(*_of_rest(project_id, key))) or 0


def last_taken(session: Session, *, project_id: int, annotator_id: int) -> str | None:
    """The key of the group whose rest somebody labeled last, and which was not taken back."""
    of_person = (*_of_rest(project_id, None), LabelEvent.annotator_id == annotator_id, LabelEvent.action == "label")
    latest = select(LabelEvent.group_key).where(*of_person, ~is_undone()).order_by(LabelEvent.id.desc()).limit(1)
    return session.scalar(latest)


def _of_rest(project_id: int, key: str | None) -> tuple[ColumnElement[bool], ...]:
    of_project = (LabelEvent.project_id == project_id, LabelEvent.group_bound.is_not(None))
    return of_project if key is None else (*of_project, LabelEvent.group_key == key)


def _undo(undone: LabelEvent, annotator_id: int) -> LabelEvent:
    return LabelEvent(
        project_id=undone.project_id,
        sample_id=undone.sample_id,
        annotator_id=annotator_id,
        action="undo",
        purpose=undone.purpose,
        acquisition=undone.acquisition,
        suggestion_shown=False,
        group_key=undone.group_key,
        request_id=f"undo:{undone.id}",
        supersedes=undone.id,
        created_at=utc_now(),
    )


def _add(session: Session, project_id: int, group: GroupPart) -> None:
    listed = {"members": json.dumps(group.members), "classes": json.dumps(group.classes) if group.classes else ""}
    given = {**vars(group), **listed, "project_id": project_id, "created_at": utc_now()}
    row = Group(**given)
    session.add(row)
    session.flush()
    if is_journaled(session):
        annotator = session.get_one(Annotator, group.annotator_id)
        note(session.info, {"group": values_of(row), "annotator": values_of(annotator)})


def _part(row: Group) -> GroupPart:
    return GroupPart(
        row.key, row.part, row.annotator_id, row.class_index, row.origin, row.seed, row.allowed,
        tuple(json.loads(row.members)), row.draws, row.closed, tuple(json.loads(row.classes or "[]")),
    )  # fmt: skip
