"""What the server answers to a message of the grid page, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.screens.content.sample import to_send
from app.screens.grid_page.choice import LEAST
from app.screens.grid_page.deal import DealtGrid, deal, find_source, why_nothing
from app.screens.grid_page.message import GridMessage, read_grid_message
from app.screens.shared.conversation import answered_once, nothing_said, stored
from app.screens.shared.label_keys import told_classes
from app.screens.shared.pages import adopt_closed_pages
from app.screens.shared.session import (
    annotator_id,
    current_project,
    database,
    kind_name,
    limits,
    project_classes,
    project_id,
)
from app.screens.shared.waiting import over_words
from storage.current import decided_ids
from storage.limits import reached
from storage.projects import ClassInfo
from storage.rounds import open_round

ANSWER_KEY = "grid_answer"  # the last answer: drawn again, it must not deal again


def answer_to(sent: object) -> dict[str, Any]:
    """Store a page's decisions, deal it the grids it wants, and say what became of both.

    Args:
        sent: What the browser sent, unchecked.
    """
    message = read_grid_message(sent)
    if message is None or not message.is_ours:
        return _nothing(project_classes()) | nothing_said()
    return answered_once(ANSWER_KEY, (message.name, message.seq), lambda: _answer(message))


def _answer(message: GridMessage) -> dict[str, Any]:
    about = stored(message)
    project, identity, person = current_project(), project_id(), annotator_id()
    classes = project_classes()
    adopt_closed_pages(message.page)
    with database().read() as session:
        opened = open_round(session, project_id=identity)
        over = reached(session, project_id=identity, limits=limits())
        decided = decided_ids(session, project_id=identity)
    message = _without_retired_class(message, classes)
    number = opened.number if opened else None
    names, retired = [one.name for one in classes], {one.index for one in classes if one.retired}
    source = find_source(project, round_number=number, classes=names, retired=retired)
    dealt = deal(
        database(),
        source,
        message if over is None else replace(message, want=0, held=()),
        project_id=identity,
        annotator_id=person,
        audit_share=project.settings().audit_share,
        decided=decided,
    )
    shown = {one.sample.id for grid in dealt for one in grid.samples}
    taken = {*decided, *message.passed, *message.held, *shown}
    waiting = None
    if over is not None:
        waiting = over_words(over)
    elif not dealt and not message.held:
        waiting = why_nothing(source, message, round_number=number, taken=taken)
    return {
        **_nothing(classes),
        **about,
        "grids": [_plain(grid) for grid in dealt],
        "sure": source.sure(taken),
        "waiting": waiting,
        "over": over is not None,
        "round": number,
    }


def _without_retired_class(message: GridMessage, classes: Sequence[ClassInfo]) -> GridMessage:
    """The page may have chosen its class in an older project, or before the class was retired."""
    index = message.class_index
    is_asked = index is None or (index < len(classes) and not classes[index].retired)
    return message if is_asked else replace(message, class_index=None)


def _nothing(classes: Sequence[ClassInfo]) -> dict[str, Any]:
    """What a page is told before it has said anything, beside what every page is: the classes."""
    dealt: dict[str, Any] = {"grids": [], "sure": [0] * len(classes), "waiting": None, "over": False, "round": None}
    return {"kind": kind_name(), "classes": told_classes(classes), "least": LEAST, **dealt}


def _plain(grid: DealtGrid) -> dict[str, Any]:
    samples = [
        {
            "token": one.token,
            "sample_id": one.sample.id,
            "probability": None if grid.class_index is None else round(1.0 - doubt, 4),
            "content": to_send(one.sample, large=False),
        }
        for one, doubt in zip(grid.samples, grid.doubt, strict=True)
    ]
    return {"class_index": grid.class_index, "samples": samples}
