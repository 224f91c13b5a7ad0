"""BatchBALD: samples whose labels, taken together, are expected to teach the most. See docs/decisions/0010."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loops.acquisition.functions import bald
from loops.errors import IdenticalDrawsError
from loops.seeding import seed_of

OUTCOMES = 1_000  # joint outcomes of the chosen samples that are kept; more are more exact and slower
CANDIDATES = 2_000  # the best so far, of which a batch is completed once outcomes have become many
REACHED = 0.95  # of ln K: what is left to be told is less than the error of its estimate
_FEW_OUTCOMES = 30  # up to so many the whole pool is looked at
_AT_ONCE = 64  # candidates evaluated together
_TILE_NUMBERS = 1 << 20  # numbers held at once: 4 MB

Together = Callable[[int], NDArray[np.bool_]]


@dataclass(frozen=True)
class JointBatch:
    """What was chosen, in the order in which it was chosen."""

    positions: list[int]
    gains: list[float]  # nats that each added to what those before it (of its part of the batch) tell
    parts: list[int]  # where ln K was reached and the choice began anew: places in `positions`; empty: never
    evaluations: int  # of a candidate's gain; choosing without laziness takes N for each place

    @property
    def information(self) -> float:
        """Mutual information of the draws and the labels of the first part, in nats; at most ln K."""
        return sum(self.gains[: self.parts[0] if self.parts else None])


def batch_bald(
    probs_N_C_K: Tensor,
    k: int,
    *,
    seed: int = 0,
    outcomes: int = OUTCOMES,
    candidates: int = CANDIDATES,
    not_with: Together | None = None,
) -> JointBatch:
    """Chooses greedily by the information that K draws and the labels of all chosen samples have in common.

    `I(y_1, ..., y_n; w)`, Kirsch et al. 2019, arXiv:1906.08158. What a sample adds, given an outcome of those before
    it, is its BALD under draws weighted by how well they foretold that outcome; that is averaged over outcomes. All
    C^n outcomes are kept while they are few, then `outcomes` of them, the likely ones for certain (Fearnhead and
    Clifford 2003), shared by all candidates. What a sample adds never grows, so an old value bounds the new one and few
    candidates are evaluated (lazy greedy, Minoux 1978).

    K draws cannot tell more than ln K nats. When they have, the next sample would be chosen by rounding noise: the
    choice begins anew among those that are left, and `parts` says where.

    Args:
        probs_N_C_K: Class probabilities; the same K draws for all samples.
        k: How many to choose; more than N: all.
        seed: Of the outcomes that are kept.
        outcomes: How many, at most.
        candidates: How many are considered once outcomes are more than thirty, and when the choice begins anew.
        not_with: Position -> `[N]`, true for what must not be in one batch with it, because it is nearly the same.

    Raises:
        IdenticalDrawsError: If no draw differs from another.
    """
    state = _Choice(probs_N_C_K, seed=seed, outcomes=outcomes, candidates=max(candidates, 10 * k))
    for _ in range(min(k, len(probs_N_C_K))):
        if state.open_N.any():
            state.add(state.best(), not_with)
    return JointBatch(state.positions, state.gains, state.parts, state.evaluations)


class _Choice:
    """A batch in the making."""

    def __init__(self, probs_N_C_K: Tensor, *, seed: int, outcomes: int, candidates: int) -> None:
        self._probs, self._candidates = probs_N_C_K, candidates
        self._bald_N, self._expected_N = _entropies(probs_N_C_K)
        if float(self._bald_N.max()) <= 0.0:
            raise IdenticalDrawsError("no draw tells anything that another does not")
        self.open_N = np.ones(len(probs_N_C_K), np.bool_)
        self.positions: list[int] = []
        self.gains: list[float] = []
        self.parts: list[int] = []
        self.evaluations = 0
        self._most = math.log(probs_N_C_K.shape[2])
        self._seed, self._limit = seed, outcomes
        self._begin()

    def _begin(self) -> None:
        self._outcomes = Outcomes(self._probs.shape[2], self._limit, seed_of(self._seed, len(self.positions)))
        self._bounds_N = np.where(self.open_N, self._bald_N, -np.inf)
        self._screened = False
        self._information = 0.0
        if self.parts:
            self._screen()

    def best(self) -> int:
        """The position that adds most; an old gain is an upper bound of the new one, so few are evaluated."""
        if len(self._outcomes) > _FEW_OUTCOMES and not self._screened:
            self._screen()
        fresh_N = np.zeros(len(self._bounds_N), np.bool_)
        best, highest = -1, -np.inf
        while True:
            stale_N = np.where(fresh_N, -np.inf, self._bounds_N)
            some = np.argpartition(-stale_N, min(_AT_ONCE, len(stale_N)) - 1)[:_AT_ONCE]
            some = some[np.isfinite(stale_N[some])]
            if not len(some) or stale_N[some].max() <= highest:
                return best
            self._bounds_N[some] = self._gains(some)
            fresh_N[some] = True
            top = int(some[np.lexsort((some, -self._bounds_N[some]))[0]])
            if self._bounds_N[top] > highest:
                best, highest = top, float(self._bounds_N[top])

    def add(self, position: int, not_with: Together | None) -> None:
        """Chooses a position; begins anew when the draws have told all they can."""
        self.positions.append(position)
        self.gains.append(max(0.0, float(self._bounds_N[position])))
        self._information += self.gains[-1]
        self.open_N[position] = False
        if not_with is not None:
            self.open_N &= ~not_with(position)
        self._bounds_N[~self.open_N] = -np.inf
        self._outcomes.add(self._probs[position].float())
        if self._information >= REACHED * self._most:
            self.parts.append(len(self.positions))
            self._begin()

    def _screen(self) -> None:
        order = np.argsort(-self._bounds_N, kind="stable")
        self._bounds_N[order[self._candidates :]] = -np.inf
        self._screened = True

    def _gains(self, positions: NDArray[np.int64]) -> NDArray[np.float64]:
        self.evaluations += len(positions)
        entropies = self._outcomes.entropies(self._probs[torch.from_numpy(positions)].float())
        return entropies - self._expected_N[positions]


class Outcomes:
    """Joint outcomes of samples whose labels are not known yet: how likely each is, and which draws foretold it.

    Args:
        draws: K.
        limit: How many are kept.
        seed: Of which are kept.
    """

    def __init__(self, draws: int, limit: int, seed: int) -> None:
        self._weights_M = torch.ones(1, dtype=torch.float64)
        self._posterior_M_K = torch.full((1, draws), 1.0 / draws)
        self._limit = limit
        self._generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        """M."""
        return len(self._weights_M)

    def add(self, probs_C_K: Tensor) -> None:
        """Each outcome has C continuations now."""
        joint_M_C_K = self._posterior_M_K[:, None, :] * probs_C_K
        likelihood_M_C = joint_M_C_K.sum(-1)
        weights = (self._weights_M[:, None] * likelihood_M_C).flatten()
        kept = torch.nonzero(weights > 0).flatten()
        weights = weights[kept]
        if len(weights) > self._limit:
            chosen, weights = _thinned(weights, self._limit, float(torch.rand((), generator=self._generator)))
            kept = kept[chosen]
        self._weights_M = weights / weights.sum()
        self._posterior_M_K = (joint_M_C_K / likelihood_M_C[..., None]).flatten(0, 1)[kept]

    def entropies(self, probs_T_C_K: Tensor) -> NDArray[np.float64]:
        """Expected entropy of each candidate's label once the outcome is known, `[T]`, in nats."""
        candidates, classes, draws = probs_T_C_K.shape
        rows = max(1, _TILE_NUMBERS // (len(self) * classes))
        weights_M = self._weights_M.float()
        parts = []
        for tile in torch.split(probs_T_C_K, rows):
            predicted_M_TC = self._posterior_M_K @ tile.reshape(-1, draws).T
            nats_TC = weights_M @ predicted_M_TC.clamp_min_(1e-30).log().mul_(predicted_M_TC)
            parts.append(-nats_TC.reshape(-1, classes).sum(1))
        entropies: NDArray[np.float64] = torch.cat(parts).double().numpy()
        assert len(entropies) == candidates
        return entropies


def _thinned(weights_M: Tensor, limit: int, shift: float) -> tuple[Tensor, Tensor]:
    """Keeps `limit` of M weights: the heavy as they are, light ones drawn in proportion, with one weight for all."""
    heavy_first, order = weights_M.sort(descending=True)
    left = heavy_first.flip(0).cumsum(0).flip(0)
    places = torch.arange(len(weights_M))
    heavy = int(torch.nonzero(heavy_first * (limit - places) <= left)[0])
    common = float(left[heavy]) / (limit - heavy)
    steps = torch.floor(heavy_first[heavy:].cumsum(0) / common + shift)
    drawn = torch.nonzero(torch.diff(steps, prepend=steps.new_zeros(1)) > 0).flatten() + heavy
    chosen = torch.cat([order[:heavy], order[drawn]])
    return chosen, torch.cat([heavy_first[:heavy], heavy_first.new_full((len(drawn),), common)])


def _entropies(probs_N_C_K: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """BALD and expected entropy, tile by tile."""
    rows = max(1, _TILE_NUMBERS // probs_N_C_K[0].numel())
    scores, expected = [], []
    for tile in torch.split(probs_N_C_K, rows):
        probs = tile.float()
        scores.append(bald(probs))
        expected.append(-(probs.clamp_min(1e-30).log() * probs).sum(1).mean(-1))
    return torch.cat(scores).double().numpy(), torch.cat(expected).double().numpy()
