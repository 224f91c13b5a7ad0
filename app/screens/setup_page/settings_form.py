"""The settings a person edits, each with one plain sentence; the same fields for a new project and an old one."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.errors import SettingsError
from app.project.settings import PREDICTORS, RANGES, ProjectSettings
from app.screens.setup_page.typed import stays
from loops.acquisition import catalog
from loops.acquisition.catalog import AcquisitionFunction, ColdStart

PREDICTOR_NAMES: Mapping[str, str] = {
    "auto": "What suits the samples",
    "cnn": "Small network, trained from scratch",
    "features": "Pretrained features with a small head",
}

STOP_NAMES: Mapping[str, str] = {
    "": "None",
    "loops.stopping:SettledAccuracy": "Accuracy settled: within half a point for three rounds",
}


def choices_help(choices: Sequence[AcquisitionFunction | ColdStart]) -> str:
    """One line per choice: its short name, what it does, and what was measured of it."""
    return "\n".join(f"- **{one.title.split(':')[0]}**: {sentence_of(one)}" for one in choices)


def sentence_of(choice: AcquisitionFunction | ColdStart) -> str:
    """What a choice does, and what must be said beside it."""
    return f"{choice.sentence} {getattr(choice, 'measured', '')}".strip()


NUMBER_TITLES: Mapping[str, str] = {
    "audit_share": "Audit share",
    "query_size": "Round size",
    "labeling_budget": "Labeling budget",
    "target_accuracy": "Target accuracy",
    "mc_iterations": "MC iterations",
    "overlap": "Annotators per sample",
    "overlap_share": "Overlapping share",
}


def refuse_numbers(values: Mapping[str, Any]) -> None:
    """Refuse what is out of its range, by the names that the fields have; beside each field it is said too.

    Raises:
        SettingsError: A number is.
    """
    wrong = [f"{NUMBER_TITLES[name]}: {said}" for name in NUMBER_TITLES if (said := _out_of_range(name, values[name]))]
    if wrong:
        raise SettingsError(" ".join(wrong))


def _number(setting: str, settings: ProjectSettings, prefix: str, *, step: float = 1) -> Any:  # noqa: ANN401
    """Draw a number and, where it is out of range, why; it stays as it was typed.

    With a least and a most the browser would keep what is typed, and send the number before it without a word.
    """
    key = f"{prefix}_{setting}"
    options: dict[str, Any] = {"format": "%.2f"} if isinstance(step, float) else {}
    value = st.number_input(NUMBER_TITLES[setting], step=step, **stays(key, getattr(settings, setting)), **options)
    if said := _out_of_range(setting, value):
        st.error(said, icon=":material/error:")
    return value


def _out_of_range(setting: str, value: float) -> str:
    low, high = RANGES[setting]
    return "" if low <= value <= high else f"From {_said(low)} to {_said(high)}; {_said(value)} was typed."


def _said(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def settings_fields(settings: ProjectSettings, *, prefix: str, suiting: Sequence[str] = PREDICTORS) -> dict[str, Any]:
    """Draw the fields and return what they hold, by name of the setting."""
    left, right = st.columns(2, gap="large")
    with left:
        values = _model_fields(settings, prefix, suiting)
    with right:
        values |= _round_fields(settings, prefix)
    left, right = st.columns(2, gap="large")
    with left:
        values |= _further_fields(settings, prefix)
    with right:
        values |= _overlap_fields(settings, prefix) | _stop_field(settings, prefix)
    return values


def _model_fields(settings: ProjectSettings, prefix: str, suiting: Sequence[str]) -> dict[str, Any]:
    predictors = _with_own(suiting, settings.predictor)
    predictor = _choice(
        "Predictor",
        predictors,
        settings.predictor,
        format_func=lambda name: PREDICTOR_NAMES.get(name, name),
        key=f"{prefix}_predictor",
    )
    st.caption(
        "What learns from your labels and predicts the rest: the small network suits tiny images, features anything "
        "else."
    )
    acquisitions = _with_own(catalog.names(), settings.acquisition)
    acquisition = _choice(
        "Acquisition function",
        acquisitions,
        settings.acquisition,
        format_func=lambda name: catalog.find(name).title,
        help=choices_help([catalog.find(name) for name in acquisitions]),
        key=f"{prefix}_acquisition",
    )
    st.caption("How a sample is scored; the highest score is asked first.")
    audit = _number("audit_share", settings, prefix, step=0.05)
    st.caption("The share of what you see that is drawn at random and never trained on, so that accuracy is honest.")
    return {"predictor": predictor, "acquisition": acquisition, "audit_share": float(audit)}


def _choice(label: str, choices: Sequence[str], chosen: str, *, key: str, **options: Any) -> str:  # noqa: ANN401
    field = stays(key, chosen)
    if st.session_state[key] not in choices:  # one's own, which another has replaced meanwhile
        st.session_state[key] = chosen
    picked: str = st.selectbox(label, choices, **field, **options)
    return picked


def _with_own(names: Sequence[str], chosen: str) -> list[str]:
    """The names to choose from; one's own stands among them once it is chosen, on the command line or in the file."""
    return [*names] if chosen in names else [*names, chosen]


def _round_fields(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    size = _number("query_size", settings, prefix)
    st.caption("After so many new labels the model is trained again.")
    budget = _number("labeling_budget", settings, prefix, step=50)
    st.caption("Stop asking after so many labels in all; 0 means no limit.")
    target = _number("target_accuracy", settings, prefix, step=0.01)
    st.caption("Stop asking once the model is this good, from 0 to 1; 0 means never stop.")
    return {"query_size": int(size), "labeling_budget": int(budget), "target_accuracy": float(target)}


def _stop_field(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    """Draw the stopping criteria that need no number; one's own runs code, so a page offers it but cannot name it."""
    stop = _choice(
        "Stopping criterion",
        _with_own(list(STOP_NAMES), settings.stop),
        settings.stop,
        format_func=lambda name: STOP_NAMES.get(name, name),
        key=f"{prefix}_stop",
    )
    st.caption("Looked at before each question: once it is met, nothing more is asked until None is chosen again.")
    return {"stop": stop}


def _further_fields(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    iterations = _number("mc_iterations", settings, prefix)
    st.caption("How many dropout draws score one sample; more are steadier and slower.")
    starts = list(catalog.COLD_STARTS)
    cold = _choice(
        "First samples",
        starts,
        settings.cold_start,
        format_func=lambda name: catalog.COLD_STARTS[name].title,
        help=choices_help(list(catalog.COLD_STARTS.values())),
        key=f"{prefix}_cold_start",
    )
    st.caption("How the first round is chosen, before there is a model.")
    reset = st.toggle("Train from fresh weights each round", **stays(f"{prefix}_reset_weights", settings.reset_weights))
    st.caption("Fresh weights do not carry the habits of earlier rounds along.")
    values = {"mc_iterations": int(iterations), "cold_start": cold, "reset_weights": bool(reset)}
    return values | _suggestion_field(settings, prefix)


def _suggestion_field(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    seeded = st.toggle(
        "Among shown suggestions, some wrong ones", **stays(f"{prefix}_wrong_suggestions", settings.wrong_suggestions)
    )
    st.caption(
        "Suggestions are hidden until somebody shows them. Of those shown, one in twenty is then wrong on purpose; "
        "Label, Progress and Review say how many of these were accepted."
    )
    return {"wrong_suggestions": bool(seeded)}


def _overlap_fields(settings: ProjectSettings, prefix: str) -> dict[str, Any]:
    overlap = _number("overlap", settings, prefix)
    st.caption("How many people decide, blind to each other, on the samples that overlap; 1 means nobody does twice.")
    share = _number("overlap_share", settings, prefix, step=0.05)
    st.caption("The share of samples that so many people decide on; Review shows how far they agree.")
    return {"overlap": int(overlap), "overlap_share": float(share)}
