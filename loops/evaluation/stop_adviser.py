"""When may I stop? What the next labels would bring, whether the model still changes its mind, and what is known of it.

NumPy alone, as the learning curve: the screens read the advice too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from loops.evaluation.learning_curve import AccuracyPoint, Forecast, Gain, band_words, forecast, too_few_rounds

Verdict = Literal["too early", "check", "go on", "measure", "stop"]

WORTH = 0.01  # share of accuracy that the next labels must bring to be worth asking for
STABLE = 0.99  # Cohen's kappa of successive predictions: Bloodgood and Vijay-Shanker 2009
ROUNDS = 3  # whose mean kappa must be that high
FALLS = 3  # rounds, each worse than the one before it: no chance any more
NAMED = 3  # classes without a label that are named
WIDE = 0.10  # width of the interval above which accuracy is not known, only guessed


@dataclass(frozen=True)
class Advice:
    """One plain sentence, and the numbers it stands on; shares from 0 to 1, None where nothing is known yet."""

    verdict: Verdict
    sentence: str
    kappa: float | None  # mean of the last rounds
    accuracy: float | None
    low: float | None  # 95 % interval
    high: float | None
    next_labels: int
    gain: float | None  # of the next labels, with its 95 % band
    gain_low: float | None
    gain_high: float | None
    minutes: float | None  # that the next labels cost at the pace measured

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for programs; shares to four digits."""
        return {name: round(v, 4) if isinstance(v, float) else v for name, v in asdict(self).items()}


def advise(
    points: Sequence[AccuracyPoint],
    kappas: Sequence[float],
    *,
    next_labels: int,
    seconds_per_label: float | None = None,
    classes: int | None = None,
    without_label: Sequence[str] = (),
) -> Advice:
    """Weighs three things: the forecast gain, the stability of predictions, and the interval of the accuracy.

    A model that settled on something wrong is no reason to stop: a falling curve, answers that are no better than
    guessing and classes that nobody has labeled come first.

    Args:
        points: Accuracy of the rounds on samples that were not chosen (audit or test), oldest first.
        kappas: Agreement of each round's predictions with the round before, oldest first.
        next_labels: How many more labels the forecast is for.
        seconds_per_label: The person's measured pace.
        classes: How many there are; None where that is not known.
        without_label: Names of classes that no label has.
    """
    prediction = forecast(points)
    kappa = float(np.mean(kappas[-ROUNDS:])) if len(kappas) >= ROUNDS else None
    minutes = None if seconds_per_label is None else next_labels * seconds_per_label / 60
    gain = None if prediction is None else prediction.gain(next_labels)
    trouble = None if gain is None else _trouble(points, classes, without_label)
    verdict = _verdict(gain, kappa, points)
    if trouble is not None and (_is_falling(points) or verdict in ("measure", "stop")):
        verdict = "check"
    latest = points[-1] if points else None
    return Advice(
        verdict=verdict,
        sentence=_SENTENCES[verdict](_Numbers(prediction, gain, kappa, points, minutes, trouble)),
        kappa=kappa,
        accuracy=latest.accuracy if latest else None,
        low=latest.low if latest else None,
        high=latest.high if latest else None,
        next_labels=next_labels,
        gain=gain.expected if gain else None,
        gain_low=gain.low if gain else None,
        gain_high=gain.high if gain else None,
        minutes=minutes,
    )


def cohens_kappa(first_N: NDArray[np.integer[Any]], second_N: NDArray[np.integer[Any]]) -> float | None:
    """Agreement of two predictions of the same samples beyond that of chance. Cohen 1960.

    Args:
        first_N: Class indices.
        second_N: Class indices of the same samples.

    Returns:
        1 for the same answers, 0 for those of chance, below for less; None without samples.
    """
    if not len(first_N):
        return None
    classes = int(max(first_N.max(), second_N.max())) + 1
    shares_2_C = np.stack(
        [np.bincount(answers_N, minlength=classes) / len(first_N) for answers_N in (first_N, second_N)]
    )
    by_chance = float(shares_2_C.prod(axis=0).sum())
    if by_chance == 1.0:  # one class, both times
        return 1.0
    return float((np.mean(first_N == second_N) - by_chance) / (1.0 - by_chance))


@dataclass(frozen=True)
class _Numbers:
    prediction: Forecast | None
    gain: Gain | None
    kappa: float | None
    points: Sequence[AccuracyPoint]
    minutes: float | None
    trouble: str | None


def _trouble(points: Sequence[AccuracyPoint], classes: int | None, without_label: Sequence[str]) -> str | None:
    """Why nobody should stop now, whatever the forecast says; None: nothing speaks against it."""
    latest = points[-1].accuracy
    if _is_falling(points):
        return (
            f"Do not stop: the accuracy fell from {100 * _best(points).accuracy:.0f} to {100 * latest:.0f} %. Look "
            "through the suspected labels on Review: wrong labels, or a class that means two things, are often why."
        )
    if classes and latest <= 1 / classes:
        return (
            f"Do not stop: the model is right for {100 * latest:.0f} %, no better than guessing among {classes} "
            "classes. Look whether labels and classes say what is meant."
        )
    if without_label:
        more = len(without_label) - NAMED
        named = ", ".join(without_label[:NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"Do not stop yet: no label has been given for {named}. The model cannot know a class it never saw."
    return None


def _best(points: Sequence[AccuracyPoint]) -> AccuracyPoint:
    return max(points, key=lambda point: point.accuracy)


def _is_falling(points: Sequence[AccuracyPoint]) -> bool:
    """Whether the accuracy is surely below the best, or was worse in each of three rounds and by more than is noise."""
    best, latest = _best(points), points[-1]
    is_apart = best.low is not None and latest.high is not None and latest.high < best.low
    steps = [after.accuracy < before.accuracy for before, after in itertools.pairwise(points)]
    return is_apart or (len(steps) >= FALLS and all(steps[-FALLS:]) and best.accuracy - latest.accuracy > 2 * WORTH)


def _check(numbers: _Numbers) -> str:
    assert numbers.trouble is not None
    return numbers.trouble


def _verdict(gain: Gain | None, kappa: float | None, points: Sequence[AccuracyPoint]) -> Verdict:
    if gain is None:
        return "too early"
    if gain.expected >= WORTH or kappa is None or kappa < STABLE:
        return "go on"
    low, high = points[-1].low, points[-1].high
    return "measure" if low is not None and high is not None and high - low > WIDE else "stop"


def _too_early(numbers: _Numbers) -> str:
    return f"Too early to say when to stop. {too_few_rounds(numbers.points)}"


def _go_on(numbers: _Numbers) -> str:
    assert numbers.gain is not None
    if numbers.gain.expected >= WORTH:
        return f"Go on: {_gain_words(numbers)}."
    settled = (
        "it is not known yet whether the model has settled" if numbers.kappa is None else _unsettled(numbers.kappa)
    )
    return f"Go on for now: {_gain_words(numbers)}, but {settled}."


def _measure(numbers: _Numbers) -> str:
    low, high = numbers.points[-1].low, numbers.points[-1].high
    assert low is not None
    assert high is not None
    return (
        f"The model has settled: {_gain_words(numbers)}. But its accuracy is only known to lie between {100 * low:.0f} "
        f"and {100 * high:.0f} %: before you stop, more audit labels would tell."
    )


def _stop(numbers: _Numbers) -> str:
    assert numbers.kappa is not None
    agreement = f"the model answers as it did a round ago (kappa {numbers.kappa:.3f})"
    return f"You may stop: {_gain_words(numbers)}, and {agreement}."


def _unsettled(kappa: float) -> str:
    return f"each round still changes the model's answers (kappa {kappa:.3f})"


def _gain_words(numbers: _Numbers) -> str:
    gain, minutes = numbers.gain, numbers.minutes
    assert gain is not None
    cost = "" if minutes is None else f", in about {minutes_words(minutes)} at the pace so far"
    points = f"{100 * gain.expected:+.1f} points of accuracy ({band_words(gain)})"
    return f"the next {gain.more:,} labels would bring about {points}{cost}"


def minutes_words(minutes: float) -> str:
    """A time that a person can plan with."""
    if minutes < 1:
        return "a minute"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


_SENTENCES = {"too early": _too_early, "check": _check, "go on": _go_on, "measure": _measure, "stop": _stop}
