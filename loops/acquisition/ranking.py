"""From scores to the order in which samples are asked: the query's ranking, audit samples mixed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loops.acquisition.choosing import choose
from loops.acquisition.cold_start import diverse
from loops.acquisition.functions import random_scores, rank
from loops.acquisition.vaal import vaal_cold_start
from loops.oracle import Answers, PoolScores, RankedSample
from loops.predictors.predictor import Predictor
from loops.seeding import hash_of_ids, seed_of

RECHECK_SHARE = 0.05  # of what is shown, while there are suspected labels
COLD_START_CANDIDATES = (
    50_000  # samples, drawn uniformly; clusters of more are not found more surely, and need gigabytes
)


def model_ranking(
    answers: Answers, pool_scores: PoolScores, size: int, acquisition: str, seed: int, predictor: Predictor
) -> list[RankedSample]:
    """Ranks the pool by the acquisition function, highest score first; see `choose`.

    Scores may cover audit samples too; only `answers.pool` is ranked, by id.
    """
    if acquisition == "random":
        sample_ids = pool_scores.sample_ids[np.isin(pool_scores.sample_ids, answers.pool)]
        return _random_ranking(sample_ids, size, seed_of(seed, "random", answers.round_number))
    return choose(answers, pool_scores, size, acquisition, seed, predictor)


def cold_start_ranking(
    answers: Answers,
    embedding: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    size: int,
    kind: str,
    seed: int,
) -> list[RankedSample]:
    """Ranks the pool without a model: typical samples of diverse clusters, strangers to one another, or at random.

    Args:
        answers: Gives the pool.
        embedding: Sample ids -> their features, row by row.
        size: Length of the ranking.
        kind: `diverse`, `random` or `vaal`.
        seed: Of the project.
    """
    if kind == "random":
        return _random_ranking(answers.pool, size, seed_of(seed, "random", answers.round_number))
    choose = vaal_cold_start if kind == "vaal" else diverse
    drawn = np.argsort(hash_of_ids(answers.pool, seed_of(seed, "candidates")))[:COLD_START_CANDIDATES]
    candidates = answers.pool[np.sort(drawn)]
    chosen = choose(candidates, embedding(candidates), size, seed_of(seed, "cold start", answers.round_number))
    return [RankedSample(sample_id, "train", -float(place), 1.0) for place, sample_id in enumerate(chosen.tolist())]


def second_looks(answers: Answers, size: int) -> list[RankedSample]:
    """The most suspicious labels, to be asked once more, blind; at most one in twenty of a ranking of that size."""
    most = sorted(answers.suspects.items(), key=lambda suspect: (-suspect[1], suspect[0]))
    wanted = max(1, round(RECHECK_SHARE * size))
    return [RankedSample(sample_id, "recheck", suspicion, 1.0) for sample_id, suspicion in most[:wanted]]


def with_others_mixed_in(
    ranking: Sequence[RankedSample], answers: Answers, audit_share: float, seed: int
) -> tuple[RankedSample, ...]:
    """Mixes audit samples and second looks in at random places, where nothing on screen tells them apart.

    About `audit_share` of what people see is an audit sample. They come in the drawing order of the reserve, whatever
    the model thinks of them; those that are left when the ranking has ended follow only if there is nothing else to
    ask.
    """
    generator = np.random.default_rng(seed_of(seed, "audit", answers.round_number))
    reserve, probability = deque(answers.audit_pool.tolist()), 1.0 / max(1, len(answers.audit_pool))
    rechecks = deque(second_looks(answers, len(ranking)))
    mixed: list[RankedSample] = []
    for ranked in ranking:
        while reserve and generator.random() < audit_share:
            mixed.append(RankedSample(reserve.popleft(), "audit", 0.0, probability))
        if rechecks and generator.random() < RECHECK_SHARE:
            mixed.append(rechecks.popleft())
        mixed.append(ranked)
    if mixed:
        return tuple(mixed)
    return (*(RankedSample(sample_id, "audit", 0.0, probability) for sample_id in reserve), *rechecks)


def _random_ranking(sample_ids: NDArray[np.int64], size: int, seed: int) -> list[RankedSample]:
    scores = random_scores(sample_ids, seed=seed)
    ranked = _ranked(sample_ids, scores, size, seed, probability=1.0)
    # Of being drawn next, given what was drawn before: that is what LURE levels.
    return [replace(sample, acquisition_probability=1 / (len(sample_ids) - i)) for i, sample in enumerate(ranked)]


def _ranked(
    sample_ids: NDArray[np.int64], scores_N: NDArray[np.float32], size: int, seed: int, *, probability: float
) -> list[RankedSample]:
    chosen = rank(sample_ids, scores_N, size, seed=seed)
    among = np.isin(sample_ids, chosen)
    score_of = dict(zip(sample_ids[among].tolist(), scores_N[among].tolist(), strict=True))
    return [RankedSample(sample_id, "train", score_of[sample_id], probability) for sample_id in chosen.tolist()]
