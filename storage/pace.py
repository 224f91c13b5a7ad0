"""How fast people decide, so that labels can be counted in minutes."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select

from storage.engine import Session
from storage.events import DECISIONS, IMPORTED
from storage.models import LabelEvent

LATEST = 200  # decisions; how fast somebody was last month says little
PAUSE_S = 60.0  # between two decisions: more is a break, not work
FEWEST = 5  # measured steps; below, one slow image would decide


def seconds_per_decision(session: Session, *, project_id: int) -> float | None:
    """Mean seconds from one label or skip to the next of the same person, breaks left out; None with too few.

    A mean, and of the times at which decisions arrived: several may arrive together, and then a median would be 0.
    """
    working = _working_steps(session, project_id, latest=LATEST)
    return sum(working) / len(working) if len(working) >= FEWEST else None


def minutes_of_work(session: Session, *, project_id: int) -> float:
    """Minutes that all people together worked on their labels and skips, breaks left out."""
    return sum(_working_steps(session, project_id)) / 60


def _working_steps(session: Session, project_id: int, latest: int | None = None) -> list[float]:
    """Seconds from one decision to the next of the same person: of all decisions, or of the latest."""
    rows = session.execute(
        select(LabelEvent.annotator_id, LabelEvent.created_at)
        .where(LabelEvent.project_id == project_id, LabelEvent.action.in_(DECISIONS))
        .where(LabelEvent.purpose != IMPORTED)
        .order_by(LabelEvent.id.desc())
        .limit(latest)
    )
    times: dict[int, list[datetime]] = defaultdict(list)
    for annotator_id, created_at in rows:
        times[annotator_id].append(created_at)
    steps = [(later - earlier).total_seconds() for of_one in times.values() for later, earlier in pairwise(of_one)]
    return [step for step in steps if 0 <= step <= PAUSE_S]  # a clock set back gives negative ones
