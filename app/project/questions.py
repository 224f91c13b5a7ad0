"""What a program is to label next: the round's ranking, then the rest of the pool at random, as on the Label screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.project.settings import ProjectSettings
from storage.claims import ClaimedSample
from storage.engine import Database
from storage.limits import Limits, reached
from storage.projects import ClassInfo, list_classes
from storage.queue import claim_batch, release_claims
from storage.remainder import read_remainder
from storage.rounds import open_round

READ_OF_REST = 200  # samples: others hold some of them


@dataclass(frozen=True)
class Question:
    """A sample that the project wants a label for."""

    sample_id: int
    uri: str  # its file, or its name
    content: str | None  # of a text or a row
    suggestion: str | None  # the model's answer; None, too, where it would be a class that was retired
    probability: float | None  # of it
    purpose: str  # train | audit | recheck


def questions(
    database: Database, settings: ProjectSettings, *, project_id: int, annotator_id: int, page: str, count: int
) -> list[Question]:
    """Claim the next samples for a page; none once labeling is over, and before the first round."""
    whose: dict[str, Any] = {"project_id": project_id, "annotator_id": annotator_id, "page": page}
    with database.read() as session:
        classes = list_classes(session, project_id=project_id)
        is_over = reached(session, project_id=project_id, limits=limits_of(settings)) is not None
        has_round = open_round(session, project_id=project_id) is not None
    with database.write() as session:
        if is_over:
            release_claims(session, **whose)
            return []
        claimed = claim_batch(session, **whose, count=count)
    if len(claimed) < count and has_round:
        with database.read() as session:
            share = settings.audit_share
            rest = read_remainder(session, project_id=project_id, audit_share=share, count=READ_OF_REST)
        with database.write() as session:
            claimed = claim_batch(session, **whose, count=count, rest=rest)
    return [_question(one, classes) for one in claimed]


def limits_of(settings: ProjectSettings) -> Limits:
    """Where labeling ends."""
    return Limits(settings.labeling_budget, settings.target_accuracy, settings.stop)


def _question(one: ClaimedSample, classes: Sequence[ClassInfo]) -> Question:
    suggested = None if one.suggestion is None else classes[one.suggestion]
    probability = one.suggestion_probability
    if suggested is not None and suggested.retired:  # nobody can label so; the Label screen suggests nothing either
        suggested = probability = None
    name = None if suggested is None else suggested.name
    return Question(one.sample.id, one.sample.uri, one.sample.content, name, probability, one.purpose)
