"""Which samples go on one grid: the surest of one class, or before the first model a tight group of the map."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.project.scores import Floats, Ids, RoundScores

SUREST = 0.99  # the same where all classes are taken together: less of it is wrong, and it is still most of a pool
SURE = 0.9  # mean probability from which a class counts as confident
# Below it no sample is in a model's grid: at 28 to 50 % one key was sixteen wrong labels. Of 260 digits after 40 labels
# 176 had at least as much, and 99.4 % of these were right; none had 80 %, so more would be no grid at all.
LEAST = 0.6
ENOUGH = 400  # members: with more, judging some of them and labeling the rest saves most of the work
_SEEDS = 200  # middles tried for a group; the map has up to 3,000 samples


@dataclass(frozen=True)
class Candidates:
    """Samples for one grid, best first; more than the grid holds, for some may be on another person's screen."""

    class_index: int | None  # None: a group, whose class the person says
    sample_ids: Ids
    doubt_N: Floats  # the grid shows the highest first: 1 - probability of the class; distance from the group's middle


@dataclass(frozen=True)
class OpenPool:
    """The model's answers for the samples nobody has decided on."""

    sample_ids: Ids
    predicted_N: NDArray[np.int64]  # class index
    confidence_N: Floats  # mean probability of the predicted class


def open_pool(scores: RoundScores, *, leave_out: AbstractSet[int]) -> OpenPool:
    """Take decided samples, and those shown or passed over, out of a round's scores."""
    kept_N = ~np.isin(scores.sample_ids, np.fromiter(leave_out, np.int64, len(leave_out)))
    return OpenPool(scores.sample_ids[kept_N], scores.predicted_N[kept_N], scores.confidence_N[kept_N])


def without_classes(pool: OpenPool, classes: AbstractSet[int]) -> OpenPool:
    """Leave out what is taken for one of some classes."""
    kept_N = ~np.isin(pool.predicted_N, np.fromiter(classes, np.int64, len(classes)))
    return OpenPool(pool.sample_ids[kept_N], pool.predicted_N[kept_N], pool.confidence_N[kept_N])


def sure_enough(pool: OpenPool) -> OpenPool:
    """What may be confirmed many at once."""
    kept_N = pool.confidence_N >= LEAST
    return OpenPool(pool.sample_ids[kept_N], pool.predicted_N[kept_N], pool.confidence_N[kept_N])


def sure_per_class(pool: OpenPool, classes: int) -> list[int]:
    """Count the confident samples of each class."""
    sure_N = pool.predicted_N[pool.confidence_N >= SURE]
    return [int(count) for count in np.bincount(sure_N, minlength=classes)]


def class_to_offer(pool: OpenPool, classes: int) -> int | None:
    """The class with most confident samples, else with most samples; the first of equals, None when none is left."""
    if not len(pool.sample_ids):
        return None
    everything = np.bincount(pool.predicted_N, minlength=classes)
    sure = np.asarray(sure_per_class(pool, classes))
    return int(np.lexsort((-everything, -sure))[0])


def surest(pool: OpenPool, class_index: int, *, at_most: int) -> Candidates:
    """The samples the model is surest of being of a class, by falling probability, equal ones by id."""
    rows_N = np.flatnonzero(pool.predicted_N == class_index)
    order = np.lexsort((pool.sample_ids[rows_N], -pool.confidence_N[rows_N]))[:at_most]
    chosen = rows_N[order]
    return Candidates(class_index, pool.sample_ids[chosen], 1.0 - pool.confidence_N[chosen])


def group_of_class(pool: OpenPool, class_index: int) -> Ids:
    """The samples that the model takes for a class: those it is sure of where they are a group, else all it may be."""
    of_class_N = pool.predicted_N == class_index
    sure_N = of_class_N & (pool.confidence_N >= SURE)
    least_N = of_class_N & (pool.confidence_N >= LEAST)
    members: Ids = pool.sample_ids[sure_N if int(sure_N.sum()) >= ENOUGH else least_N]
    return members


def group_of_all(pool: OpenPool, retired: AbstractSet[int]) -> OpenPool:
    """The samples whose class the model is sure of, whichever it is; none where these are too few for a group."""
    asked_N = ~np.isin(pool.predicted_N, np.fromiter(retired, np.int64, len(retired)))
    for least in (SUREST, SURE, LEAST):
        kept_N = asked_N & (pool.confidence_N >= least)
        if int(kept_N.sum()) >= ENOUGH:
            break
    else:
        kept_N = np.zeros(len(pool.sample_ids), np.bool_)
    return OpenPool(pool.sample_ids[kept_N], pool.predicted_N[kept_N], pool.confidence_N[kept_N])


def tightest_group(sample_ids: Ids, points_N_2: Floats, *, size: int, at_most: int) -> Candidates | None:
    """The samples that lie closest together on the map, from the middle outwards; None when none is left.

    Of up to 200 samples tried as the middle it takes the one whose ``size`` nearest fit into the smallest circle.
    """
    if not len(sample_ids):
        return None
    tried = np.unique(np.linspace(0, len(sample_ids) - 1, _SEEDS).astype(int))
    distances = np.linalg.norm(points_N_2[tried, None, :] - points_N_2[None, :, :], axis=2)
    edge = min(size, len(sample_ids)) - 1
    distance_N = distances[np.partition(distances, edge, axis=1)[:, edge].argmin()]
    order = np.lexsort((sample_ids, distance_N))[:at_most]
    return Candidates(None, sample_ids[order], distance_N[order])
