"""One sample of the Uncertainty screen: its draws, how much doubt is the model's own, and what is most like it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.project.scores import RoundScores, SampleDraws
from app.screens.content.sample import draw_large, draw_small
from app.screens.shared.doubt import alarm_of, doubt_of
from app.screens.shared.neighbors import Neighborhood, nearest_labeled
from app.screens.shared.plain_text import escaped, whole_percent
from app.screens.uncertainty_page.charts import draws_chart, mean_probabilities_chart, split_chart
from storage.samples import SampleInfo

MOST_CLASSES = 20  # in the charts of one sample; the names of more would not be written
_LARGE, _SMALL = 260, 104  # pixels


def why_uncertain(
    sample: SampleInfo, scores: RoundScores, draws: SampleDraws, *, classes: Sequence[str], words: str
) -> None:
    """Draw the card of one sample.

    Args:
        sample: the sample.
        scores: of the round shown.
        draws: its probabilities and draws in that round.
        classes: class names in their order.
        words: prediction and label in a sentence.
    """
    _head(sample, words)
    row = scores.row_of(sample.id)
    if row is not None:
        _doubt(scores, row, draws, classes)
    likeliest = np.sort(np.argsort(-draws.probs_C, kind="stable")[:MOST_CLASSES])
    names = [classes[index] for index in likeliest]
    if len(names) < len(classes):
        st.caption(f"Shown are the {len(names)} likeliest of {len(classes):,} classes.")
    if draws.draws_C_K is None:
        st.caption("The draws of this round were not kept (the pool is too large); the mean is shown.")
    else:
        st.markdown(f"**The {draws.draws_C_K.shape[1]} MC draws**")
        st.altair_chart(draws_chart(draws.draws_C_K[likeliest], names), width="stretch", key="draws")
    st.markdown("**Mean class probabilities**")
    st.altair_chart(
        mean_probabilities_chart(draws.probs_C[likeliest], names), width="stretch", key="mean_probabilities"
    )


def outside_the_pool(sample: SampleInfo, words: str) -> None:
    """Draw a sample this round did not score: it had been decided before, or serves the audit."""
    _head(sample, f"{words[:1].upper()}{words[1:]}.")
    st.caption("This round did not score it: it had left the pool before, or is kept for the audit.")


def _head(sample: SampleInfo, words: str) -> None:
    st.subheader(f"Sample {sample.id}")
    draw_large(sample, width=_LARGE)
    st.markdown(escaped(words))
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


def _doubt(scores: RoundScores, row: int, draws: SampleDraws, classes: Sequence[str]) -> None:
    alarm = alarm_of(draws.draws_C_K) if draws.draws_C_K is not None else None
    if alarm:
        st.error(alarm, icon=":material/emergency_heat:")
    doubt = doubt_of(scores, row, classes=len(classes))
    st.markdown(f"**Total uncertainty: {doubt.total:.3f} nats** of at most {doubt.most:.3f}")
    st.altair_chart(
        split_chart(epistemic=doubt.epistemic, aleatoric=doubt.aleatoric), width="stretch", key="entropy_split"
    )
