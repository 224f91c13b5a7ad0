"""Many at once, guaranteed: what a group's draws say so far, and the rest that may be labeled with one key.

A group's members and their order are fixed when it is begun; what was drawn follows from the labels that stand. So the
state of a group is worked out wherever it is shown, and a correction or an undo changes it like any other label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.project.settings import ProjectSettings
from loops.evaluation.purity import ALLOWED, Purity, draw_order
from loops.seeding import seed_of
from storage.current import decided_ids
from storage.engine import Session
from storage.errors import InvalidDecisionError
from storage.groups import (
    GroupPart,
    begin_group,
    count_groups,
    group_parts,
    judged_classes,
    kept_out_of_groups,
    split_group,
    take_rest,
)
from storage.limits import NO_LIMITS, Limits

MOST_FURTHER = 500  # draws; where the audit drew so many members that more are needed, the rest is hardly worth it
MOST_WRONG = 5  # members; where more were found in a few hundred, hardly any run of right ones is long enough


def is_hopeless(purity: Purity) -> bool:
    """Whether more than half of the rest would have to be judged first, or too many wrong members were found."""
    needed = purity.needed()
    return purity.run > MOST_WRONG + 1 or needed is None or 2 * needed > purity.left


@dataclass(frozen=True)
class GroupState:
    """How far a group is: its draws so far, and what may be labeled of its rest."""

    part: GroupPart  # what stays of it
    size: int  # members when it was begun
    right: tuple[int, ...]  # members that were drawn and are of its class
    wrong: tuple[int, ...]  # and those that are not
    drawn: int  # of this part
    purity: Purity
    due: tuple[int, ...]  # members to be judged next, in the order of the draws
    rest: tuple[int, ...]  # members that nobody has judged
    most_wrong: int  # of the rest, at 95 %
    was_wrong: bool  # the latest draw, and the group was not split after it
    kept: frozenset[int] = frozenset()  # members of the rest that a later round has drawn for the audit: never taken

    @property
    def judged(self) -> int:
        """Draws so far, before splits too."""
        return len(self.right) + len(self.wrong)

    @property
    def sent_back(self) -> int:
        """Members that went back to the pool with a wrong one."""
        return self.size - self.judged - len(self.part.members) + self.drawn

    @property
    def free(self) -> tuple[int, ...]:
        """What may be taken of the rest."""
        return tuple(sample_id for sample_id in self.rest if sample_id not in self.kept)

    @property
    def bound(self) -> float:
        """At most this share of what may be taken is of another class, at 95 %; the wrong ones may all be among it."""
        return self.most_wrong / len(self.free) if self.free else 0.0

    @property
    def holds(self) -> bool:
        """Whether the rest may be labeled."""
        return bool(self.free) and self.bound <= self.part.allowed

    @property
    def needed(self) -> int | None:
        """Further right draws until the rest may be labeled; None where these are too many to be worth it."""
        if not self.kept:
            return self.purity.needed()
        free = len(self.free)
        for more, sample_id in enumerate(self.due[: min(len(self.due) // 2, MOST_FURTHER)]):
            if replace(self.purity, draws=self.purity.draws + more).most_wrong <= self.part.allowed * free:
                return more
            free -= sample_id not in self.kept
        return None

    @property
    def is_too_mixed(self) -> bool:
        """Whether it saves little to go on."""
        return not self.holds and (is_hopeless(self.purity) or self.needed is None)


def begin(
    session: Session,
    settings: ProjectSettings,
    *,
    project_id: int,
    annotator_id: int,
    key: str,
    class_index: int,
    origin: str,
    sample_ids: Iterable[int],
    classes: Mapping[int, int] | None = None,
) -> GroupState:
    """Fix a group's members and the order in which they are drawn.

    Args:
        session: A writing session.
        settings: The project's; the seed of the draws follows from its own.
        project_id: In the database.
        annotator_id: Who judges.
        key: The group's, made when the person chose it: the same choice twice is one group.
        class_index: What the members are said to be; `EACH`: what ``classes`` says of each.
        origin: How they were found, for people.
        sample_ids: What was found; decided samples and those of the audit are left out.
        classes: By sample id, where each is said to be of a class of its own.

    Raises:
        InvalidDecisionError: When nothing is left of it, or the class is none that may be given.
    """
    out = kept_out_of_groups(session, project_id=project_id, audit_share=settings.audit_share)
    out |= decided_ids(session, project_id=project_id)
    members = np.array(sorted(set(sample_ids) - out), np.int64)
    if not len(members) and not group_parts(session, project_id=project_id, key=key):
        raise InvalidDecisionError("Nothing is left of this group: its samples were decided meanwhile.")
    seed = seed_of(settings.seed, "group", count_groups(session, project_id=project_id))
    order = tuple(draw_order(members, seed).tolist())
    group = GroupPart(
        key=key,
        part=0,
        annotator_id=annotator_id,
        class_index=class_index,
        origin=origin,
        seed=seed,
        allowed=ALLOWED,
        members=order,
        classes=() if classes is None else tuple(classes[sample_id] for sample_id in order),
    )
    return _state(session, begin_group(session, project_id=project_id, group=group))


def read_state(session: Session, *, project_id: int, key: str, audit_share: float) -> GroupState | None:
    """Work out where a group stands; None where there is none of this key.

    Only of a group that is proven it is asked which members were drawn for the audit since: each key press would wait.
    """
    parts = group_parts(session, project_id=project_id, key=key)
    state = _state(session, parts) if parts else None
    if state is None or not state.holds:
        return state
    kept = kept_out_of_groups(session, project_id=project_id, audit_share=audit_share)
    return replace(state, kept=frozenset(kept.intersection(state.rest)))


def split(session: Session, state: GroupState, *, project_id: int, stays: Iterable[int]) -> GroupState:
    """Send those most like the wrong members back to the pool.

    Args:
        session: A writing session.
        state: Right after a wrong draw.
        project_id: In the database.
        stays: Members not drawn that are kept.
    """
    kept = set(stays)
    members = [sample_id for sample_id in state.part.members[state.drawn :] if sample_id in kept]
    split_group(session, project_id=project_id, part=state.part, members=members, draws=state.drawn)
    return _state(session, group_parts(session, project_id=project_id, key=state.part.key))


def take(
    session: Session,
    settings: ProjectSettings,
    *,
    project_id: int,
    key: str,
    request_id: str,
    page: str = "",
    limits: Limits = NO_LIMITS,
) -> int:
    """Label the rest of a group, if what the draws prove allows it now; returns how many samples that were.

    Raises:
        InvalidDecisionError: When it does not, there is no such group, or too many of the rest are with others.
        LimitReachedError: When labeling is over.
    """
    state = read_state(session, project_id=project_id, key=key, audit_share=settings.audit_share)
    if state is None or not state.holds:
        raise InvalidDecisionError("The rest was not taken: what was judged does not prove enough of it.")
    return take_rest(
        session,
        project_id=project_id,
        group=state.part,
        sample_ids=state.free,
        most_wrong=state.most_wrong,
        request_id=request_id,
        audit_share=settings.audit_share,
        page=page,
        limits=limits,
    )


def _state(session: Session, parts: Sequence[GroupPart]) -> GroupState:
    found = judged_classes(session, sample_ids=parts[0].members)
    said = parts[0].said_of(found)
    return follow(parts, {sample_id: found[sample_id] == said[sample_id] for sample_id in found})


def follow(parts: Sequence[GroupPart], is_right: Mapping[int, bool]) -> GroupState:
    """Walk through the draws of a group, up to the first that nobody has judged.

    Args:
        parts: The group as it was begun, and what stayed after each split.
        is_right: Of all members that people have judged, whether they are what they are said to be.
    """
    last, purity = parts[-1], Purity(len(parts[0].members), parts[0].allowed)
    right: list[int] = []
    wrong: list[int] = []
    missing: tuple[int, ...] = ()
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        if part.part:
            # A new run in any case, also where the wrong draw before it was corrected since.
            run = purity.run + bool(purity.draws)
            purity = Purity(len(part.members), part.allowed, run=run)
        count = 0
        drawn = part.members if after is None else part.members[: after.draws]
        for place, sample_id in enumerate(drawn):
            if sample_id not in is_right:
                missing = drawn[place:] if after is None else (sample_id,)
                break
            purity = purity.drawn(wrong=not is_right[sample_id])
            (right if is_right[sample_id] else wrong).append(sample_id)
            count += 1
        if missing and after is not None:  # a draw from before a split was taken back: it comes first
            last = part
            break
    not_drawn = last.members[count:]
    known = [is_right[sample_id] for sample_id in not_drawn if sample_id in is_right]
    is_whole = last is parts[-1]
    return GroupState(
        part=last,
        size=len(parts[0].members),
        right=tuple(right),
        wrong=tuple(wrong),
        drawn=count,
        purity=purity,
        due=tuple(sample_id for sample_id in missing if sample_id not in is_right),
        rest=tuple(sample_id for sample_id in not_drawn if sample_id not in is_right),
        most_wrong=max(0, purity.most_wrong - known.count(False)) if is_whole else len(not_drawn),
        was_wrong=is_whole and count > 0 and not is_right[last.members[count - 1]],
    )
