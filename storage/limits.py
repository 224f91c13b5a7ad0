"""How far a project is to be labeled at most: a budget of labels, an accuracy or a criterion that is enough."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from storage.engine import Session
from storage.errors import LimitReachedError
from storage.metrics import PROVEN, STOPPED, UNBIASED, list_metrics
from storage.models import CurrentDecision, LabelEvent, Round
from storage.rounds import PUBLISHED


@dataclass(frozen=True)
class Limits:
    """When labeling is over."""

    labels: int = 0  # in all, audit labels too; 0: no limit
    accuracy: float = 0.0  # 0..1, reached by the lower bound of the interval, or by what is proven of the rest; 0: none
    criterion: str = ""  # the name of the project's own stopping criterion, which the rounds look at; empty: none


@dataclass(frozen=True)
class Reached:
    """Which limit it is that ended labeling."""

    title: str
    sentence: str


NO_LIMITS = Limits()


def reached(session: Session, *, project_id: int, limits: Limits) -> Reached | None:
    """Say which limit is reached; None while labeling goes on."""
    if limits.labels and _count_labels(session, project_id) >= limits.labels:
        return Reached("The labeling budget is reached", f"All {limits.labels:,} labels of the budget are given.")
    if limits.criterion and _is_met(session, project_id):
        return Reached("The stopping criterion is met", f"{limits.criterion} says that more labels would gain little.")
    if limits.accuracy and _proven(session, project_id) >= limits.accuracy:
        return Reached(
            "The target is proven", f"At least {100 * limits.accuracy:.4g} % of what is left are answered rightly."
        )
    if limits.accuracy and _lowest_accuracy(session, project_id) >= limits.accuracy:
        return Reached("The target is reached", f"Accuracy is at or above {100 * limits.accuracy:.1f} %.")
    return None


def check_limits(session: Session, *, project_id: int, limits: Limits) -> None:
    """Refuse one label more than the limits allow.

    Raises:
        LimitReachedError: When one of them is reached.
    """
    found = reached(session, project_id=project_id, limits=limits)
    if found is not None:
        raise LimitReachedError(found.sentence)


def _count_labels(session: Session, project_id: int) -> int:
    """Those that somebody gave one by one; the rest of a group costs nobody anything."""
    of_project = (CurrentDecision.project_id == project_id, CurrentDecision.action == "label")
    given = (LabelEvent.id == CurrentDecision.event_id, LabelEvent.group_bound.is_(None))
    counted = select(func.count()).select_from(CurrentDecision).join(LabelEvent, given[0])
    return session.scalar(counted.where(*of_project, given[1])) or 0


def _lowest_accuracy(session: Session, project_id: int) -> float:
    """The least lower bound of the newest round's accuracies: a lucky test of 20 samples ends nothing."""
    found = [metric for name in UNBIASED for metric in list_metrics(session, project_id=project_id, name=name)]
    newest = max((metric.round_number for metric in found), default=None)
    return min((metric.low or 0.0 for metric in found if metric.round_number == newest), default=0.0)


def _is_met(session: Session, project_id: int) -> bool:
    """Whether the newest published round met the criterion; one before it may have been of another."""
    newest = select(func.max(Round.number)).where(Round.project_id == project_id, Round.state.in_(PUBLISHED))
    number = session.scalar(newest)
    found = list_metrics(session, project_id=project_id, name=STOPPED)
    return any(metric.round_number == number for metric in found)


def _proven(session: Session, project_id: int) -> float:
    """The share of what is left that is proven to be answered rightly, by the newest round that says one."""
    found = list_metrics(session, project_id=project_id, name=PROVEN)
    return (found[-1].low or 0.0) if found else 0.0
