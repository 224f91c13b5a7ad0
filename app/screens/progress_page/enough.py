"""Is it enough, and was it worth it: the stop adviser, labels saved against random, and the simplest thing."""

from __future__ import annotations

import streamlit as st

from app.project.advice import read_advice
from app.project.settings import ProjectSettings
from app.project.simplest import GAIN, gain_in_words, is_behind
from app.screens.shared.plain_text import escaped
from app.screens.shared.progress_figures import EQUAL_LABELS, LABELS_RANDOM, ProgressFigures
from loops.evaluation.labels_saved_words import saved_in_words
from loops.evaluation.stop_adviser import STABLE, Advice, minutes_words
from storage.engine import Database
from storage.metrics import MetricInfo

_WIDTH = 165  # pixels; four fit beside the sidebar of a laptop, two on a phone
_ICONS = {
    "go on": ":material/play_arrow:",
    "check": ":material/report:",
    "measure": ":material/straighten:",
    "stop": ":material/flag:",
}


def when_to_stop(database: Database, project_id: int, *, query_size: int) -> None:
    """The advice in one sentence, and the figures it stands on; nothing while it is too early."""
    with database.read() as session:
        advice = read_advice(session, project_id=project_id, query_size=query_size)
    if advice.verdict == "too early":
        return
    st.header("When to stop")
    boxes = {"stop": st.success, "check": st.warning}
    boxes.get(advice.verdict, st.info)(escaped(advice.sentence), icon=_ICONS[advice.verdict])
    with st.container(horizontal=True, key="advice_figures"):
        _figure(f"Next {advice.next_labels:,} labels", *gain_words(advice), _GAIN)
        _figure("Stability (kappa)", *kappa_words(advice), _KAPPA)
        _figure("Accuracy known within", *width_words(advice), _WIDE)
        _figure("Time for them", *cost_words(advice), _COST)


_GAIN = "Gain of accuracy that a learning curve through the rounds forecasts, with its 95 % band."
_KAPPA = "Agreement of a round's predictions of the pool with those of the round before, beyond chance: mean of three."
_WIDE = "Width of the 95 % interval of the latest accuracy: more audit or test samples make it narrower."
_COST = "At the mean time from label to label, breaks over a minute left out."


def gain_words(advice: Advice) -> tuple[str, str]:
    """Value and small print of the forecast gain."""
    if advice.gain is None or advice.gain_low is None or advice.gain_high is None:
        return "-", "not known yet"
    return f"{100 * advice.gain:+.1f} points", f"{100 * advice.gain_low:+.1f} to {100 * advice.gain_high:+.1f}"


def kappa_words(advice: Advice) -> tuple[str, str]:
    """Value and small print of the stability."""
    if advice.kappa is None:
        return "-", "after four scored rounds"
    return f"{advice.kappa:.3f}", f"settled from {STABLE:.2f}"


def width_words(advice: Advice) -> tuple[str, str]:
    """Value and small print of the interval."""
    if advice.low is None or advice.high is None:
        return "-", "no interval"
    return f"{100 * (advice.high - advice.low):.0f} points", f"{100 * advice.low:.0f} to {100 * advice.high:.0f} %"


def cost_words(advice: Advice) -> tuple[str, str]:
    """Value and small print of the time."""
    if advice.minutes is None:
        return "-", "pace not measured yet"
    return minutes_words(advice.minutes), f"{60 * advice.minutes / advice.next_labels:.1f} s a label"


def _figure(label: str, value: str, small_print: str, meaning: str) -> None:
    st.metric(label, value, delta=small_print, delta_color="off", delta_arrow="off", help=meaning, width=_WIDTH)


def labels_saved_box(figures: ProgressFigures) -> None:
    """What labels drawn at random would have cost; nothing until a round has measured it."""
    metric, equal = figures.latest(LABELS_RANDOM), figures.latest(EQUAL_LABELS)
    if metric is None or metric.low is None:
        return
    st.header("Labels saved against random")
    sentence = saved_in_words(metric.labels, metric.value, metric.low, metric.high, metric.n or 0)
    box = st.success if metric.low > metric.labels else st.info
    box(sentence, icon=":material/shuffle:")
    st.caption(" ".join([*([equal_words(equal)] if equal else []), _METHOD]))


def beside_simplest_box(figures: ProgressFigures, settings: ProjectSettings) -> None:
    """Whether the default is better than the simplest thing; nothing until a round has measured it."""
    gain = figures.latest(GAIN)
    if gain is None:
        return
    st.header("Beside the simplest thing")
    box = st.warning if is_behind(gain) else st.info
    box(gain_in_words(gain, settings), icon=":material/balance:")
    st.caption(_SIMPLEST)


_SIMPLEST = (
    "The simplest thing: samples drawn at random, answered by logistic regression on the same features. It is given "
    "audit labels and is judged on those it did not see; the default is given as many of the labels it asked for."
)
_METHOD = (
    "How it is measured: shadow models learn from audit labels, the only ones drawn at random, and are judged on those "
    "they did not see; the way on from there is extrapolated, and the band says how far that can be trusted."
)


def equal_words(equal: MetricInfo) -> str:
    """The comparison in which nothing is extrapolated."""
    low, high = (100 * (bound or 0.0) for bound in (equal.low, equal.high))
    return (
        f"With {equal.n or 0:,} labels each, the first chosen ones gave {100 * equal.value:+.0f} points of accuracy "
        f"over as many drawn at random (95 % band {low:+.0f} to {high:+.0f})."
    )
