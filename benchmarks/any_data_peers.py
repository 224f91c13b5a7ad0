"""Peers on rows that an embedding gives: simple rules ask ten labels at a time, logistic regression answers.

Each is measured with an intercept and without one, and the better of the two is told. Without one it is far ahead with
few labels, with one where classes are rare.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
import peers
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

AT = (10, 20, 50, 100, 200)  # labels
AT_ONCE = 10  # questions
DRAWS = 10  # of a bootstrap, for BALD
CLUSTERED = 3_000  # samples that TypiClust looks at

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Judge = Callable[[Ids, Floats], dict[str, float]]  # of predicted classes and probabilities of a test set


class Asked:
    """One pool, and the labels that a rule has had of it."""

    def __init__(self, rows_N_D: Floats, labels_N: Ids, seed: int) -> None:
        self.rows, self.labels = rows_N_D, labels_N
        self.generator = np.random.default_rng(seed)
        self.seed = seed
        self.classes = int(labels_N.max()) + 1
        self.known: list[int] = []

    @property
    def left(self) -> Ids:
        """Places without a label."""
        return np.setdiff1d(np.arange(len(self.labels)), np.array(self.known, np.int64))

    def fit(self, *, intercept: bool, weights: Floats | None = None) -> LogisticRegression | None:
        """On all labels; None of one class."""
        known = np.array(self.known)
        if len(set(self.labels[known].tolist())) < 2:
            return None
        model = LogisticRegression(C=10.0, fit_intercept=intercept, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge
            return model.fit(self.rows[known], self.labels[known], weights)


def by_random(asked: Asked, count: int) -> Ids:
    """Any samples."""
    return asked.generator.permutation(asked.left)[:count]


def by_margin(asked: Asked, count: int) -> Ids:
    """Those whose two likeliest classes are nearly as likely (Scheffer et al. 2001)."""
    model = asked.fit(intercept=False) if asked.known else None
    if model is None:
        return by_random(asked, count)
    left = asked.left
    two = np.sort(model.predict_proba(asked.rows[left]), axis=1)[:, -2:]
    return left[np.argsort(two[:, 1] - two[:, 0], kind="stable")[:count]]


def by_bald(asked: Asked, count: int) -> Ids:
    """Those on which bootstrapped models disagree most (Houlsby et al. 2011)."""
    if not asked.known or asked.fit(intercept=False) is None:
        return by_random(asked, count)
    left = asked.left
    drawn = [
        asked.fit(intercept=False, weights=asked.generator.exponential(size=len(asked.known))) for _ in range(DRAWS)
    ]
    probs = np.stack([model.predict_proba(asked.rows[left]) for model in drawn if model is not None])
    bald = entropy(probs.mean(0)) - entropy(probs).mean(0)
    return left[np.argsort(-bald, kind="stable")[:count]]


def by_typiclust(asked: Asked, count: int) -> Ids:
    """scikit-activeml's TypiClust (Hacohen et al. 2022): the typical samples of clusters without a label."""
    peers.add_peers()
    from skactiveml.pool import TypiClust

    known = np.array(asked.known, np.int64)
    some = np.union1d(np.random.default_rng(asked.seed).permutation(len(asked.labels))[:CLUSTERED], known)
    seen = np.full(len(some), np.nan)
    seen[np.isin(some, known)] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            places = TypiClust(random_state=asked.seed).query(asked.rows[some], seen, batch_size=count)
        except UnboundLocalError:  # fewer different rows than clusters, which it does not foresee
            return by_random(asked, count)
    return some[places]


RULES: Mapping[str, Callable[[Asked, int], Ids]] = {
    "random": by_random,
    "margin": by_margin,
    "TypiClust": by_typiclust,
    "BALD": by_bald,
}


def entropy(probs: Floats) -> Floats:
    """In nats, over the last axis."""
    return -(probs * np.log(np.maximum(probs, 1e-12))).sum(-1)


def curve_of(rule: str, asked: Asked, test_rows: Floats, judge: Judge) -> dict[int, dict[bool, dict[str, float]]]:
    """What each budget reaches, by whether there is an intercept."""
    curve: dict[int, dict[bool, dict[str, float]]] = {}
    for at in AT:
        while len(asked.known) < min(at, len(asked.labels)):
            # TypiClust makes as many clusters as it asks: all of a step at once, as it is meant.
            count = at - len(asked.known) if rule == "TypiClust" else min(AT_ONCE, at - len(asked.known))
            asked.known += RULES[rule](asked, count).tolist()
        if len(asked.known) < at:
            break
        curve[at] = {intercept: _judged(asked, test_rows, judge, intercept=intercept) for intercept in (False, True)}
    return curve


def _judged(asked: Asked, test_rows: Floats, judge: Judge, *, intercept: bool) -> dict[str, float]:
    model = asked.fit(intercept=intercept)
    probs = np.zeros((len(test_rows), asked.classes))
    if model is None:
        probs[:, asked.labels[asked.known[0]]] = 1.0
    else:
        probs[:, model.classes_] = model.predict_proba(test_rows)
    return judge(probs.argmax(axis=1), probs)
