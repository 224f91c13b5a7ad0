"""Never silently worse than the simplest thing: what is said of it, and when it takes the default's place."""

from __future__ import annotations

from dataclasses import replace

from app.project.settings import ProjectSettings
from loops.acquisition import catalog
from storage.engine import Session
from storage.metrics import MetricInfo, list_metrics

GAIN = "gain_over_simplest"  # metric of a round: accuracy of the default minus the simplest thing's, at equal labels
SIMPLEST = "loops.predictors.linear:LinearOfRows"  # the predictor; its questions are drawn at random


def is_default(settings: ProjectSettings) -> bool:
    """Whether nobody chose who asks and who answers."""
    return settings.predictor == "auto" and settings.acquisition == catalog.DEFAULT


def latest_gain(session: Session, *, project_id: int) -> MetricInfo | None:
    """The newest comparison of the default with the simplest thing; None before the first."""
    return next(reversed(list_metrics(session, project_id=project_id, name=GAIN)), None)


def is_behind(gain: MetricInfo | None) -> bool:
    """Whether the default was worse, by its whole 95 % band."""
    return gain is not None and gain.high is not None and gain.high < 0.0


def settings_in_force(settings: ProjectSettings, gain: MetricInfo | None) -> ProjectSettings:
    """What the trainer works by: where the default was worse than the simplest thing, that asks and answers."""
    return simplest_of(settings) if is_default(settings) and is_behind(gain) else settings


def simplest_of(settings: ProjectSettings) -> ProjectSettings:
    """The same settings with the simplest thing in the place of whoever asks and answers."""
    return replace(settings, predictor=SIMPLEST, acquisition=catalog.RANDOM)


def predictor_words(name: str) -> str:
    """What a round's predictor is called on a screen."""
    return "logistic regression" if name == SIMPLEST else name


def gain_in_words(gain: MetricInfo, settings: ProjectSettings) -> str:
    """The comparison in a sentence, and what follows from it."""
    low, high = (100 * (bound or 0.0) for bound in (gain.low, gain.high))
    points = f"{100 * gain.value:+.0f} points of accuracy (95 % band {low:+.0f} to {high:+.0f})"
    compared = f"with {gain.n or 0:,} labels each, the default's lead is {points}"
    if low > 0.0:
        return f"Better than the simplest thing: {compared}."
    if not is_behind(gain):
        return f"Not told apart yet from the simplest thing: {compared}."
    if is_default(settings):
        now = "so questions are drawn at random now and logistic regression answers, until a round measures otherwise."
    else:
        now = "but you chose who asks and who answers, so that stays."
    return f"Worse than the simplest thing: {compared}, {now}"
