"""From scores to a ranking that is good as a set: without near duplicates, together informative, or drawn by lot."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from loops.acquisition.badge import badge_draws, gradient_norms
from loops.acquisition.batch_bald import batch_bald
from loops.acquisition.epig import TARGETS, balanced_targets, epig
from loops.acquisition.functions import rank
from loops.acquisition.near_duplicates import Ids, NearDuplicates, sketches_of
from loops.acquisition.power_bald import power_draws
from loops.oracle import Answers, PoolScores, RankedSample
from loops.predictors.predictor import Predictor
from loops.seeding import seed_of

JOINT_DRAWS = 100  # K of the functions that look at samples together: K draws can tell no more than ln K nats
_CANDIDATES = 10_000  # best by BALD, of which those functions choose
_DRAWS_HELD = 1 << 26  # numbers N*C*K held at once: 256 MB; with very many classes there are fewer candidates

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """All that a function may look at."""

    sample_ids: Ids  # `[N]`, the pool
    pool_scores: PoolScores  # of the same samples, row by row
    size: int  # of the ranking
    round_number: int
    seed: int
    predictor: Predictor
    duplicates: NearDuplicates

    def draws(self, sample_ids: Ids) -> torch.Tensor:
        """Class probabilities `[N, C, K]` under the same K masks whatever samples are asked about."""
        probs = self.predictor.draw(sample_ids, round_number=self.round_number, mc_iterations=JOINT_DRAWS)
        return torch.from_numpy(probs)

    def candidates(self) -> NDArray[np.int64]:
        """Positions of the best by BALD, in the order of the pool."""
        classes = self.pool_scores.probs_N_C.shape[1]
        most = max(self.size, min(_CANDIDATES, _DRAWS_HELD // (classes * JOINT_DRAWS)))
        best = rank(self.sample_ids, self.pool_scores.scores["bald"], most, seed=self.seed)
        return np.flatnonzero(np.isin(self.sample_ids, best))


def choose(
    answers: Answers, pool_scores: PoolScores, size: int, acquisition: str, seed: int, predictor: Predictor
) -> list[RankedSample]:
    """Ranks the pool; of samples that look nearly the same, one is asked and the others wait for another round.

    Args:
        answers: Gives the pool, and the round.
        pool_scores: Of at least the pool; gets the scores of functions that are computed only now.
        size: Length of the ranking.
        acquisition: Name of a function.
        seed: Of the project.
        predictor: Of the round.
    """
    in_pool = np.isin(pool_scores.sample_ids, answers.pool)
    if not in_pool.any():  # audit samples and second looks are all that is left
        pool_scores.scores.setdefault(acquisition, np.zeros(len(in_pool), np.float32))
        return []
    choice = Choice(
        sample_ids=pool_scores.sample_ids[in_pool],
        pool_scores=_of(pool_scores, in_pool),
        size=min(size, int(in_pool.sum())),
        round_number=answers.round_number,
        seed=seed_of(seed, "choice", answers.round_number),
        predictor=predictor,
        duplicates=NearDuplicates(pool_scores.sample_ids[in_pool], predictor.embedding),
    )
    if acquisition not in SET_FUNCTIONS:
        return _best(choice, pool_scores.scores[acquisition][in_pool])
    ranking, scores_N = SET_FUNCTIONS[acquisition](choice)
    pool_scores.scores[acquisition] = np.zeros(len(in_pool), np.float32)
    pool_scores.scores[acquisition][in_pool] = scores_N
    return ranking


def _of(pool_scores: PoolScores, in_pool: NDArray[np.bool_]) -> PoolScores:
    return PoolScores(
        pool_scores.sample_ids[in_pool],
        {name: scores_N[in_pool] for name, scores_N in pool_scores.scores.items()},
        pool_scores.probs_N_C[in_pool],
    )


def _best(choice: Choice, scores_N: NDArray[np.float32]) -> list[RankedSample]:
    ranked = choice.duplicates.apart(rank(choice.sample_ids, scores_N, seed=choice.seed), choice.size)
    return _ranking(choice, ranked, scores_N, np.ones(len(ranked)))


def _power_bald(choice: Choice) -> tuple[list[RankedSample], NDArray[np.float32]]:
    scores_N = choice.pool_scores.scores["bald"]
    ranked, probabilities = power_draws(
        choice.sample_ids, scores_N, choice.size, seed=choice.seed, duplicates=choice.duplicates
    )
    return _ranking(choice, ranked, scores_N, probabilities), scores_N


def _batch_bald(choice: Choice) -> tuple[list[RankedSample], NDArray[np.float32]]:
    positions = choice.candidates()
    candidate_ids = choice.sample_ids[positions]
    chosen = batch_bald(
        choice.draws(candidate_ids),
        choice.size,
        seed=choice.seed,
        not_with=_near_duplicates_of(candidate_ids, choice.duplicates),
    )
    for place in chosen.parts[:1]:
        _log.info("%d draws tell at most %.2f nats: used up by %d samples", JOINT_DRAWS, math.log(JOINT_DRAWS), place)
    scores_N = choice.pool_scores.scores["bald"]
    ranked = _filled_up(choice, candidate_ids[chosen.positions], scores_N)
    return _ranking(choice, ranked, scores_N, np.ones(len(ranked))), scores_N


def _badge(choice: Choice) -> tuple[list[RankedSample], NDArray[np.float32]]:
    features_N_D = sketches_of(choice.sample_ids, lambda ids: choice.predictor.penultimate(ids)[0])
    probs_N_C = choice.pool_scores.probs_N_C
    positions, probabilities = badge_draws(
        choice.sample_ids,
        features_N_D,
        probs_N_C,
        choice.size,
        seed=choice.seed,
        not_with=_near_duplicates_of(choice.sample_ids, choice.duplicates),
    )
    scores_N = gradient_norms(features_N_D, probs_N_C).astype(np.float32)
    ranked = _filled_up(choice, choice.sample_ids[positions], scores_N)
    certain = [1.0] * (len(ranked) - len(positions))
    return _ranking(choice, ranked, scores_N, np.array([*probabilities, *certain])), scores_N


def _epig(choice: Choice) -> tuple[list[RankedSample], NDArray[np.float32]]:
    positions = choice.candidates()
    targets = balanced_targets(choice.sample_ids, choice.pool_scores.probs_N_C, TARGETS, seed=choice.seed)
    scores_N = np.zeros(len(choice.sample_ids), np.float32)
    scores_N[positions] = epig(choice.draws(choice.sample_ids[positions]), choice.draws(targets))
    return _best(choice, scores_N), scores_N


SET_FUNCTIONS: dict[str, Callable[[Choice], tuple[list[RankedSample], NDArray[np.float32]]]] = {
    "power_bald": _power_bald,
    "batch_bald": _batch_bald,
    "badge": _badge,
    "epig": _epig,
}


def _ranking(
    choice: Choice, ranked: Ids, scores_N: NDArray[np.float32], probabilities: NDArray[np.float64]
) -> list[RankedSample]:
    among = np.isin(choice.sample_ids, ranked)
    score_of = dict(zip(choice.sample_ids[among].tolist(), scores_N[among].tolist(), strict=True))
    return [
        RankedSample(sample_id, "train", score_of[sample_id], probability)
        for sample_id, probability in zip(ranked.tolist(), probabilities.tolist(), strict=True)
    ]


def _filled_up(choice: Choice, chosen: Ids, scores_N: NDArray[np.float32]) -> Ids:
    """When near duplicates left fewer than were asked for, the best of the rest follow."""
    if len(chosen) >= choice.size:
        return chosen
    ranked = rank(choice.sample_ids, scores_N, seed=choice.seed)
    rest = ranked[~np.isin(ranked, chosen)]
    return np.concatenate([chosen, rest[: choice.size - len(chosen)]])


def _near_duplicates_of(sample_ids: Ids, duplicates: NearDuplicates) -> Callable[[int], NDArray[np.bool_]]:
    sketches = duplicates.sketches(sample_ids)
    return lambda position: duplicates.near(sketches, sketches[position : position + 1])[:, 0]
