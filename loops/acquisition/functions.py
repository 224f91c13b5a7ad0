"""Acquisition functions: how much a label of each sample is expected to teach. Higher is asked first, always."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loops.acquisition.catalog import ALEATORIC, CATALOG, EPISTEMIC, TOTAL
from loops.seeding import hash_of_ids

Score = Callable[[Tensor], Tensor]  # probs_N_C_K -> scores_N


def predictive_entropy(probs_N_C_K: Tensor) -> Tensor:
    """Entropy of the mean prediction, in nats: all doubt, of the model and in the sample.

    `H[mean_k p_k]`. High when the passes disagree, and when they agree that classes are equally likely.

    Args:
        probs_N_C_K: Class probabilities of K MC iterations, `[N, C, K]`.

    Returns:
        `scores_N`, from 0 to ln C.
    """
    scores_N: Tensor = torch.special.entr(probs_N_C_K.mean(-1)).sum(1)
    return scores_N


def expected_entropy(probs_N_C_K: Tensor) -> Tensor:
    """Mean of the passes' entropies, in nats: ambiguity of the sample itself, which no label of it removes.

    `mean_k H[p_k]`. High when every pass is undecided.

    Args:
        probs_N_C_K: Class probabilities of K MC iterations, `[N, C, K]`.

    Returns:
        `scores_N`, from 0 to ln C.
    """
    scores_N: Tensor = torch.special.entr(probs_N_C_K).sum(1).mean(-1)
    return scores_N


def bald(probs_N_C_K: Tensor) -> Tensor:
    """Mutual information of the label and the weights, in nats: doubt that a label would remove.

    `H[mean_k p_k] - mean_k H[p_k]`. High when each pass is sure and they disagree. Houlsby et al. 2011,
    arXiv:1112.5745; with MC dropout Gal et al. 2017, arXiv:1703.02910.

    Args:
        probs_N_C_K: Class probabilities of K MC iterations, `[N, C, K]`.

    Returns:
        `scores_N`, from 0 to ln K (rounding below 0 is cut off).
    """
    return (predictive_entropy(probs_N_C_K) - expected_entropy(probs_N_C_K)).clamp_min(0.0)


def margin(probs_N_C_K: Tensor) -> Tensor:
    """One minus the lead of the likeliest class over the next, of the mean prediction.

    `1 - (p_first - p_second)`. High when two classes are nearly tied. Scheffer et al. 2001.

    Args:
        probs_N_C_K: Class probabilities of K MC iterations, `[N, C, K]`.

    Returns:
        `scores_N`, from 0 to 1.
    """
    top_N_2 = probs_N_C_K.mean(-1).topk(2, dim=1).values
    return 1.0 - (top_N_2[:, 0] - top_N_2[:, 1])


def variation_ratios(probs_N_C_K: Tensor) -> Tensor:
    """One minus the mean probability of the likeliest class.

    `1 - max_c mean_k p_k(c)`. High when no class is likely. In the form of Gal et al. 2017, arXiv:1703.02910.

    Args:
        probs_N_C_K: Class probabilities of K MC iterations, `[N, C, K]`.

    Returns:
        `scores_N`, from 0 to 1 - 1/C.
    """
    return 1.0 - probs_N_C_K.mean(-1).amax(1)


@cache
def _of_the_mean() -> dict[str, Score]:
    """Those of the catalog that look at the mean prediction alone, but the entropy."""
    return {name: entry.load() for name, entry in CATALOG.items() if entry.needs == "probabilities" and name != TOTAL}


def score_draws(logits_N_C_K: Tensor, workspace: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor]]:
    """All functions that score a sample by itself, from logits, with one exponential and no logarithm per number.

    `H[p] = ln sum_c e^z_c - sum_c p_c z_c`, with z moved so that its largest is 0: exact where p would round to 1.

    Args:
        logits_N_C_K: Of K MC iterations; overwritten.
        workspace: Memory for as many numbers; new pages cost more than what is computed in them.

    Returns:
        Mean class probabilities `[N, C]`, and `scores_N` by name.
    """
    logits = logits_N_C_K.sub_(logits_N_C_K.amax(1, keepdim=True))
    weights_N_C_K = torch.exp(logits, out=workspace)
    norms_N_K = weights_N_C_K.sum(1)
    shares_N_K = norms_N_K.reciprocal() / norms_N_K.shape[1]
    mean_N_C = (weights_N_C_K @ shares_N_K.unsqueeze(-1)).squeeze(-1)
    expected_N = norms_N_K.log().mean(-1) - (logits.mul_(weights_N_C_K).sum(1) * shares_N_K).sum(-1)
    predictive_N = torch.special.entr(mean_N_C).sum(1)
    of_the_mean = {name: function(mean_N_C.unsqueeze(-1)) for name, function in _of_the_mean().items()}
    scores = {
        EPISTEMIC: (predictive_N - expected_N).clamp_min(0.0),
        TOTAL: predictive_N,
        ALEATORIC: expected_N,
        **of_the_mean,
    }
    return mean_N_C, scores


def score_probabilities(probs_N_C_K: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """All functions of the catalog that score a sample by itself, from class probabilities of K draws.

    Args:
        probs_N_C_K: Of members, masks or whatever else may disagree.

    Returns:
        `scores_N` by name.
    """
    probs = torch.from_numpy(np.ascontiguousarray(probs_N_C_K))
    found = {name: entry.load()(probs) for name, entry in CATALOG.items() if entry.scores_one_by_one}
    return {name: scores_N.numpy() for name, scores_N in {**found, ALEATORIC: expected_entropy(probs)}.items()}


def random_scores(sample_ids: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """Scores that follow from id and seed alone: the acquisition function `random`.

    Args:
        sample_ids: `[N]`.
        seed: One per round, or every round draws the same order.

    Returns:
        `scores_N`, uniform in [0, 1).
    """
    return ((hash_of_ids(sample_ids, seed) >> np.uint64(40)) / 2.0**24).astype(np.float32)


def rank(
    sample_ids: NDArray[np.int64], scores_N: NDArray[np.floating[Any]], k: int | None = None, *, seed: int = 0
) -> NDArray[np.int64]:
    """Orders sample ids by falling score.

    Ties are broken by a seeded hash of the id, never by position: in another storage order the same samples are asked.

    Args:
        sample_ids: `[N]`.
        scores_N: Higher is asked first.
        k: How many to return; None, or more than N: all.
        seed: Of the order among equal scores.

    Returns:
        `[min(k, N)]` ids.

    Raises:
        ValueError: If a score is not a number, for then no order is right.
    """
    if not np.isfinite(scores_N).all():
        raise ValueError(f"{int((~np.isfinite(scores_N)).sum())} of {len(scores_N)} scores are not finite numbers")
    order = np.lexsort((hash_of_ids(sample_ids, seed), -np.asarray(scores_N)))
    ranked: NDArray[np.int64] = np.asarray(sample_ids, np.int64)[order[:k]]
    return ranked
