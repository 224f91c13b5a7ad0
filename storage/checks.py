"""What every decision is checked for before it is stored: what it says, about which sample, and who says it."""

from __future__ import annotations

from storage.engine import Session
from storage.errors import InvalidDecisionError, UnknownAnnotatorError, UnknownSampleError
from storage.models import Annotator, Class, Sample
from storage.projects import count_classes


def check_decision(session: Session, project_id: int, sample_id: int, action: str, class_index: int | None) -> None:
    """Refuse a decision that makes no sense.

    Raises:
        InvalidDecisionError: When the action is none, the class is none that may be given, or the sample is test data.
        UnknownSampleError: When the sample is none of the project's.
    """
    if action not in ("label", "skip", "flag"):
        raise InvalidDecisionError(f"A decision is 'label', 'skip' or 'flag', not {action!r}.")
    sample = session.get(Sample, sample_id)
    if sample is None or sample.project_id != project_id:
        raise UnknownSampleError(sample_id)
    if sample.split == "test":
        raise InvalidDecisionError(f"Sample {sample_id} is test data; its class came with the import.")
    if action != "label":
        if class_index is not None:
            raise InvalidDecisionError(f"A {action} has no class, but class {class_index} was given.")
        return
    if class_index is None or session.get(Class, (project_id, class_index)) is None:
        classes = count_classes(session, project_id=project_id)
        raise InvalidDecisionError(f"Class {class_index} is none of the project's {classes} classes.")
    named = session.get_one(Class, (project_id, class_index))
    if named.retired:
        raise InvalidDecisionError(f"The class {named.name!r} is retired; choose another one.")


def check_annotator(session: Session, project_id: int, annotator_id: int) -> None:
    """Refuse somebody unknown.

    Raises:
        UnknownAnnotatorError: When the project has no such annotator.
    """
    annotator = session.get(Annotator, annotator_id)
    if annotator is None or annotator.project_id != project_id:
        raise UnknownAnnotatorError(annotator_id)
