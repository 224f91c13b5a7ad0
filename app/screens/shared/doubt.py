"""How much a model doubts one sample: the total, and its two parts. Plain arithmetic, for the card and the screen."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from app.project.scores import BALD, EXPECTED_ENTROPY, Floats, RoundScores, SampleDraws

SATURATED = 0.999  # a probability so sure that half precision may round every draw to the same number
ALARM = (
    "All {iterations} draws of this sample are identical: MC dropout did not run, so these scores say nothing about "
    "model doubt. Press 'Train now' on the Label screen; if it stays, run 'labelloop doctor'."
)


@dataclass(frozen=True)
class Doubt:
    """Total entropy of the mean prediction and its two parts, all in nats (Houlsby et al. 2011)."""

    epistemic: float  # BALD, the mutual information of answer and weights: what labels can take away
    aleatoric: float  # expected entropy of a single draw: what stays, however many labels come
    most: float  # the total of a model that knows nothing: ln C

    @property
    def total(self) -> float:
        """``H[mean] = (H[mean] - mean H) + mean H``."""
        return self.epistemic + self.aleatoric

    @property
    def epistemic_share(self) -> float:
        """The part of the total that labels can take away, 0..1; 0 where there is no doubt at all."""
        return self.epistemic / self.total if self.total > 0 else 0.0


def doubt_of(scores: RoundScores, row: int, draws: SampleDraws) -> Doubt:
    """A sample's doubt, of the very draws that are shown beside it; of what the trainer measured where none are kept.

    A committee is asked by what each of its members says of itself, which is no property of its members' votes: on one
    card the two would contradict each other.
    """
    most = log(len(draws.probs_C))
    if draws.draws_C_K is None:
        measures = scores.measures
        return Doubt(float(measures[BALD][row]), float(measures[EXPECTED_ENTROPY][row]), most)
    total, aleatoric = _entropy(draws.mean), float(np.mean([_entropy(draw) for draw in draws.draws_C_K.T]))
    return Doubt(max(0.0, total - aleatoric), aleatoric, most)


def _entropy(probs_C: Floats) -> float:
    """Entropy in nats; half precision leaves draws that do not quite add up to 1."""
    probs_C = probs_C / probs_C.sum()
    return float(-(probs_C * np.log(np.maximum(probs_C, 1e-12))).sum())


def all_draws_equal(draws_C_K: Floats) -> bool:
    """Whether the draws never differ although the model is not saturated: dropout did not run."""
    return bool((draws_C_K == draws_C_K[:, :1]).all()) and float(draws_C_K.max()) < SATURATED


def alarm_of(draws_C_K: Floats) -> str | None:
    """The sentence for draws that are identical; None for healthy ones."""
    return ALARM.format(iterations=draws_C_K.shape[1]) if all_draws_equal(draws_C_K) else None
