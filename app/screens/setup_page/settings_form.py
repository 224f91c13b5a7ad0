"""The settings a person edits, each with one plain sentence; the same fields for a new project and an old one."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.project.settings import ACQUISITIONS, COLD_STARTS, LEARNERS, MOST_ANNOTATORS, ProjectSettings

LEARNER_NAMES: Mapping[str, str] = {
    "auto": "Choose what suits the samples",
    "cnn": "Small network, trained from scratch",
    "features": "Pretrained features with a small head",
}
ACQUISITION_NAMES: Mapping[str, str] = {
    "auto": "Coverage first, doubt later",
    "typical": "Typical: coverage alone",
    "bald": "BALD: where the model's draws disagree",
    "predictive_entropy": "Predictive entropy: where it is least sure over all",
    "margin": "Margin: where two classes are closest",
    "variation_ratios": "Variation ratios: where its votes are split",
    "power_bald": "PowerBALD: drawn by lot, likelier where the draws disagree",
    "batch_bald": "BatchBALD: what tells most when labeled together",
    "badge": "BADGE: what would change the model most, in different directions",
    "epig": "EPIG: what would change the predictions for the other images",
    "committee_bald": "Committee BALD: where several models disagree",
    "vaal": "VAAL: what looks least like the labeled samples",
    "random": "Random: the yardstick",
}
ACQUISITION_HELP: Mapping[str, str] = {
    "auto": "Asks for what is typical of large groups of similar images, then where groups of different classes meet; "
    "once a network is measurably better than the groups, where the network is unsure.",
    "typical": "Asks for what is typical of groups of similar images without a label, whatever the labels say.",
    "bald": "Asks where the dropout draws of one model are each sure of another class.",
    "predictive_entropy": "Asks where the mean of the draws is spread over the most classes.",
    "margin": "Asks where the two likeliest classes are nearly equal.",
    "variation_ratios": "Asks where the fewest draws vote for the winning class.",
    "power_bald": "Draws images by lot, more likely the more the dropout draws disagree, so a round does not ask "
    "the same question ten times; the probabilities are kept.",
    "batch_bald": "Asks for a set of images whose labels together tell most, so that none repeats another; the "
    "pool is looked at through a hundred draws.",
    "badge": "Draws images the model is unsure of whose labels would change it in different directions.",
    "epig": "Asks for images whose labels would change what the model says of the others; each class it predicts "
    "counts equally, a rare one too.",
    "committee_bald": "Asks where models trained on different parts of your labels contradict each other; "
    "a round takes longer, for it trains one model per part.",
    "vaal": "Asks for images that an adversarial network can tell from those already labeled; it never looks at the "
    "classes, so it finds what is new rather than what is hard.",
    "random": "Asks for any sample; the others must be compared with it.",
}
COLD_START_NAMES: Mapping[str, str] = {
    "diverse": "A varied, typical set",
    "vaal": "VAAL: what looks least like those already chosen",
    "random": "At random",
}
COLD_START_HELP: Mapping[str, str] = {
    "diverse": "Groups similar images and takes the most typical of each group.",
    "vaal": "Begins with a few typical images and adds ones an adversarial network can tell from them.",
    "random": "Takes any images.",
}


def choices_help(choices: Sequence[str], names: Mapping[str, str], sentences: Mapping[str, str]) -> str:
    """One line per choice that has a sentence: its short name, and what it does."""
    lines = [f"- **{names[name].split(':')[0]}**: {sentences[name]}" for name in choices if name in sentences]
    return "\n".join(lines)


def settings_fields(settings: ProjectSettings, *, prefix: str, learners: Sequence[str] = LEARNERS) -> dict[str, Any]:
    """Draw the fields inside a form and return what they hold, by name of the setting."""
    left, right = st.columns(2, gap="large")
    with left:
        values = _model_fields(settings, prefix, learners)
    with right:
        values |= _round_fields(settings, prefix)
    with st.expander("More"):
        left, right = st.columns(2, gap="large")
        with left:
            values |= _further_fields(settings, prefix)
        with right:
            values |= _overlap_fields(settings, prefix)
    return values


def _model_fields(settings: ProjectSettings, prefix: str, learners: Sequence[str]) -> dict[str, Any]:
    learner = st.selectbox(
        "Predictor",
        learners,
        index=learners.index(settings.learner),
        format_func=lambda name: LEARNER_NAMES.get(name, name),
        key=f"{prefix}_learner",
    )
    st.caption(
        "What learns from your labels and predicts the rest: the small network suits tiny images, features anything "
        "else."
    )
    acquisition = st.selectbox(
        "Acquisition function",
        ACQUISITIONS,
        index=ACQUISITIONS.index(settings.acquisition),
        format_func=lambda name: ACQUISITION_NAMES.get(name, name),
        help=choices_help(ACQUISITIONS, ACQUISITION_NAMES, ACQUISITION_HELP),
        key=f"{prefix}_acquisition",
    )
    st.caption("How a sample is scored; the highest score is asked first.")
    audit = st.number_input(
        "Audit share", 0.0, 0.5, settings.audit_share, step=0.05, format="%.2f", key=f"{prefix}_audit_share"
    )
    st.caption("The share of what you see that is drawn at random and never trained on, so that accuracy is honest.")
    return {"learner": learner, "acquisition": acquisition, "audit_share": float(audit)}


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
    cold = st.selectbox(
        "First samples",
        COLD_STARTS,
        index=COLD_STARTS.index(settings.cold_start),
        format_func=lambda name: COLD_START_NAMES.get(name, name),
        help=choices_help(COLD_STARTS, COLD_START_NAMES, COLD_START_HELP),
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
