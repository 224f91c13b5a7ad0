"""What a predictor does not know of a pool, from draws of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loops.acquisition.functions import score_probabilities
from loops.errors import IdenticalDrawsError, NotEnoughSamplesError
from loops.oracle import PoolScores
from loops.predictors.calibration import around
from loops.predictors.predictor import KEEP_DRAWS_UP_TO, SCORED_AT_ONCE, Floats, Predictor


def scores_of_draws(predictor: Predictor, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
    """Scores every sample from K draws, in pieces that fit in memory; see `Predictor.score`."""
    ids = np.ascontiguousarray(sample_ids, np.int64).reshape(-1)
    if not len(ids):
        raise NotEnoughSamplesError(wanted=1, found=0)
    keep = len(ids) * predictor.num_classes * predictor.mc_iterations <= KEEP_DRAWS_UP_TO
    pieces = []
    for some in np.split(ids, range(SCORED_AT_ONCE, len(ids), SCORED_AT_ONCE)):
        draws_N_C_K = predictor.draws(some, count=predictor.mc_iterations, round_number=round_number)
        is_known = predictor.answers_with_mean_of_draws
        pieces.append(_Piece.of(draws_N_C_K, mean_of(draws_N_C_K) if is_known else predictor.predict(some), keep=keep))
    if not any(piece.differ for piece in pieces):
        raise IdenticalDrawsError(f"all draws of {predictor.describe().name} agree to the last bit")
    return PoolScores(
        sample_ids=ids,
        scores=_joined([piece.scores for piece in pieces]),
        probs_N_C=np.concatenate([piece.probs_N_C for piece in pieces]),
        draws_N_C_K=np.concatenate([piece.draws for piece in pieces if piece.draws is not None]) if keep else None,
        of_answer=_joined([piece.of_answer for piece in pieces]),
    )


@dataclass(frozen=True)
class _Piece:
    """What some samples' draws say, without the draws where all of them would not fit."""

    scores: dict[str, Floats]
    of_answer: dict[str, Floats]
    probs_N_C: Floats
    draws: NDArray[np.float16] | None
    differ: bool

    @classmethod
    def of(cls, draws_N_C_K: Floats, probs_N_C: Floats, *, keep: bool) -> _Piece:
        """Scores the draws as they are, for asking; for people, moved around the answer, of which they say little."""
        moved = around(draws_N_C_K, probs_N_C)
        return cls(
            score_probabilities(draws_N_C_K),
            score_probabilities(moved),
            probs_N_C,
            moved.astype(np.float16) if keep else None,
            bool((draws_N_C_K != draws_N_C_K[..., :1]).any()),
        )


def _joined(scores: Sequence[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([piece[name] for piece in scores]) for name in scores[0]}


def mean_of(draws_N_C_K: Floats) -> Floats:
    """The mean answer, `probs_N_C`."""
    return np.asarray(draws_N_C_K.mean(axis=-1, dtype=np.float64), np.float32)
