"""One sample: its draws, what they average to, and how much of the doubt is the model's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from app.screens.components.plain_text import escaped
from app.screens.components.round_scores import Floats, SampleDraws
from app.screens.components.sample_image import large
from app.screens.components.uncertainty_charts import draws_chart, mean_probabilities_chart, split_chart
from storage.samples import SampleInfo

SATURATED = 0.999  # a probability so sure that half precision may round every draw to the same number


@dataclass(frozen=True)
class EntropySplit:
    """Total entropy of the mean prediction and its two parts, all in nats."""

    total: float
    epistemic: float  # BALD, the mutual information of answer and weights: what labels can take away
    aleatoric: float  # expected entropy of a single draw: what stays, however many labels come


def entropy_split(draws_C_K: Floats) -> EntropySplit:
    """``H[mean] = (H[mean] - mean H) + mean H`` over the K draws (Houlsby et al. 2011)."""
    total = _entropy(draws_C_K.mean(axis=1))
    aleatoric = float(np.mean([_entropy(draws_C_K[:, draw]) for draw in range(draws_C_K.shape[1])]))
    return EntropySplit(total, max(0.0, total - aleatoric), aleatoric)


def _entropy(probs_C: Floats) -> float:
    positive = probs_C[probs_C > 0]
    return float(-(positive * np.log(positive)).sum())


def all_draws_equal(draws_C_K: Floats) -> bool:
    """Whether the draws never differ although the model is not saturated: dropout did not run."""
    return bool((draws_C_K == draws_C_K[:, :1]).all()) and float(draws_C_K.max()) < SATURATED


def why_uncertain(sample: SampleInfo, draws: SampleDraws, *, classes: Sequence[str], words: str) -> None:
    """Draw the card of one sample.

    Args:
        sample: the sample.
        draws: its probabilities and draws in the round shown.
        classes: class names in their order.
        words: prediction and label in a sentence.
    """
    st.subheader(f"Sample {sample.id}")
    st.image(large(sample), width=220)
    st.markdown(escaped(words))
    if draws.draws_C_K is None:
        st.caption("The draws of this round were not kept (the pool is too large); the mean is shown.")
    else:
        _draws(draws.draws_C_K, classes)
    st.markdown("**Mean class probabilities**")
    st.altair_chart(mean_probabilities_chart(draws.probs_C, classes), width="stretch", key="mean_probabilities")


def outside_the_pool(sample: SampleInfo, words: str) -> None:
    """Draw a sample this round did not score: it had been decided before, or serves the audit."""
    st.subheader(f"Sample {sample.id}")
    st.image(large(sample), width=220)
    st.markdown(escaped(f"{words[:1].upper()}{words[1:]}."))
    st.caption("This round did not score it: it had left the pool before, or is kept for the audit.")


def _draws(draws_C_K: Floats, classes: Sequence[str]) -> None:
    if all_draws_equal(draws_C_K):
        st.error(
            f"All {draws_C_K.shape[1]} draws of this sample are identical: MC dropout did not run, so these scores "
            "say nothing about model doubt. Press 'Train now' on the Label screen; if it stays, run "
            "'labelloop doctor'.",
            icon=":material/emergency_heat:",
        )
    split = entropy_split(draws_C_K)
    st.markdown(f"**Total uncertainty: {split.total:.3f} nats**")
    st.altair_chart(
        split_chart(epistemic=split.epistemic, aleatoric=split.aleatoric), width="stretch", key="entropy_split"
    )
    st.markdown(f"**The {draws_C_K.shape[1]} MC draws**")
    st.altair_chart(draws_chart(draws_C_K, classes), width="stretch", key="draws")
