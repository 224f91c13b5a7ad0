"""One sample of the Uncertainty screen: its draws, how much doubt is the model's own, and what is most like it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.project.scores import BALD, RoundScores, SampleDraws
from app.screens.content.sample import draw_large, draw_small
from app.screens.shared.doubt import alarm_of, doubt_of
from app.screens.shared.label_box import label_box
from app.screens.shared.neighbors import Neighborhood, nearest_labeled
from app.screens.shared.plain_text import escaped, whole_percent
from app.screens.shared.unit_words import ALEATORIC_HELP, BALD_HELP, NATS_HELP
from app.screens.uncertainty_page.charts import draws_chart, mean_probabilities_chart, split_chart
from storage.rounds import RoundInfo
from storage.samples import SampleInfo
from storage.who_asked import Asker

MOST_CLASSES = 20  # in the charts of one sample; the names of more would not be written
_LARGE, _SMALL = 260, 104  # pixels
_AS_MUCH = 0.01  # nats


def why_uncertain(
    sample: SampleInfo, scores: RoundScores, draws: SampleDraws, *, classes: Sequence[str], words: str, whose: str
) -> None:
    """Draw the card of one sample; every figure on it is of one predictor, and of the same draws.

    Args:
        sample: the sample.
        scores: of the round shown.
        draws: its probabilities and draws in that round.
        classes: class names in their order.
        words: prediction and label in a sentence.
        whose: predictor, in a sentence.
    """
    _head(sample, words, classes)
    st.caption(escaped(whose))
    row = scores.row_of(sample.id)
    if row is not None:
        _doubt(scores, row, draws)
    _answers(draws, classes)


def _answers(draws: SampleDraws, classes: Sequence[str]) -> None:
    likeliest = np.sort(np.argsort(-draws.mean, kind="stable")[:MOST_CLASSES])
    names = [classes[index] for index in likeliest]
    if len(names) < len(classes):
        st.caption(f"Shown are the {len(names)} likeliest of {len(classes):,} classes.")
    if draws.draws_C_K is None:
        st.caption("The draws of this round were not kept (the pool is too large); their mean is shown.")
    else:
        count = draws.draws_C_K.shape[1]
        st.markdown(f"**The {count} MC draws**")
        chart = draws_chart(draws.draws_C_K[likeliest], names)
        st.altair_chart(chart, width="stretch", key="draws", alt=f"Probability of each class in {count} draws")
    st.markdown("**Mean of the draws**")
    mean = mean_probabilities_chart(draws.mean[likeliest], names)
    st.altair_chart(mean, width="stretch", key="mean_probabilities", alt="Mean probability of each class")


def predictor_words(asker: Asker | None, info: RoundInfo) -> str:
    """Whose answers these are, in a sentence."""
    predictor = info.predictor if asker is None or asker.predictor is None else asker.predictor
    labels = info.labels if asker is None or asker.labels is None else asker.labels
    seen = "1 label" if labels == 1 else f"{labels:,} labels"
    return f"All figures here are of one predictor: {predictor} of round {info.number}, which had seen {seen}."


def outside_the_pool(sample: SampleInfo, words: str, classes: Sequence[str]) -> None:
    """Draw a sample this round did not score: it had been decided before, or serves the audit."""
    _head(sample, f"{words[:1].upper()}{words[1:]}.", classes)
    st.caption("This round did not score it: it had left the pool before, or is kept for the audit.")


def _head(sample: SampleInfo, words: str, classes: Sequence[str]) -> None:
    st.header(f"Sample {sample.id}")
    draw_large(sample, width=_LARGE)
    st.markdown(escaped(words))
    label_box(sample, classes, key="uncertain")
    _neighbors(nearest_labeled([sample.id]), sample.id)


def _neighbors(found: Neighborhood, sample_id: int) -> None:
    st.markdown("**Labeled samples most like it**")
    if sample_id not in found.of:
        st.caption(found.missing)
        return
    with st.container(horizontal=True, gap="small", key="neighbors"):
        for neighbor in found.of[sample_id]:
            with st.container(width=_SMALL, gap=None, key=f"neighbor_{neighbor.sample.id}"):
                draw_small(neighbor.sample, width=_SMALL)
                st.caption(escaped(f"{neighbor.name}, {whole_percent(neighbor.similarity)} alike"))


def _doubt(scores: RoundScores, row: int, draws: SampleDraws) -> None:
    alarm = alarm_of(draws.draws_C_K) if draws.draws_C_K is not None else None
    if alarm:
        st.error(alarm, icon=":material/emergency_heat:")
    doubt = doubt_of(scores, row, draws)
    st.markdown(
        f"**Total uncertainty: {doubt.total:.3f} nats** of at most {doubt.most:.3f}",
        help=f"{NATS_HELP}\n\n{BALD_HELP}\n\n{ALEATORIC_HELP}",
    )
    chart = split_chart(epistemic=doubt.epistemic, aleatoric=doubt.aleatoric)
    words = f"Model doubt {doubt.epistemic:.3f} nats, sample ambiguity {doubt.aleatoric:.3f} nats"
    st.altair_chart(chart, width="stretch", key="entropy_split", alt=words)
    ranked_by = float(scores.measures[BALD][row])
    if abs(ranked_by - doubt.epistemic) > _AS_MUCH:
        st.caption(
            f"The pool is ranked by {ranked_by:.3f} nats of model doubt: the mean of what each member of the committee "
            "says of itself, while the draws are the members' votes."
        )
