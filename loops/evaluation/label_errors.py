"""Label audit: which labels are likely wrong, judged by predictions of predictors that never saw them.

Confident learning: Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
arXiv:1911.00068. A class that the predictors are less sure of needs less to count: its threshold is lower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.cross_validation import CrossValidation
from loops.errors import NotEnoughSamplesError

_ROUNDING = 1e-6  # equal probabilities have a mean that may come out a little above them


@dataclass(frozen=True)
class AuditedLabel:
    """One label, as the audit sees it."""

    sample_id: int
    label: int  # class index, as it was given
    suggestion: int  # the confident class of a likely wrong label; else the likeliest class, often the label
    normalized_margin: float  # 0..1; below 0.5 another class is likelier
    likely_wrong: bool  # off the diagonal of the confident joint


def audit_labels(cross_validation: CrossValidation) -> tuple[AuditedLabel, ...]:
    """Ranks labels, the likely wrong ones first, and among equals the lowest normalized margin.

    A label of a class that no other fold held is left out: nobody could have predicted it.

    Args:
        cross_validation: Labels and out-of-fold probabilities.

    Returns:
        Every label that can be judged, most suspicious first; ties in the order of ids.
    """
    seen_N = ~cross_validation.unseen
    sample_ids, labels_N = cross_validation.sample_ids[seen_N], cross_validation.labels_N[seen_N]
    probs_N_C = cross_validation.probs_N_C[seen_N]
    if not len(sample_ids):
        return ()
    margins_N, wrong_N = normalized_margin(labels_N, probs_N_C), likely_wrong(labels_N, probs_N_C)
    suggestions_N = np.where(wrong_N, confident_class(labels_N, probs_N_C), probs_N_C.argmax(1))
    return tuple(
        AuditedLabel(
            sample_id=int(sample_ids[n]),
            label=int(labels_N[n]),
            suggestion=int(suggestions_N[n]),
            normalized_margin=float(margins_N[n]),
            likely_wrong=bool(wrong_N[n]),
        )
        for n in np.lexsort((sample_ids, margins_N, ~wrong_N)).tolist()
    )


def self_confidence(labels_N: NDArray[np.int64], probs_N_C: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The probability of the label that was given: low for a wrong one, and for a hard sample.

    Args:
        labels_N: `[N]` class indices, each below C.
        probs_N_C: Out-of-fold class probabilities.

    Returns:
        `[N]`, from 0 to 1.
    """
    _check(labels_N, probs_N_C)
    given_N: NDArray[np.float64] = np.asarray(probs_N_C, np.float64)[np.arange(len(labels_N)), labels_N]
    return given_N


def normalized_margin(labels_N: NDArray[np.int64], probs_N_C: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The lead of the given label over the likeliest other class, `(p_label - max_other p + 1) / 2`.

    Unlike self-confidence it stays in the middle where no class is likely.

    Args:
        labels_N: `[N]` class indices, each below C.
        probs_N_C: Out-of-fold class probabilities, C at least 2.

    Returns:
        `[N]`, from 0 (another class is certain) to 1 (the label is).
    """
    given_N = self_confidence(labels_N, probs_N_C)
    others_N_C = np.array(probs_N_C, np.float64)
    others_N_C[np.arange(len(labels_N)), labels_N] = -np.inf
    margins_N: NDArray[np.float64] = (given_N - others_N_C.max(1) + 1) / 2
    return margins_N


def class_thresholds(labels_N: NDArray[np.int64], probs_N_C: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """How likely a class usually is among the samples labeled so: `t_c = mean of p(c) over labels c`.

    Args:
        labels_N: `[N]` class indices, each below C.
        probs_N_C: Out-of-fold class probabilities.

    Returns:
        `[C]`; infinite for a class without labels, which can thus never be the confident one.
    """
    given_N = self_confidence(labels_N, probs_N_C)
    counts_C = np.bincount(labels_N, minlength=probs_N_C.shape[1])
    sums_C = np.bincount(labels_N, weights=given_N, minlength=probs_N_C.shape[1])
    thresholds_C = np.full(len(counts_C), np.inf)
    np.divide(sums_C, counts_C, out=thresholds_C, where=counts_C > 0)
    return thresholds_C


def confident_class(labels_N: NDArray[np.int64], probs_N_C: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """The likeliest of the classes that reach their thresholds.

    Args:
        labels_N: `[N]` class indices, each below C.
        probs_N_C: Out-of-fold class probabilities.

    Returns:
        `[N]` class indices; -1 where no class reaches its threshold.
    """
    reached_N_C = probs_N_C >= class_thresholds(labels_N, probs_N_C) - _ROUNDING
    likeliest_N = np.where(reached_N_C, probs_N_C, -1.0).argmax(1)
    return np.where(reached_N_C.any(1), likeliest_N, -1)


def likely_wrong(labels_N: NDArray[np.int64], probs_N_C: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Whether a sample is off the diagonal of the confident joint: confidently of another class than it is labeled.

    Args:
        labels_N: `[N]` class indices, each below C.
        probs_N_C: Out-of-fold class probabilities.

    Returns:
        `[N]`.
    """
    confident_N = confident_class(labels_N, probs_N_C)
    wrong_N: NDArray[np.bool_] = (confident_N >= 0) & (confident_N != labels_N)
    return wrong_N


def _check(labels_N: NDArray[np.int64], probs_N_C: NDArray[np.floating[Any]]) -> None:
    if len(labels_N) != len(probs_N_C):
        raise NotEnoughSamplesError(wanted=len(labels_N), found=len(probs_N_C))
    if not np.isfinite(probs_N_C).all():
        raise ValueError("some out-of-fold probabilities are not finite numbers, so no ranking of labels is right")
