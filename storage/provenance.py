"""Why a sample was shown to whoever decided about it: by which round, in which rank, drawn with which probability."""

from __future__ import annotations

from sqlalchemy import select

from storage.asking import latest_query_id
from storage.engine import Session
from storage.events import IMPORTED
from storage.models import Claim, LabelEvent, Query, Round

_OF_QUERY = (
    "purpose", "score", "acquisition_probability", "rank", "predictor", "predictor_version", "predictor_labels",
)  # fmt: skip
# Of an event: what says why its sample was shown.
ASKED = ("round_number", "acquisition", "model_version", *_OF_QUERY)


def asked_under(session: Session, sample_id: int, annotator_id: int, standing: LabelEvent | None) -> dict[str, object]:
    """Why the sample was shown: by the annotator's claim, else as the decision it corrects, else by its last query.

    The last one is for a claim that expired and went to somebody else: an audit sample must stay one.
    """
    own = (Claim.sample_id == sample_id, Claim.annotator_id == annotator_id)
    claim = session.scalar(select(Claim).where(*own))
    is_corrected = standing is not None and standing.purpose != IMPORTED
    if (claim is None or claim.query_id is None) and standing is not None and is_corrected:
        return {name: getattr(standing, name) for name in ASKED}
    if claim is not None and claim.acquisition is not None:
        chosen = chosen_otherwise(session, claim.project_id, claim.acquisition)
        return {**chosen, "acquisition_probability": claim.acquisition_probability}
    query_id = (claim.query_id if claim else None) or latest_query_id(session, sample_id=sample_id)
    query = session.get(Query, query_id) if query_id else None
    if query is None:
        return _asked_before(session, sample_id)
    asked = session.get_one(Round, query.round_id)
    by_round = {"round_number": asked.number, "acquisition": asked.acquisition, "model_version": asked.model_version}
    return by_round | {name: getattr(query, name) for name in _OF_QUERY}


def model_answer(session: Session, sample_id: int, annotator_id: int) -> int | None:
    """What the ranking that an annotator's claim is from says of the sample: a class index, None where it says nothing.

    A suggestion that was shown with that claim and differs from it was seeded.
    """
    own = (Claim.sample_id == sample_id, Claim.annotator_id == annotator_id)
    return session.scalar(select(Query.suggestion).join(Claim, Claim.query_id == Query.id).where(*own))


def _asked_before(session: Session, sample_id: int) -> dict[str, object]:
    """As the decision before it, which was undone: a sample that came by chance comes back so."""
    of_sample = select(LabelEvent).where(LabelEvent.sample_id == sample_id)
    last = session.scalar(of_sample.order_by(LabelEvent.id.desc()).limit(1))
    if last is None or last.purpose == IMPORTED:
        return {"purpose": "train"}
    return {name: getattr(last, name) for name in ASKED}


def chosen_otherwise(session: Session, project_id: int, acquisition: str) -> dict[str, object]:
    """What is stored of a sample that no ranking asked about: the open round, and how it was chosen instead.

    A score or probability of the ranking would be wrong here: they are what an estimate weighs a label by.
    """
    opened = session.scalar(select(Round).where(Round.project_id == project_id, Round.state == "open"))
    known = {"round_number": opened.number, "model_version": opened.model_version} if opened else {}
    return {"purpose": "train", "acquisition": acquisition, **known}
