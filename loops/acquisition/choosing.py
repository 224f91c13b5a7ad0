"""From scores to a ranking that is good as a set: without near duplicates, together informative, or drawn by lot.

Each way to rank is a function of a `Choice`; which acquisition function ranks how, the catalog says.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from loops.acquisition import catalog
from loops.acquisition.badge import badge_draws, gradient_norms
from loops.acquisition.batch_bald import batch_bald
from loops.acquisition.catalog import EPISTEMIC, AcquisitionFunction
from loops.acquisition.epig import TARGETS, balanced_targets, epig
from loops.acquisition.functions import bald, random_scores, rank
from loops.acquisition.near_duplicates import Ids, NearDuplicates, sketches_of
from loops.acquisition.own import Scorer, scorer_of
from loops.acquisition.power_bald import power_draws
from loops.acquisition.vaal import StoredRows, vaal_scores
from loops.oracle import Answers, PoolScores, RankedSample
from loops.predictors.predictor import Predictor
from loops.seeding import hash_of_ids, seed_of

JOINT_DRAWS = 100  # K of the functions that look at samples together: K draws can tell no more than ln K nats
OWN_DRAWS = 20  # K that somebody's own function is shown
_CANDIDATES = 10_000  # best by BALD, of which those functions choose
_DRAWS_HELD = 1 << 26  # numbers N*C*K held at once: 256 MB; with very many classes there are fewer candidates

_log = logging.getLogger(__name__)

Scores = NDArray[np.float32]
Chosen = tuple[list[RankedSample], Scores]  # the ranking, and scores_N of the whole choice


@dataclass(frozen=True)
class Choice:
    """All that a function may look at."""

    sample_ids: Ids  # `[N]`, the pool
    pool_scores: PoolScores  # of the same samples, row by row
    size: int  # of the ranking
    round_number: int
    seed: int  # of the project
    predictor: Predictor
    acquisition: AcquisitionFunction
    labels: Mapping[int, int] = field(default_factory=dict)  # sample id -> class index, what was trained on

    @property
    def draw_seed(self) -> int:
        """Seed of this round's draws and ties."""
        return seed_of(self.seed, "choice", self.round_number)

    @cached_property
    def duplicates(self) -> NearDuplicates:
        """Which samples of the pool look nearly the same."""
        return NearDuplicates(self.sample_ids, self.predictor.embedding)

    def draws(self, sample_ids: Ids, count: int = JOINT_DRAWS) -> torch.Tensor:
        """Class probabilities `[N, C, K]` under the same K draws whatever samples are asked about."""
        return torch.from_numpy(self.predictor.draws(sample_ids, count=count, round_number=self.round_number))

    def candidates(self) -> NDArray[np.int64]:
        """Positions of the best by BALD, in the order of the pool."""
        classes = self.pool_scores.probs_N_C.shape[1]
        most = max(self.size, min(_CANDIDATES, _DRAWS_HELD // (classes * JOINT_DRAWS)))
        best = rank(self.sample_ids, self.pool_scores.scores[EPISTEMIC], most, seed=self.draw_seed)
        return np.flatnonzero(np.isin(self.sample_ids, best))


def choose(
    answers: Answers,
    pool_scores: PoolScores,
    size: int,
    acquisition: AcquisitionFunction,
    seed: int,
    predictor: Predictor,
) -> list[RankedSample]:
    """Ranks the pool; of samples that look nearly the same, one is asked and the others wait for another round.

    Args:
        answers: Gives the pool, the labels and the round.
        pool_scores: Of at least the pool; gets the scores of functions that are computed only now.
        size: Length of the ranking.
        acquisition: Of the catalog, or somebody's own.
        seed: Of the project.
        predictor: Of the round.
    """
    in_pool = np.isin(pool_scores.sample_ids, answers.pool)
    if not in_pool.any():  # audit samples and second looks are all that is left
        pool_scores.scores.setdefault(acquisition.name, np.zeros(len(in_pool), np.float32))
        return []
    choice = Choice(
        sample_ids=pool_scores.sample_ids[in_pool],
        pool_scores=_of(pool_scores, in_pool),
        size=min(size, int(in_pool.sum())),
        round_number=answers.round_number,
        seed=seed,
        predictor=predictor,
        acquisition=acquisition,
        labels=answers.labels,
    )
    ranking, scores_N = ranked_by(acquisition, choice)
    if acquisition.name not in pool_scores.scores:
        pool_scores.scores[acquisition.name] = np.zeros(len(in_pool), np.float32)
        pool_scores.scores[acquisition.name][in_pool] = scores_N
    return ranking


def ranked_by(acquisition: AcquisitionFunction, choice: Choice) -> Chosen:
    """The ranking by one acquisition function, and `scores_N` of the whole choice."""
    if not acquisition.scores_one_by_one:
        chosen: Chosen = acquisition.load()(choice)
        return chosen
    scores_N = choice.pool_scores.scores.get(acquisition.name)
    if scores_N is None:
        scores_N = _own_scores(acquisition, choice)
    return _best(choice, scores_N), scores_N


def _own_scores(acquisition: AcquisitionFunction, choice: Choice) -> Scores:
    """By somebody's own function, which is shown the pool at once; of a very large one as much as fits in memory."""
    most = _DRAWS_HELD // (choice.pool_scores.probs_N_C.shape[1] * OWN_DRAWS)
    shown = np.sort(np.argsort(hash_of_ids(choice.sample_ids, choice.draw_seed))[:most])
    scores_N = np.full(len(choice.sample_ids), -np.inf, np.float32)
    scores_N[shown] = scorer(acquisition)(choice.draws(choice.sample_ids[shown], OWN_DRAWS).numpy())
    return np.maximum(scores_N, scores_N[shown].min())


def scorer(acquisition: AcquisitionFunction) -> Scorer:
    """From `probs_N_C_K` to `scores_N`, of a function that scores a sample by itself.

    Raises:
        OwnCodeError: If somebody's own cannot be imported or used.
    """
    found = acquisition.load()
    if acquisition.own:
        return scorer_of(found, acquisition.name)
    return lambda probs_N_C_K: found(torch.from_numpy(probs_N_C_K)).numpy()


def by_own_questions(choice: Choice) -> Chosen:
    """As the predictor itself asks; where it has no questions of its own, by the function that suits it."""
    asked = choice.predictor.questions(choice.sample_ids, choice.size, coverage=choice.acquisition.coverage)
    if asked is None:
        return ranked_by(catalog.find(choice.predictor.describe().asks_by), choice)
    ranking = [
        RankedSample(sample_id, "train", score, 1.0)
        for sample_id, score in zip(asked.sample_ids.tolist(), asked.scores.tolist(), strict=True)
    ]
    return ranking, choice.predictor.gains(choice.sample_ids)


def at_random(choice: Choice) -> Chosen:
    """Any sample, each as likely as any other."""
    seed = seed_of(choice.seed, "random", choice.round_number)
    return random_ranking(choice.sample_ids, choice.size, seed), random_scores(choice.sample_ids, seed=seed)


def random_ranking(sample_ids: Ids, size: int, seed: int) -> list[RankedSample]:
    """Samples by lot, with the probability of each draw given those before it: that is what LURE weights by."""
    scores_N = random_scores(sample_ids, seed=seed)
    score_of = dict(zip(sample_ids.tolist(), scores_N.tolist(), strict=True))
    ranked = rank(sample_ids, scores_N, size, seed=seed).tolist()
    return [RankedSample(i, "train", score_of[i], 1 / (len(sample_ids) - place)) for place, i in enumerate(ranked)]


def by_the_committees_votes(choice: Choice) -> Chosen:
    """BALD over the votes of the committee's members: doubt that other labels would have changed the answer."""
    votes = choice.predictor.draws(choice.sample_ids, count=JOINT_DRAWS, round_number=choice.round_number)
    scores_N = bald(torch.from_numpy(votes)).numpy()
    return _best(choice, scores_N), scores_N


def by_vaal(choice: Choice) -> Chosen:
    """What an adversary can tell from the labeled samples."""
    labeled = choice.predictor.embedding(np.array(sorted(choice.labels), np.int64))
    pool = StoredRows(choice.predictor.embedding, choice.sample_ids)
    scores_N = vaal_scores(labeled, pool, seed=seed_of(choice.seed, "vaal", choice.round_number))
    return _best(choice, scores_N), scores_N


def _of(pool_scores: PoolScores, in_pool: NDArray[np.bool_]) -> PoolScores:
    return PoolScores(
        pool_scores.sample_ids[in_pool],
        {name: scores_N[in_pool] for name, scores_N in pool_scores.scores.items()},
        pool_scores.probs_N_C[in_pool],
    )


def _best(choice: Choice, scores_N: NDArray[np.float32]) -> list[RankedSample]:
    ranked = choice.duplicates.apart(rank(choice.sample_ids, scores_N, seed=choice.draw_seed), choice.size)
    return _ranking(choice, ranked, scores_N, np.ones(len(ranked)))


def by_power_bald(choice: Choice) -> Chosen:
    """Drawn by lot, each sample in proportion to its BALD."""
    scores_N = choice.pool_scores.scores[EPISTEMIC]
    ranked, probabilities = power_draws(
        choice.sample_ids, scores_N, choice.size, seed=choice.draw_seed, duplicates=choice.duplicates
    )
    return _ranking(choice, ranked, scores_N, probabilities), scores_N


def by_batch_bald(choice: Choice) -> Chosen:
    """What tells most when labeled together."""
    positions = choice.candidates()
    candidate_ids = choice.sample_ids[positions]
    chosen = batch_bald(
        choice.draws(candidate_ids),
        choice.size,
        seed=choice.draw_seed,
        not_with=_near_duplicates_of(candidate_ids, choice.duplicates),
    )
    for place in chosen.parts[:1]:
        _log.info("%d draws tell at most %.2f nats: used up by %d samples", JOINT_DRAWS, math.log(JOINT_DRAWS), place)
    scores_N = choice.pool_scores.scores[EPISTEMIC]
    ranked = _filled_up(choice, candidate_ids[chosen.positions], scores_N)
    return _ranking(choice, ranked, scores_N, np.ones(len(ranked))), scores_N


def by_badge(choice: Choice) -> Chosen:
    """Drawn such that their labels would change the model in different directions."""
    features_N_D = sketches_of(choice.sample_ids, choice.predictor.features)
    probs_N_C = choice.pool_scores.probs_N_C
    positions, probabilities = badge_draws(
        choice.sample_ids,
        features_N_D,
        probs_N_C,
        choice.size,
        seed=choice.draw_seed,
        not_with=_near_duplicates_of(choice.sample_ids, choice.duplicates),
    )
    scores_N = gradient_norms(features_N_D, probs_N_C).astype(np.float32)
    ranked = _filled_up(choice, choice.sample_ids[positions], scores_N)
    certain = [1.0] * (len(ranked) - len(positions))
    return _ranking(choice, ranked, scores_N, np.array([*probabilities, *certain])), scores_N


def by_epig(choice: Choice) -> Chosen:
    """What would change the predictions for samples of every predicted class."""
    positions = choice.candidates()
    targets = balanced_targets(choice.sample_ids, choice.pool_scores.probs_N_C, TARGETS, seed=choice.draw_seed)
    scores_N = np.zeros(len(choice.sample_ids), np.float32)
    scores_N[positions] = epig(choice.draws(choice.sample_ids[positions]), choice.draws(targets))
    return _best(choice, scores_N), scores_N


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
    ranked = rank(choice.sample_ids, scores_N, seed=choice.draw_seed)
    rest = ranked[~np.isin(ranked, chosen)]
    return np.concatenate([chosen, rest[: choice.size - len(chosen)]])


def _near_duplicates_of(sample_ids: Ids, duplicates: NearDuplicates) -> Callable[[int], NDArray[np.bool_]]:
    sketches = duplicates.sketches(sample_ids)
    return lambda position: duplicates.near(sketches, sketches[position : position + 1])[:, 0]
