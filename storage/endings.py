"""How processes of a project ended without being asked to: written by the supervisor, read where people look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from storage.engine import Session
from storage.models import Ending
from storage.plain import to_info, utc_now

KEPT = 50  # of each child; the oldest go first


@dataclass(frozen=True)
class EndingInfo:
    """One death of a child."""

    id: int
    child: str  # "screens" or "trainer"
    status: int  # its exit code; a signal's number below zero
    seconds: float  # it had lived
    last_words: str  # the last line of its log
    created_at: datetime
    held_bytes: int | None = None  # of memory, when it was last looked at; None: it never was
    free_bytes: int | None = None  # of the machine's memory, then


def record_ending(
    session: Session,
    *,
    project_id: int,
    child: str,
    status: int,
    seconds: float,
    last_words: str,
    held_bytes: int | None = None,
    free_bytes: int | None = None,
) -> None:
    """Keep how a child ended, and what memory it held and was free when it was last looked at."""
    told = {"child": child, "status": status, "seconds": seconds, "last_words": last_words}
    memory = {"held_bytes": held_bytes, "free_bytes": free_bytes}
    session.add(Ending(project_id=project_id, created_at=utc_now(), **told, **memory))
    session.flush()
    of_child = select(Ending.id).where(Ending.project_id == project_id, Ending.child == child)
    newest = of_child.order_by(Ending.id.desc()).limit(KEPT)
    session.execute(delete(Ending).where(Ending.id.in_(of_child), Ending.id.not_in(newest)))


def forget_endings(session: Session, *, project_id: int, child: str) -> None:
    """Let a child's deaths be over: it lives, or a person has taken notice."""
    session.execute(delete(Ending).where(Ending.project_id == project_id, Ending.child == child))


def list_endings(session: Session, *, project_id: int, child: str) -> list[EndingInfo]:
    """List how a child ended, the latest first."""
    rows = select(Ending).where(Ending.project_id == project_id, Ending.child == child).order_by(Ending.id.desc())
    return [to_info(EndingInfo, row) for row in session.scalars(rows)]
