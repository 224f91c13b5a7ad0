"""The trainer's heartbeat and errors, and what people ask of it.

The screens judge silence on their own monotonic clock by ``beat`` standing still, never by comparing ``beat_at``
with the wall clock, which may jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.engine import Session
from storage.errors import StaleGenerationError
from storage.models import TrainerError, TrainerHeartbeat, TrainerRequest
from storage.plain import to_info, utc_now


@dataclass(frozen=True)
class Heartbeat:
    """What the trainer was doing at its latest beat."""

    generation: int
    pid: int
    state: str  # starting | idle | embedding | training | scoring | cross-validating | measuring | failed | stopped
    message: str  # of an idle trainer: a sentence for whoever labels; from the second line on, the details
    beat: int  # counts up
    beat_at: datetime
    round_number: int | None
    epoch: int | None
    epochs: int | None
    done: int | None  # samples embedded or scored
    total: int | None
    eta_s: float | None
    handled_request_id: int  # the latest request it has acted on
    device: str | None


@dataclass(frozen=True)
class TrainerErrorInfo:
    """A failure of the trainer."""

    id: int
    round_number: int | None
    step: str
    message: str
    traceback: str
    created_at: datetime


@dataclass(frozen=True)
class RequestInfo:
    """A wish of a person to the trainer."""

    id: int
    kind: str  # train | retry | stop
    created_at: datetime


BEAT_FIELDS = frozenset(
    {"state", "message", "round_number", "epoch", "epochs", "done", "total", "eta_s", "handled_request_id", "device"}
)


def start_generation(session: Session, *, project_id: int, pid: int) -> int:
    """Take over as the project's trainer: from now on older generations are refused. Returns the new one, from 1."""
    before = session.get(TrainerHeartbeat, project_id)
    generation = before.generation + 1 if before else 1
    session.merge(
        TrainerHeartbeat(
            project_id=project_id,
            generation=generation,
            pid=pid,
            state="starting",
            message="",
            beat=before.beat + 1 if before else 0,
            beat_at=utc_now(),
            round_number=None,
            epoch=None,
            epochs=None,
            done=None,
            total=None,
            eta_s=None,
            handled_request_id=before.handled_request_id if before else 0,
            device=None,
        )
    )
    session.flush()
    return generation


def beat(session: Session, *, project_id: int, generation: int, **fields: object) -> None:
    """Count the heartbeat up and set some of `BEAT_FIELDS`; the others stay.

    Raises:
        StaleGenerationError: When a newer trainer has taken over.
    """
    unknown = fields.keys() - BEAT_FIELDS
    if unknown:
        raise TypeError(f"a heartbeat has no field {sorted(unknown)[0]!r}")
    row = session.get(TrainerHeartbeat, project_id)
    if row is None or row.generation != generation:
        raise StaleGenerationError(generation=generation, current=row.generation if row else 0)
    for name, value in fields.items():
        setattr(row, name, value)
    row.beat += 1
    row.beat_at = utc_now()
    session.flush()


def get_heartbeat(session: Session, *, project_id: int) -> Heartbeat | None:
    """Return the latest heartbeat; None before the first trainer started."""
    row = session.get(TrainerHeartbeat, project_id)
    return to_info(Heartbeat, row) if row else None


def refuse_stale_generation(session: Session, *, project_id: int, generation: int) -> None:
    """Fence a trainer that was replaced; a test without heartbeat has nothing to be fenced by.

    Raises:
        StaleGenerationError: When a newer trainer has taken over.
    """
    row = session.get(TrainerHeartbeat, project_id)
    if row is not None and generation < row.generation:
        raise StaleGenerationError(generation=generation, current=row.generation)


def record_error(
    session: Session, *, project_id: int, round_number: int | None, step: str, message: str, traceback: str
) -> int:
    """Keep a failure; returns its id."""
    error = TrainerError(
        project_id=project_id,
        round_number=round_number,
        step=step,
        message=message,
        traceback=traceback,
        created_at=utc_now(),
    )
    session.add(error)
    session.flush()
    return error.id


def list_errors(session: Session, *, project_id: int, limit: int = 20) -> list[TrainerErrorInfo]:
    """List the trainer's failures, latest first."""
    query = select(TrainerError).where(TrainerError.project_id == project_id).order_by(TrainerError.id.desc())
    return [to_info(TrainerErrorInfo, row) for row in session.scalars(query.limit(limit))]


def request_training(session: Session, *, project_id: int, kind: str, annotator_id: int | None = None) -> int:
    """Ask the trainer to train now, to retry a failed round or to stop; returns the request's id."""
    if kind not in ("train", "retry", "stop"):
        raise ValueError(f"a request is 'train', 'retry' or 'stop', not {kind!r}")
    request = TrainerRequest(project_id=project_id, kind=kind, annotator_id=annotator_id, created_at=utc_now())
    session.add(request)
    session.flush()
    return request.id


def pending_request(session: Session, *, project_id: int, after_id: int) -> RequestInfo | None:
    """Return the latest request after the one that was handled last; it overrules those between."""
    query = select(TrainerRequest).where(TrainerRequest.project_id == project_id, TrainerRequest.id > after_id)
    row = session.scalar(query.order_by(TrainerRequest.id.desc()).limit(1))
    return to_info(RequestInfo, row) if row else None
