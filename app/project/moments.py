"""A moment in the words of whoever asks for it: a day, a time, or the number of a label event."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

from app.errors import ExportError
from storage.engine import Database
from storage.moments import Moment, moment_at, moment_of

_EVENT = re.compile(r"#\s*([0-9]{1,15})")
_SHORT_ZONE = re.compile(r"([+-]\d\d)$")  # Python 3.10 reads no zone of hours alone, and no Z


def moment_said(database: Database, project_id: int, words: str) -> Moment:
    """Find the moment that somebody means.

    Args:
        database: the project's.
        project_id: of the project.
        words: an ISO 8601 day (its end), a time (of this machine's zone, if it names none), or an event, as `#1234`.

    Raises:
        ExportError: When it is none of these, or in the future.
        NoMomentError: When nothing was labeled by then, or there is no such event.
    """
    event = _EVENT.fullmatch(words.strip())
    with database.read() as session:
        if event:
            return moment_of(session, project_id=project_id, event_id=int(event[1]))
        return moment_at(session, project_id=project_id, at=_time_of(words.strip()))


def _time_of(words: str) -> datetime:
    now = datetime.now().astimezone()
    at = _end_of_day(words, now) or _read(words)
    if at > now:
        raise ExportError(f"{words} is in the future; without --at an export holds what stands now.")
    return at


def _end_of_day(words: str, now: datetime) -> datetime | None:
    """A day is meant with all that was labeled on it; today, with all until now. None: this is no day."""
    try:
        day = date.fromisoformat(words)
    except ValueError:
        return None
    if day == now.date():
        return now
    if day > now.date():
        return datetime.max.replace(tzinfo=timezone.utc)  # the last day of all has no day after it
    return datetime.combine(day + timedelta(days=1), time()).astimezone() - timedelta(microseconds=1)


def _read(words: str) -> datetime:
    try:
        return datetime.fromisoformat(_SHORT_ZONE.sub(r"\1:00", re.sub("[zZ]$", "+00:00", words))).astimezone()
    except (ValueError, OverflowError) as error:
        raise ExportError(
            f"{words!r} is no moment: wanted a day (2026-05-31), a time (2026-05-31T14:00, with +02:00 or Z for "
            "another zone), or a label event (#1234)."
        ) from error
