"""How far annotators agree on what several labeled blind: Cohen's kappa per pair, Krippendorff's alpha over all.

The arithmetic is scikit-learn's and the krippendorff package's; here it is decided what goes in, and when a figure
means nothing. Both are loaded only where there is something to compute: a screen must open in a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from storage.votes import Vote

RELIABLE, TENTATIVE = 0.8, 0.667  # Krippendorff's own customary limits (Content Analysis, 2004, p. 241)


@dataclass(frozen=True)
class PairAgreement:
    """Two annotators on the samples that both labeled."""

    first: str
    second: str
    samples: int
    same: int  # samples to which both gave the same class
    kappa: float | None  # Cohen's; None where both gave one class only: chance alone would agree as well


@dataclass(frozen=True)
class Agreement:
    """All annotators on all samples that two or more labeled."""

    samples: int
    unanimous: int  # samples on which all who labeled them agree
    annotators: int
    alpha: float | None  # Krippendorff's, nominal; None where only one class was ever given
    pairs: tuple[PairAgreement, ...]  # with at least one sample in common, most samples first


def agreement(votes: Sequence[Vote]) -> Agreement:
    """Measure agreement on blind votes; a sample needs two of them to count."""
    by_sample = defaultdict[int, dict[str, int]](dict)
    for vote in votes:
        by_sample[vote.sample_id][vote.annotator] = vote.class_index
    shared = {sample_id: given for sample_id, given in by_sample.items() if len(given) > 1}
    names = sorted({name for given in shared.values() for name in given})
    pairs = [pair for names_2 in combinations(names, 2) if (pair := _pair(*names_2, shared)) is not None]
    return Agreement(
        samples=len(shared),
        unanimous=sum(len(set(given.values())) == 1 for given in shared.values()),
        annotators=len(names),
        alpha=_alpha(names, shared),
        pairs=tuple(sorted(pairs, key=lambda pair: (-pair.samples, pair.first, pair.second))),
    )


def alpha_words(alpha: float | None) -> str:
    """What an alpha means, in a sentence."""
    if alpha is None:
        return "Only one class was given so far, so agreement cannot be told from chance."
    if alpha >= RELIABLE:
        return f"{RELIABLE} and above: the labels are reliable."
    if alpha >= TENTATIVE:
        return f"From {TENTATIVE} to {RELIABLE}: good for tentative conclusions only; look at what is disputed."
    return f"Below {TENTATIVE}: the annotators do not mean the same by the classes; talk about the disputed samples."


def _pair(first: str, second: str, shared: Mapping[int, Mapping[str, int]]) -> PairAgreement | None:
    both = [(given[first], given[second]) for given in shared.values() if first in given and second in given]
    if not both:
        return None
    kappa = _kappa(both) if len({given for pair in both for given in pair}) > 1 else None
    return PairAgreement(first, second, len(both), sum(one == other for one, other in both), kappa)


def _kappa(both: Sequence[tuple[int, int]]) -> float:
    from sklearn.metrics import cohen_kappa_score

    ones, others = zip(*both, strict=True)
    return float(cohen_kappa_score(ones, others))


def _alpha(names: Sequence[str], shared: Mapping[int, Mapping[str, int]]) -> float | None:
    if len({given for votes in shared.values() for given in votes.values()}) < 2:
        return None
    import krippendorff

    table = np.array([[given.get(name, np.nan) for given in shared.values()] for name in names], dtype=float)
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))
