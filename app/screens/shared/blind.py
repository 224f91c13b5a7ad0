"""What nobody may see yet: labels of samples that others are still to decide on, blind."""

from __future__ import annotations

from app.screens.shared.session import current_project, database, project_id
from storage.overlap import list_pending


def hidden_samples() -> frozenset[int]:
    """The samples that wait for further annotators: their labels are shown to nobody, those who gave them included.

    Who labeled a sample corrects it on the Label screen; a correction on Review would end the asking.
    """
    if current_project().settings().overlap == 1:
        return frozenset()
    with database().read() as session:
        return frozenset(sample.sample_id for sample in list_pending(session, project_id=project_id()))


def hidden_sentence(hidden: int) -> str:
    """Why some decisions are not shown."""
    samples = "sample waits" if hidden == 1 else "samples wait"
    return f"{hidden:,} {samples} for further annotators and will be shown when all have decided."
