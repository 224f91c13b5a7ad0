"""Several decisions corrected at once: cards to choose from, one class for all of them, and one undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.browser.several import sent_message, several
from app.screens.content.sample import to_send
from app.screens.shared.decisions import is_key, outbox_name
from app.screens.shared.filters import ReviewRow
from app.screens.shared.label_keys import class_keys
from app.screens.shared.review_rows import card
from app.screens.shared.session import annotator_id, database, limits, project_id
from storage.correcting import Corrected, correct_several, undo_several
from storage.errors import StorageError
from storage.projects import list_classes
from storage.samples import SampleInfo

ANSWER_KEY = "several_answer"  # the id of the last action and the sentence about it
DONE_KEY = "several_done"  # what was corrected in this session and may be taken back: key and number, latest last


def several_box(rows: Sequence[ReviewRow], samples: Mapping[int, SampleInfo], classes: Sequence[str]) -> None:
    """Draw one page of cards.

    Args:
        rows: of this page.
        samples: at least those of the rows.
        classes: class names in their order.
    """
    answered, said = st.session_state.get(ANSWER_KEY, (None, ""))
    done = st.session_state.get(DONE_KEY, [])
    cards = [(row, card(row, classes)) for row in rows]
    several(
        {
            "name": outbox_name(),
            "classes": _classes(),
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
            "answered": answered,
            "said": said,
            "undo": done[-1][1] if done else None,
        },
        act_on_message,
    )


def act_on_message() -> None:
    """Do what the browser said last, once, and keep the sentence that answers it."""
    message = sent_message()
    name = message.get("id")
    if not is_key(name) or message.get("name") != outbox_name() or st.session_state.get(ANSWER_KEY, ("",))[0] == name:
        return
    try:
        said = _take_back() if message.get("kind") == "undo" else _correct(str(name), message)
    except StorageError as error:
        said = f"Nothing was stored: {error}"
    st.session_state[ANSWER_KEY] = (name, said)


def _correct(key: str, message: Mapping[str, Any]) -> str:
    seen, class_index = _chosen(message.get("chosen")), message.get("class_index")
    if not seen or not isinstance(class_index, int):
        return "Nothing was chosen."
    with database().write() as session:
        names = [entry.name for entry in list_classes(session, project_id=project_id())]
        corrected = correct_several(
            session,
            project_id=project_id(),
            annotator_id=annotator_id(),
            seen=seen,
            class_index=class_index,
            key=key,
            limits=limits(),
        )
    if corrected.stored:
        st.session_state.setdefault(DONE_KEY, []).append((key, corrected.stored))
    return corrected_words(corrected, names[class_index])


def corrected_words(corrected: Corrected, name: str) -> str:
    """Say what became of the chosen samples."""
    said = [f"{corrected.stored:,} corrected to {name}."]
    if corrected.same:
        said.append(f"{corrected.same:,} had that class already.")
    if corrected.moved:
        said.append(f"{corrected.moved:,} left as they are: somebody decided about them meanwhile. Look at them again.")
    return " ".join(said)


def _take_back() -> str:
    done = st.session_state.get(DONE_KEY, [])
    if not done:
        return "There is nothing to take back here."
    key, _ = done.pop()
    with database().write() as session:
        count = undo_several(session, project_id=project_id(), annotator_id=annotator_id(), key=key)
    return f"{count:,} corrections are taken back; what stood before stands again."


def _chosen(told: object) -> dict[int, int]:
    """Sample and the event seen to stand; nothing that comes from a browser is believed."""
    pairs = told if isinstance(told, list) else []
    whole = [pair for pair in pairs if isinstance(pair, list) and [type(value) for value in pair] == [int, int]]
    return dict(tuple(pair) for pair in whole)


def _classes() -> list[dict[str, Any]]:
    with database().read() as session:
        classes = list_classes(session, project_id=project_id())
    keys = class_keys([entry.name for entry in classes])
    return [
        {"name": entry.name, "key": None if entry.retired else key, "retired": entry.retired}
        for entry, key in zip(classes, keys, strict=True)
    ]
