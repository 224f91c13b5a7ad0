"""How much each of several predictors' answers counts: by what it said of labels that were held from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loops.evaluation.comparison import compare
from loops.predictors.calibration import sharpened, sharpness_of

Floats = NDArray[np.floating[Any]]

PRIOR = 100.0  # labels' worth of belief in equal weights
_UNLIKELY = 0.01  # no held-out label counts as less likely than this: one wrong label must not decide


@dataclass(frozen=True)
class Weights:
    """How much each member counts, and the figures that speak for it."""

    weights: tuple[float, ...]  # add up to 1
    weighed_at: int = 0  # labels; 0: never
    right: tuple[float, ...] = ()  # share of the pool that each member had right, by labels held out
    together: float = 0.0  # likewise of the champion
    held_out_right: int = 0  # labels that the champion had right while they were held out
    sharpness: float = 1.0  # the power to which the mean answer is raised

    @classmethod
    def of_the_first(cls, members: int) -> Weights:
        """Without evidence the first answers alone."""
        return cls((1.0, *[0.0] * (members - 1)))

    @classmethod
    def of_saved(cls, saved: dict[str, Any]) -> Weights:
        """Weights from a checkpoint's plain values, whose sequences may be lists."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()
        }
        return cls(**values)

    def sentence(self, names: Sequence[str]) -> str:
        """For the person at the screen, about members of these names; empty without evidence."""
        if not self.weighed_at:
            return ""
        answering = [name for name, weight in zip(names, self.weights, strict=True) if weight]
        how = {1: "it answers by itself"}.get(len(answering), "look-alikes and a trained model answer together")
        return (
            f"Without seeing them the model would have had {self.held_out_right} of your {self.weighed_at} labels "
            f"right, and it asks for hard ones; {how}."
        )

    def figures(self, names: Sequence[str]) -> str:
        """What each member had right and how much it counts; empty without evidence."""
        if not self.weighed_at:
            return ""
        each = ", ".join(
            f"{name} {100 * right:.0f} % right, weight {weight:.2f}"
            for name, right, weight in zip(names, self.right, self.weights, strict=False)  # those who have joined
        )
        together = f"together {100 * self.together:.0f} %"
        return f"Of {self.weighed_at} labels held out, weighted to the pool: {each}; {together}."


def weighed(
    probs_M_N_C: Sequence[Floats], labels_N: NDArray[np.int64], shares_N: Floats, *, members: int
) -> tuple[Weights, Floats]:
    """The weights of a champion, by what its members said of labels that were held from them.

    Args:
        probs_M_N_C: Of the members that have joined, out of fold.
        labels_N: Class indices.
        shares_N: How much of the pool each label speaks for.
        members: Of the champion; those who have not joined yet have no say.

    Returns:
        The weights, and the champion's own answers `probs_N_C`, as sure as the labels allow.
    """
    weights_M = weigh(probs_M_N_C, labels_N, shares_N)
    later = [0.0] * (members - len(probs_M_N_C))
    mixed = weighted_mean(probs_M_N_C, weights_M)
    weights = Weights(
        (*weights_M.tolist(), *later),
        len(labels_N),
        right=tuple(_right(probs_N_C, labels_N, shares_N) for probs_N_C in probs_M_N_C),
        together=_right(mixed, labels_N, shares_N),
        held_out_right=int((mixed.argmax(axis=1) == labels_N).sum()),
        sharpness=sharpness_of(mixed, labels_N),
    )
    return weights, sharpened(mixed, weights.sharpness)


def weigh(
    probs_M_N_C: Sequence[Floats], labels_N: NDArray[np.int64], shares_N: Floats | None = None
) -> NDArray[np.float64]:
    """Weights under which held-out labels are likely, shrunk far towards equal weights.

    Who is measurably worse than the best has no say. Among the others a few dozen labels, which were asked where it was
    hardest, cannot tell who is better, and the equal mean of answers that err in different places is better than each;
    so the likelihood of the mixture (by expectation and maximization, which is convex) counts against a prior of
    `PRIOR` labels. Measured in docs/experiments/0026-one-house.md.

    Args:
        probs_M_N_C: Of M predictors, out of fold.
        labels_N: Class indices.
        shares_N: How much of the pool each label speaks for; None: all for as much.

    Returns:
        `weights_M`, which add up to 1.
    """
    weight_N = np.full(len(labels_N), 1.0) if shares_N is None else np.maximum(np.asarray(shares_N, float), 1e-9)
    weight_N = weight_N / weight_N.sum() * len(labels_N)
    classes_M_N = [probs_N_C.argmax(axis=1) for probs_N_C in probs_M_N_C]
    best = max(classes_M_N, key=lambda classes_N: float(weight_N @ (classes_N == labels_N)))
    may_speak = [
        not compare(truth=labels_N, answering=classes_N, other=best, weight=weight_N).other_is_better
        for classes_N in classes_M_N
    ]
    likely_N_M = np.stack([_likelihood(probs_N_C, labels_N) for probs_N_C in probs_M_N_C], axis=1)
    weights_M = np.zeros(len(probs_M_N_C))
    weights_M[may_speak] = _mixture(likely_N_M[:, may_speak], weight_N)
    return weights_M


def weighted_mean(answers: Sequence[ArrayLike], weights: ArrayLike) -> NDArray[np.float32]:
    """The mean of several predictors' answers, all of one shape, by weights that add up to 1."""
    return np.asarray(np.tensordot(np.asarray(weights, np.float32), np.stack(answers), axes=1), np.float32)


def _right(probs_N_C: Floats, labels_N: NDArray[np.int64], shares_N: Floats) -> float:
    """The share of the pool whose labels the answers had right."""
    weight_N = shares_N / max(float(shares_N.sum()), 1e-12)
    return float(weight_N @ (probs_N_C.argmax(axis=1) == labels_N))


def _likelihood(probs_N_C: Floats, labels_N: NDArray[np.int64]) -> Floats:
    return np.asarray(np.clip(probs_N_C[np.arange(len(labels_N)), labels_N], _UNLIKELY, 1.0))


def _mixture(likely_N_M: Floats, weight_N: Floats, steps: int = 100) -> NDArray[np.float64]:
    members = likely_N_M.shape[1]
    weights_M = np.full(members, 1.0 / members)
    for _ in range(steps):
        shares_N_M = weights_M * likely_N_M
        shares_N_M /= shares_N_M.sum(axis=1, keepdims=True)
        weights_M = weight_N @ shares_N_M + PRIOR / members
        weights_M /= weights_M.sum()
    return weights_M
