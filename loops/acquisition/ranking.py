"""From scores to the order in which samples are asked: the query's ranking, audit samples mixed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from loops.acquisition import catalog
from loops.acquisition.catalog import ColdStart, imported
from loops.acquisition.choosing import choose, random_ranking
from loops.oracle import Answers, PoolScores, RankedSample
from loops.predictors.predictor import Predictor
from loops.seeding import hash_of_ids, seed_of
from loops.settings import LoopSettings

RECHECK_SHARE = 0.05  # of what is shown, while there are suspected labels
COLD_START_CANDIDATES = (
    50_000  # samples, drawn uniformly; clusters of more are not found more surely, and need gigabytes
)


def ranking_of_round(
    answers: Answers, pool_scores: PoolScores | None, settings: LoopSettings, predictor: Predictor
) -> list[RankedSample]:
    """By the acquisition function; without a model by the predictor's own questions, or as the cold start says."""
    acquisition, start = catalog.find(settings.acquisition), catalog.COLD_STARTS[settings.cold_start]
    if pool_scores is not None:
        return choose(answers, pool_scores, settings.ranking_size, acquisition, settings.seed, predictor)
    if not len(answers.pool):  # nothing is fitted once more to ask nobody
        return []
    if acquisition.needs == "graph" and start.asks_by_graph:
        return first_questions(answers, predictor, settings.ranking_size)
    return cold_start_ranking(answers, predictor.embedding, settings.ranking_size, start, settings.seed)


def cold_start_ranking(
    answers: Answers,
    embedding: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    size: int,
    start: ColdStart,
    seed: int,
) -> list[RankedSample]:
    """Ranks the pool without a model: typical samples of diverse clusters, strangers to one another, or at random.

    Args:
        answers: Gives the pool.
        embedding: Sample ids -> their features, row by row.
        size: Length of the ranking.
        start: How they are chosen.
        seed: Of the project.
    """
    if not start.chooses:
        return random_ranking(answers.pool, size, seed_of(seed, "random", answers.round_number))
    drawn = np.argsort(hash_of_ids(answers.pool, seed_of(seed, "candidates")))[:COLD_START_CANDIDATES]
    candidates = answers.pool[np.sort(drawn)]
    chosen = imported(start.chooses)(
        candidates, embedding(candidates), size, seed_of(seed, "cold start", answers.round_number)
    )
    return [RankedSample(sample_id, "train", -float(place), 1.0) for place, sample_id in enumerate(chosen.tolist())]


def first_questions(answers: Answers, predictor: Predictor, size: int) -> list[RankedSample]:
    """What a predictor with questions of its own asks before there is a model."""
    on_it = np.concatenate([answers.pool, answers.audit_pool])
    predictor.review(answers.labels, pool=on_it, begins=True)
    predictor.fit(answers.labels, round_number=answers.round_number)
    asked = predictor.questions(answers.pool, size, coverage=False)
    if asked is None:
        return []
    pairs = zip(asked.sample_ids.tolist(), asked.scores.tolist(), strict=True)
    return [RankedSample(sample_id, "train", score, 1.0) for sample_id, score in pairs]


def second_looks(answers: Answers, size: int) -> list[RankedSample]:
    """The most suspicious labels, to be asked once more, blind; at most one in twenty of a ranking of that size."""
    most = sorted(answers.suspects.items(), key=lambda suspect: (-suspect[1], suspect[0]))
    wanted = max(1, round(RECHECK_SHARE * size))
    return [RankedSample(sample_id, "recheck", suspicion, 1.0) for sample_id, suspicion in most[:wanted]]


def with_others_mixed_in(
    ranking: Sequence[RankedSample], answers: Answers, audit_share: float, seed: int, draws: Sequence[RankedSample] = ()
) -> tuple[RankedSample, ...]:
    """Mixes audit samples and second looks in at random places, where nothing on screen tells them apart.

    About `audit_share` of what people see is an audit sample: the certificate's draws in their order, or else those of
    the reserve in theirs, whatever the model thinks of them. Those that are left when the ranking has ended follow only
    if there is nothing else to ask. A sample that is both drawn and ranked is asked once, as what comes first: of a
    small pool all that is left is drawn, and learning goes on there too.
    """
    generator = np.random.default_rng(seed_of(seed, "audit", answers.round_number))
    audits = deque(draws or _of_reserve(answers))
    rechecks = deque(second_looks(answers, len(ranking)))
    mixed: dict[int, RankedSample] = {}
    for ranked in ranking:
        while audits and generator.random() < audit_share:
            audit = audits.popleft()
            mixed.setdefault(audit.sample_id, audit)
        if rechecks and generator.random() < RECHECK_SHARE:
            recheck = rechecks.popleft()
            mixed.setdefault(recheck.sample_id, recheck)
        mixed.setdefault(ranked.sample_id, ranked)
    return tuple(mixed.values()) if mixed else (*audits, *rechecks)


def _of_reserve(answers: Answers) -> list[RankedSample]:
    probability = 1.0 / max(1, len(answers.audit_pool))
    return [RankedSample(sample_id, "audit", 0.0, probability) for sample_id in answers.audit_pool.tolist()]
