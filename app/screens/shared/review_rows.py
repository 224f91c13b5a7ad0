"""The rows of the Review screen: what stands for each sample, beside what the model said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from app.screens.content.sample import column_title, table_cell
from app.screens.shared.filters import ReviewRow
from app.screens.shared.gallery import Card
from app.screens.shared.plain_text import whole_percent
from app.screens.shared.progress_figures import ProgressFigures
from app.screens.shared.session import database, project_id
from storage.engine import Database
from storage.finding import find_samples
from storage.samples import SampleInfo
from storage.suggestions import last_suggestions
from storage.suspects import list_suspects


def review_rows(figures: ProgressFigures, base: Database, identity: int) -> list[ReviewRow]:
    """Every decided sample with the model's answer when it was asked, and with what cross-validation holds against it.

    The answers come from the rankings, not from the rounds' score files: at 50 rounds of 50,000 samples those took
    three seconds to search, and hold nothing on audit samples and cold starts either.
    """
    with base.read() as session:
        answers = last_suggestions(session, project_id=identity)
        suspects = {suspect.event_id: suspect for suspect in list_suspects(session, project_id=identity)}
    return [ReviewRow(label, answers.get(label.sample_id), suspects.get(label.event_id)) for label in figures.labels]


def found_samples(wanted: str) -> frozenset[int] | None:
    """The samples that a person looks for; None where they look for none."""
    if not wanted.strip():
        return None
    identity = project_id()
    with database().read() as session:
        return find_samples(session, project_id=identity, wanted=wanted.strip())


def decision_words(row: ReviewRow, classes: Sequence[str]) -> str:
    """The decision in a word: the class, or "skipped"."""
    return "skipped" if row.label.class_index is None else classes[row.label.class_index]


def prediction_words(row: ReviewRow, classes: Sequence[str]) -> str:
    """The model's answer with its confidence, or that there is none."""
    if row.prediction is None:
        return "no prediction"
    return f"{classes[row.prediction.class_index]} ({whole_percent(row.prediction.probability)})"


def suspect_words(row: ReviewRow, classes: Sequence[str]) -> str:
    """The class given, the class cross-validation suggests, and how sure it is that the label is wrong."""
    if row.suspect is None:
        return "no label error found"
    given, suggested = classes[row.suspect.given_index], classes[row.suspect.suggested_index]
    return f"{given} → {suggested}, suspicion {whole_percent(row.suspect.suspicion)}"


def suspects_sentence(suspected: int) -> str:
    """What a suspicion is and what becomes of it, or why there is none."""
    if not suspected:
        return "No label error was found. The search goes through all labels, by cross-validation, after each round."
    return (
        "Models that never saw these labels contradict them; the likeliest wrong come first. The likeliest also "
        "come back on the Label screen as blind second looks: nobody is told that a sample was labeled before."
    )


def card(row: ReviewRow, classes: Sequence[str]) -> Card:
    """The words beneath a sample."""
    marks = [row.label.purpose] if row.label.purpose != "train" else []
    marks += ["flagged"] if row.label.flagged else []
    model = f"model: {prediction_words(row, classes)}" if row.disagrees else row.label.annotator
    if row.suspect is not None:
        model = suspect_words(row, classes)
    # Once each: the annotator of imported labels may be called "imported".
    return Card(row.label.sample_id, decision_words(row, classes), ", ".join(dict.fromkeys([model, *marks])))


def table(rows: Sequence[ReviewRow], samples: Mapping[int, SampleInfo], classes: Sequence[str]) -> pd.DataFrame:
    """One page of rows as a table, samples included."""
    return pd.DataFrame(
        [
            {
                column_title(): table_cell(samples[row.label.sample_id]),
                "Sample": row.label.sample_id,
                "Label": decision_words(row, classes),
                "Prediction": prediction_words(row, classes),
                "Disagree": row.disagrees,
                "Likely error": suspect_words(row, classes) if row.suspect else "",
                "Purpose": row.label.purpose,
                "Annotator": row.label.annotator,
                "Round": row.label.round_number,
                "Flagged": row.label.flagged,
                "Labeled": row.label.created_at,
                "File": samples[row.label.sample_id].uri,
            }
            for row in rows
        ]
    )
