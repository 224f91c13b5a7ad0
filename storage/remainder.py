"""What no ranking asks about: the rest of the pool in a random order of the project's own, which needs no trainer.

A screen gets these once the queue is used up, so that nobody waits for a round. The audit's reserve is left out: its
samples are drawn for measuring, and must not be trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from storage.asking import in_open_round, is_live, latest_claim
from storage.engine import Session
from storage.models import Claim, CurrentDecision, Query, Sample, SampleError

RANDOM = "random"  # their acquisition function


@dataclass(frozen=True)
class Remainder:
    """The first of the samples that may be asked at random, in their order."""

    sample_ids: tuple[int, ...] = ()
    size: int = 0  # of all of them

    def chances(self) -> dict[int, float]:
        """The probability with which each was drawn from those that were left, by sample."""
        return {sample_id: 1 / (self.size - place) for place, sample_id in enumerate(self.sample_ids)}


def read_remainder(session: Session, *, project_id: int, audit_share: float, count: int) -> Remainder:
    """Read the first of the pool's rest that nobody has decided on.

    Looks at the whole pool, so it belongs into a reading session; `storage.queue.claim_batch` takes what is free then.

    Args:
        session: A session.
        project_id: The project.
        audit_share: Share of the pool that is kept for the audit, 0 to 1.
        count: How many at most.
    """
    rest = and_(
        Sample.project_id == project_id,
        Sample.split == "pool",
        Sample.audit_key >= audit_share,
        _is_undecided(),
        ~exists().where(Query.sample_id == Sample.id, in_open_round(project_id)),
    )
    size = session.scalar(select(func.count(Sample.id)).where(rest)) or 0
    # The key is uniform, and made from the project's seed and the file's bytes: an order nobody has to store.
    first = session.scalars(select(Sample.id).where(rest).order_by(Sample.audit_key, Sample.id).limit(count))
    return Remainder(tuple(first), size)


def free_of(
    session: Session,
    sample_ids: Sequence[int],
    *,
    annotator_id: int,
    page: str,
    lease_s: float,
    now: datetime,
) -> list[int]:
    """Those of some samples that are still undecided and with nobody else, in the order given."""
    if not sample_ids:
        return []
    held = and_(
        Claim.sample_id == Sample.id,
        or_(Claim.annotator_id != annotator_id, Claim.page != page),
        is_live(now, latest_claim(now, lease_s=lease_s)),
    )
    wanted = (Sample.id.in_(list(sample_ids)), _is_undecided(), ~exists().where(held))
    free = set(session.scalars(select(Sample.id).where(*wanted)))
    return [sample_id for sample_id in sample_ids if sample_id in free]


def _is_undecided() -> ColumnElement[bool]:
    decided = exists().where(CurrentDecision.sample_id == Sample.id)
    return and_(~decided, ~exists().where(SampleError.sample_id == Sample.id))
