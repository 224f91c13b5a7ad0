"""Choosing a round, and the dataset it was measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.project.scores import scores_path
from app.screens.shared.charts import DATASET_NAMES
from storage.engine import Database
from storage.metrics import NewConfusion, list_confusion
from storage.rounds import RoundInfo


@dataclass(frozen=True)
class MeasuredRound:
    """A round, a dataset, and the confusion counts of the one on the other."""

    round_number: int
    dataset: str
    counts: list[NewConfusion]


def choose_measured_round(database: Database, project_id: int, published: Sequence[RoundInfo]) -> MeasuredRound | None:
    """Draw the two choices and read the counts; None, with a sentence, when nothing was measured."""
    numbers = [info.number for info in reversed(published) if info.number > 0]
    if not numbers:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox("Round", numbers, key="confusion_round", width=120)
        counts = _confusions(database, project_id, number)
        if counts:
            largest = max(counts, key=lambda name: sum(cell.count for cell in counts[name]))
            dataset = st.segmented_control(
                "Measured on",
                list(counts),
                default=largest,
                format_func=DATASET_NAMES.__getitem__,
                key="confusion_dataset",
            )
    if not counts:
        st.info(f"Round {number} was not measured: there were neither audit nor test samples. Choose another round.")
        return None
    dataset = dataset or largest  # a second press on the chosen one takes it back
    return MeasuredRound(number, dataset, counts[dataset])


def _confusions(database: Database, project_id: int, number: int) -> dict[str, list[NewConfusion]]:
    with database.read() as session:
        found = {
            dataset: list_confusion(session, project_id=project_id, round_number=number, dataset=dataset)
            for dataset in DATASET_NAMES
        }
    return {dataset: counts for dataset, counts in found.items() if counts}


def choose_scored_round(rounds_dir: Path, published: Sequence[RoundInfo]) -> int | None:
    """Draw the choice among the rounds whose pool was scored, newest first; None when there is none."""
    numbers = scored_rounds(rounds_dir, published)
    if not numbers:
        return None
    return st.selectbox("Round", numbers, key="uncertainty_round", width=120)


def scored_rounds(rounds_dir: Path, published: Sequence[RoundInfo]) -> list[int]:
    """The rounds whose pool was scored, newest first."""
    return [info.number for info in reversed(published) if scores_path(rounds_dir, info.number).is_file()]
