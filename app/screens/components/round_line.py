"""The thin line under the sample: round, k of n, labels per class, what the model has not learned yet."""

import streamlit as st

from app.screens.components.labeling_state import LabelingState
from app.screens.components.plain_text import escaped

CLASSES_ON_LINE = 20


def round_line(state: LabelingState) -> None:
    """Draw the line; nothing here waits for the trainer."""
    lines = [" · ".join(_parts(state))] + ([_per_class(state)] if state.labels else [])
    st.caption("  \n".join(lines))


def _parts(state: LabelingState) -> list[str]:
    parts = []
    if state.trained_round is not None:
        parts.append(f"**Round {state.trained_round}**")
        size = state.settings.query_size  # the round is finished, and training begins, at this many changed labels
        parts.append(f"{min(state.not_in_model, size)} of {size}")
        if state.progress.answered_audit:
            parts.append(f"{state.progress.answered_audit} for the audit")
    parts.append(_counted(state.labels, "in all"))
    parts.append(_counted(state.not_in_model, "not yet in the model"))
    if state.settings.labeling_budget:
        parts.append(f"budget {state.settings.labeling_budget:,}")
    return parts


def _counted(number: int, rest: str) -> str:
    return f"{number:,} {'label' if number == 1 else 'labels'} {rest}"


def _per_class(state: LabelingState) -> str:
    shown = state.classes
    if len(shown) > CLASSES_ON_LINE:
        shown = tuple(sorted(shown, key=lambda entry: -state.labels_per_class[entry.index])[:CLASSES_ON_LINE])
    text = " · ".join(f"{escaped(entry.name)}: **{state.labels_per_class[entry.index]}**" for entry in shown)
    return f"Labels per class  {text}" + ("" if len(shown) == len(state.classes) else " · …")
