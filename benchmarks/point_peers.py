"""Peers on the points that the graph connects: modAL and scikit-activeml ask, logistic regression answers.

Each label is followed by a refit on all labels and a query over the whole pool; TypiClust, which clusters the pool
for each question, looks at 5,000 of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import peers
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

CLUSTERED = 5_000  # samples

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


def regression(points: Floats) -> LogisticRegression:
    """Logistic regression as scikit-learn has it by default, as if the points were of unit spread."""
    return LogisticRegression(C=points.shape[1] / float(points.var(0).sum()), max_iter=200)


def modal_margin(points: Floats, y: Ids, labeled: list[int], _seed: int) -> int:
    """modAL's margin sampling.

    A predictor is made of all labels each time, which is what `teach` does, append and refit; modAL's own passes a
    parameter that scikit-learn 1.8 took away.
    """
    from modAL.models import ActiveLearner
    from modAL.uncertainty import margin_sampling

    predictor = ActiveLearner(
        regression(points), query_strategy=margin_sampling, X_training=points[labeled], y_training=y[labeled]
    )
    unlabeled = np.setdiff1d(np.arange(len(points)), labeled)
    return int(unlabeled[predictor.query(points[unlabeled])[0][0]])


def activeml_entropy(points: Floats, y: Ids, labeled: list[int], seed: int) -> int:
    """scikit-activeml's uncertainty sampling by entropy."""
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling

    classifier = SklearnClassifier(regression(points), classes=np.arange(int(y.max()) + 1), random_state=seed)
    strategy = UncertaintySampling(method="entropy", random_state=seed)
    return int(strategy.query(points, known(y, labeled), classifier)[0])


def typiclust(points: Floats, budget: int, seed: int) -> list[int]:
    """scikit-activeml's TypiClust, one question after the other; it looks at no label."""
    peers.add_peers()
    from skactiveml.pool import TypiClust

    some = np.sort(np.random.default_rng(seed).permutation(len(points))[:CLUSTERED])
    strategy = TypiClust(random_state=seed)
    asked: list[int] = []
    for _ in range(min(budget, len(some))):
        asked.append(int(strategy.query(points[some], known(np.zeros(len(some), np.int64), asked))[0]))
    return some[asked].tolist()


def known(y: Ids, labeled: list[int]) -> NDArray[np.float64]:
    """Labels as scikit-activeml wants them: NaN where there is none."""
    labels = np.full(len(y), np.nan)
    labels[labeled] = y[labeled]
    return labels


QUESTIONS: dict[str, Callable[[Floats, Ids, list[int], int], int]] = {
    "modAL margin + LR": modal_margin,
    "scikit-activeml entropy + LR": activeml_entropy,
}


def asked_by(arm: str, points: Floats, y: Ids, labeled: list[int], seed: int) -> int:
    """The next question; at random until labels of two classes are there."""
    peers.add_peers()
    if len(set(y[labeled].tolist())) < 2:
        order = np.random.default_rng(seed).permutation(len(y))
        return int(order[~np.isin(order, labeled)][0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return QUESTIONS[arm](points, y, labeled, seed)


def accuracy_of(points: Floats, y: Ids, test_points: Floats, test_labels: Ids, spread_of: Floats) -> float:
    """Logistic regression on these labels, on the test set; `spread_of`: the points of the whole pool."""
    if len(set(y.tolist())) < 2:
        return float((test_labels == y[0]).mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge in 200 steps
        fitted = regression(spread_of).fit(points, y)
    return float((fitted.predict(test_points) == test_labels).mean())
