"""The settings a person edits, each with one plain sentence; the same fields for a new project and an old one."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.project.settings import MOST_ANNOTATORS, PREDICTORS, ProjectSettings
from loops.acquisition import catalog
from loops.acquisition.catalog import AcquisitionFunction, ColdStart

PREDICTOR_NAMES: Mapping[str, str] = {
    "auto": "What suits the samples",
    "cnn": "Small network, trained from scratch",
    "features": "Pretrained features with a small head",
}


def choices_help(choices: Sequence[AcquisitionFunction | ColdStart]) -> str:
    """One line per choice: its short name, what it does, and what was measured of it."""
    return "\n".join(f"- **{one.title.split(':')[0]}**: {sentence_of(one)}" for one in choices)


def sentence_of(choice: AcquisitionFunction | ColdStart) -> str:
    """What a choice does, and what must be said beside it."""
    return f"{choice.sentence} {getattr(choice, 'measured', '')}".strip()


def settings_fields(settings: ProjectSettings, *, prefix: str, suiting: Sequence[str] = PREDICTORS) -> dict[str, Any]:
    """Draw the fields inside a form and return what they hold, by name of the setting."""
    left, right = st.columns(2, gap="large")
    with left:
        values = _model_fields(settings, prefix, suiting)
    with right:
        values |= _round_fields(settings, prefix)
    left, right = st.columns(2, gap="large")
    with left:
        values |= _further_fields(settings, prefix)
    with right:
        values |= _overlap_fields(settings, prefix)
    return values


def _model_fields(settings: ProjectSettings, prefix: str, suiting: Sequence[str]) -> dict[str, Any]:
    predictors = _with_own(suiting, settings.predictor)
    predictor = st.selectbox(
        "Predictor",
        predictors,
        index=predictors.index(settings.predictor),
        format_func=lambda name: PREDICTOR_NAMES.get(name, name),
        key=f"{prefix}_predictor",
    )
    st.caption(
        "What learns from your labels and predicts the rest: the small network suits tiny images, features anything "
        "else."
    )
    acquisitions = _with_own(catalog.names(), settings.acquisition)
    acquisition = st.selectbox(
        "Acquisition function",
        acquisitions,
        index=acquisitions.index(settings.acquisition),
        format_func=lambda name: catalog.find(name).title,
        help=choices_help([catalog.find(name) for name in acquisitions]),
        key=f"{prefix}_acquisition",
    )
    st.caption("How a sample is scored; the highest score is asked first.")
    audit = st.number_input(
        "Audit share", 0.0, 0.5, settings.audit_share, step=0.05, format="%.2f", key=f"{prefix}_audit_share"
    )
    st.caption("The share of what you see that is drawn at random and never trained on, so that accuracy is honest.")
    return {"predictor": predictor, "acquisition": acquisition, "audit_share": float(audit)}


def _with_own(names: Sequence[str], chosen: str) -> list[str]:
    """The names to choose from; one's own stands among them once it is chosen, on the command line or in the file."""
    return [*names] if chosen in names else [*names, chosen]


def _round_fields(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    size = st.number_input("Round size", 1, 100_000, settings.query_size, key=f"{prefix}_query_size")
    st.caption("After so many new labels the model is trained again.")
    budget = st.number_input(
        "Labeling budget", 0, 1_000_000_000, settings.labeling_budget, step=50, key=f"{prefix}_labeling_budget"
    )
    st.caption("Stop asking after so many labels in all; 0 means no limit.")
    target = st.number_input(
        "Target accuracy",
        0.0,
        1.0,
        settings.target_accuracy,
        step=0.01,
        format="%.2f",
        key=f"{prefix}_target_accuracy",
    )
    st.caption("Stop asking once the model is this good, from 0 to 1; 0 means never stop.")
    return {"query_size": int(size), "labeling_budget": int(budget), "target_accuracy": float(target)}


def _further_fields(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    iterations = st.number_input("MC iterations", 2, 1000, settings.mc_iterations, key=f"{prefix}_mc_iterations")
    st.caption("How many dropout draws score one sample; more are steadier and slower.")
    starts = list(catalog.COLD_STARTS)
    cold = st.selectbox(
        "First samples",
        starts,
        index=starts.index(settings.cold_start),
        format_func=lambda name: catalog.COLD_STARTS[name].title,
        help=choices_help(list(catalog.COLD_STARTS.values())),
        key=f"{prefix}_cold_start",
    )
    st.caption("How the first round is chosen, before there is a model.")
    reset = st.toggle("Train from fresh weights each round", settings.reset_weights, key=f"{prefix}_reset_weights")
    st.caption("Fresh weights do not carry the habits of earlier rounds along.")
    return {"mc_iterations": int(iterations), "cold_start": cold, "reset_weights": bool(reset)}


def _overlap_fields(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    overlap = st.number_input("Annotators per sample", 1, MOST_ANNOTATORS, settings.overlap, key=f"{prefix}_overlap")
    st.caption("How many people decide, blind to each other, on the samples that overlap; 1 means nobody does twice.")
    share = st.number_input(
        "Overlapping share", 0.0, 1.0, settings.overlap_share, step=0.05, format="%.2f", key=f"{prefix}_overlap_share"
    )
    st.caption("The share of samples that so many people decide on; Review shows how far they agree.")
    return {"overlap": int(overlap), "overlap_share": float(share)}
