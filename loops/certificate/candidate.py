"""A candidate: a predictor's answers for all that is left, and the order in which audit samples are drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from loops.certificate.belief import OLD_WEIGHT, Belief
from loops.certificate.stakes import best_stakes, growth
from loops.seeding import hash_of_ids

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

SKIPPED = -1  # in place of a label: an answer no predictor gives
# Bins of samples with about the same doubt, by rank; finer where the doubt is great, which is where the errors are.
_EDGES = np.array([0, 0.005, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.28, 0.35, 0.45, 0.6, 0.8, 1])
FLOOR = 0.25  # of the mean weight, for every sample: where the predictor is sure, its errors are the ones nobody knows


@dataclass(frozen=True)
class PoolAnswers:
    """What a predictor answers for N samples."""

    sample_ids: Ids
    predicted_N: NDArray[np.int64]  # class index
    doubt_N: Floats  # 1 - the probability of the answer

    @classmethod
    def of(cls, sample_ids: Ids, probs_N_C: NDArray[np.float32]) -> PoolAnswers:
        """The answers that class probabilities give, with their doubt."""
        return cls(sample_ids, probs_N_C.argmax(axis=1), 1.0 - probs_N_C.max(axis=1).astype(float))


@dataclass(frozen=True)
class Known:
    """M labels given before: how a predictor that was not trained on them answered those samples."""

    rank_M: Floats = field(default_factory=lambda: np.empty(0))  # of its doubt, 0: as great as any in the pool, 1: none
    wrong_M: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))


@dataclass(frozen=True)
class Candidate:
    """Fixed when it is made; N samples, in B bins by doubt."""

    round_number: int  # whose predictor it is
    seed: int  # of the order of the draws
    sample_ids: Ids  # `[N]`, ascending
    predicted_N: NDArray[np.int64]  # class index
    bin_N: NDArray[np.int64]
    weight_B: Floats  # a sample's chance of being drawn is in proportion to it
    known: Known = field(default_factory=Known)
    draws_before: int = 0  # of the candidate before, when this one took its place

    def __len__(self) -> int:
        """N."""
        return len(self.sample_ids)

    @cached_property
    def counts(self) -> Floats:
        """`[B]`, samples in each bin."""
        return np.bincount(self.bin_N, minlength=len(_EDGES) - 1).astype(float)

    @cached_property
    def order(self) -> Ids:
        """`[N]` rows, in the order in which they are drawn."""
        uniform_N = (hash_of_ids(self.sample_ids, self.seed).astype(np.float64) + 0.5) / 2.0**64
        drawn: Ids = np.argsort(-np.log(uniform_N) / self.weight_B[self.bin_N], kind="stable")
        return drawn

    @cached_property
    def chances(self) -> Floats:
        """`[N]`, of each draw in their order, given those before it."""
        weight_N = self.weight_B[self.bin_N[self.order]]
        chances_N: Floats = weight_N / weight_N[::-1].cumsum()[::-1]
        return chances_N

    @cached_property
    def row_of(self) -> dict[int, int]:
        """Row by sample id."""
        return {sample_id: row for row, sample_id in enumerate(self.sample_ids.tolist())}

    def belief(self) -> Belief:
        """What is believed of its errors before the first draw."""
        belief = Belief((_EDGES[1:] + _EDGES[:-1]) / 2)
        belief.see(_bins_of(self.known.rank_M), self.known.wrong_M.tolist(), OLD_WEIGHT)
        return belief

    def rank(self, row: int) -> float:
        """The rank of its doubt about a sample, 0..1; 0: as great as any."""
        return float((_EDGES[self.bin_N[row]] + _EDGES[self.bin_N[row] + 1]) / 2)

    def is_wrong(self, row: int, label: int) -> bool:
        """Whether its answer differs from the label; a skip, -1, is no answer it could have given."""
        return int(self.predicted_N[row]) != label

    def restricted(self, keep_N: NDArray[np.bool_]) -> Candidate:
        """The same draws, of a part of the samples alone."""
        return Candidate(
            self.round_number, self.seed, self.sample_ids[keep_N], self.predicted_N[keep_N], self.bin_N[keep_N],
            self.weight_B,
        )  # fmt: skip


def make_candidate(
    answered: PoolAnswers,
    *,
    round_number: int,
    seed: int,
    target: float,
    known: Known | None = None,
    draws_before: int = 0,
) -> Candidate:
    """Fixes the answers, and the weights with which audit samples are drawn: more where an error is likelier.

    Args:
        answered: For all that is left.
        round_number: Of the predictor.
        seed: Of the draws; another one for each candidate.
        target: Share to be proven, 0..1: the weights suit it best.
        known: Answers for samples that were labeled before.
        draws_before: Of the candidate that it replaces.
    """
    by_id = np.argsort(answered.sample_ids, kind="stable")
    ids, answers_N = answered.sample_ids[by_id], answered.predicted_N[by_id]
    doubts_N = np.asarray(answered.doubt_N, float)[by_id]
    rank_N = np.empty(len(ids))
    rank_N[np.argsort(-doubts_N, kind="stable")] = (np.arange(len(ids)) + 0.5) / max(1, len(ids))
    bin_N = _bins_of(rank_N)
    plain = Candidate(round_number, seed, ids, answers_N, bin_N, np.ones(len(_EDGES) - 1), known or Known())
    counts_B = plain.counts
    belief = plain.belief()
    likely = float(counts_B @ belief.wrong())
    most = min(max((1.0 - target) * len(ids) + 1.0, 1.3 * likely), 0.9 * len(ids))
    wrong_1_B = belief.wrong_if(np.array([0.6 * most]), counts_B)
    stakes = best_stakes(wrong_1_B, counts_B, np.array([most]))
    weight_B = growth(stakes.v_K_B, wrong_1_B)[0]
    weight_B = np.maximum(weight_B, FLOOR * float(counts_B @ weight_B) / max(1, len(ids)))
    return Candidate(round_number, seed, ids, answers_N, bin_N, weight_B, known or Known(), draws_before)


def ranks_among(doubt_M: Floats, doubt_N: Floats) -> Floats:
    """`[M]`, the share of N samples whose doubt is greater."""
    ranks: Floats = 1.0 - np.searchsorted(np.sort(doubt_N), doubt_M) / max(1, len(doubt_N))
    return ranks


def _bins_of(rank_N: Floats) -> NDArray[np.int64]:
    return np.clip(np.searchsorted(_EDGES, rank_N, side="right") - 1, 0, len(_EDGES) - 2)


def changed_answers(old: Candidate, new: Candidate) -> int:
    """D: for how many of the new one's samples the old one answers otherwise; one it had no answer for counts."""
    place_N = np.minimum(np.searchsorted(old.sample_ids, new.sample_ids), len(old) - 1)
    same_N = (old.sample_ids[place_N] == new.sample_ids) & (old.predicted_N[place_N] == new.predicted_N)
    return int((~same_N).sum())


def known_errors(candidate: Candidate, labels: Mapping[int, int]) -> int:
    """How many labeled samples of the candidate it answered wrongly; of a skip nobody knows."""
    rows = ((candidate.row_of.get(sample_id), label) for sample_id, label in labels.items() if label != SKIPPED)
    return sum(row is not None and candidate.is_wrong(row, label) for row, label in rows)


def left_of(candidate: Candidate, labels: Mapping[int, int]) -> int:
    """How many of its samples nobody has labeled or skipped."""
    return len(candidate) - sum(sample_id in candidate.row_of for sample_id in labels)
