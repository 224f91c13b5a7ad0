"""Several decisions corrected at once: cards to choose from, one class for all of them, and one undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.browser.several import sent_message, several
from app.screens.content.sample import to_send
from app.screens.shared.conversation import answered_once, nothing_said, read_message, stored
from app.screens.shared.filters import ReviewRow
from app.screens.shared.label_keys import told_classes
from app.screens.shared.review_rows import card
from app.screens.shared.session import annotator_id, database, project_id
from storage.correcting import last_correction
from storage.projects import list_classes
from storage.samples import SampleInfo

ANSWER_KEY = "several_answer"


def several_box(rows: Sequence[ReviewRow], samples: Mapping[int, SampleInfo], classes: Sequence[str]) -> None:
    """Draw one page of cards.

    Args:
        rows: of this page.
        samples: at least those of the rows.
        classes: class names in their order.
    """
    cards = [(row, card(row, classes)) for row in rows]
    several(
        {
            **answer_to(sent_message()),
            **_standing(),
            "samples": [
                {
                    "sample_id": row.label.sample_id,
                    "event_id": row.label.event_id,
                    "content": to_send(samples[row.label.sample_id], large=False),
                    "title": drawn.title,
                    "caption": drawn.caption,
                }
                for row, drawn in cards
            ],
        },
        hear,
    )


def hear() -> None:
    """Store what the browser has said, before the page is drawn with it."""
    answer_to(sent_message())


def answer_to(sent: object) -> dict[str, Any]:
    """Store a page's corrections, once, and say what became of them.

    Args:
        sent: What the browser sent, unchecked.
    """
    message = read_message(sent)
    if message is None or not message.is_ours:
        return nothing_said()
    return answered_once(ANSWER_KEY, (message.name, message.seq), lambda: stored(message))


def _standing() -> dict[str, Any]:
    """The classes, and what this person may take back."""
    with database().read() as session:
        classes = list_classes(session, project_id=project_id())
        last = last_correction(session, project_id=project_id(), annotator_id=annotator_id())
    return {"classes": told_classes(classes), "undo": None if last is None else {"key": last[0], "count": last[1]}}
