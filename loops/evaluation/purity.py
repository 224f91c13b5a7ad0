"""How pure a group is: a test of members drawn at random that may be looked at, and stopped, after every draw.

**The claim.** "Of the members that were not drawn, at most the share `allowed` is of another class." Whenever it is
made, and however often somebody looked before, the chance that a group for which it is false is ever claimed so is at
most `ALPHA`, 5 %.

**The draws.** The N members are fixed first; then they are drawn one by one, without replacement, in an order that is
uniformly random. A draw is wrong where the person says another class, or skips. The labels are taken as the truth.

**The wealth.** "M of the members are wrong" gives n draws with w wrong ones, in their order, the probability
`C(N - n, M - w) / C(N, M)`. The mean of that over a prior of M, divided by it, is a nonnegative martingale from 1 where
M is the truth (the prior-posterior ratio of Waudby-Smith and Ramdas 2020, "Confidence sequences for sampling without
replacement"). It ever reaches `1 / ALPHA` with probability at most `ALPHA` (Ville 1939); an M whose wealth has reached
it is refuted, for good. `CLEAN` of the prior lies on "none is wrong", the rest on M = 1, 2, .. in proportion to 1 / M:
so while no draw is wrong the wealth of M is at least `CLEAN * C(N, n) / C(N - M, n)`, from which the fewest draws come.

**A split.** After a wrong member those most like it may be sent back, by whatever has been seen: the order of those
that stay is as random as before. If m of them are wrong, then M is at least m + w, so m starts with the least wealth of
all that is at least m + w. At the truth that is no more than the wealth was: one supermartingale runs through all
splits, and there is no correction for their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALLOWED = 0.05  # share of the members not drawn that may be of another class
ALPHA = 0.05  # chance that a group with more of them is ever taken
CLEAN = 0.75  # of the prior, on a group without a wrong member


@dataclass(frozen=True)
class Purity:
    """What the draws so far say of a group; each draw and each split gives another one.

    Args:
        size: N, members when it was begun or split.
        allowed: Share of those not drawn that may be wrong, 0..1.
        draws: n.
        wrong: w.
        refuted: The fewest wrong members that are refuted, with every greater number; N + 1: none is.
        start_M: Log wealth of "M are wrong", M = 0..N, at the split; None: there was none, and it is 0.
    """

    size: int
    allowed: float = ALLOWED
    draws: int = 0
    wrong: int = 0
    refuted: int | None = None
    start_M: Floats | None = None

    def __post_init__(self) -> None:
        """Nothing is refuted yet where nobody says so."""
        if self.refuted is None:
            object.__setattr__(self, "refuted", self.size + 1)

    @property
    def left(self) -> int:
        """Members that were not drawn."""
        return self.size - self.draws

    @property
    def most_wrong(self) -> int:
        """At most so many of the members that were not drawn are wrong, at 95 %."""
        assert self.refuted is not None
        return min(max(0, self.refuted - 1 - self.wrong), self.left)

    @property
    def bound(self) -> float:
        """The same as a share, 0..1; 0 where every member was drawn."""
        return self.most_wrong / self.left if self.left else 0.0

    @property
    def holds(self) -> bool:
        """Whether the rest may be taken."""
        return self.bound <= self.allowed

    def drawn(self, *, wrong: bool) -> Purity:
        """After one more draw."""
        if not self.left:
            raise ValueError(f"all {self.size} members of the group were drawn")
        after = Purity(self.size, self.allowed, self.draws + 1, self.wrong + wrong, self.refuted, self.start_M)
        return after._looked()

    def split(self, *, left: int) -> Purity:
        """After those most like a wrong member were sent back, and so many of those not drawn stay."""
        if not 0 <= left <= self.left:
            raise ValueError(f"{left} of {self.left} members cannot stay")
        assert self.refuted is not None
        at_least_M = np.minimum.accumulate(self._log_wealth()[::-1])[::-1]
        start_M = at_least_M[self.wrong : self.wrong + left + 1]
        return Purity(left, self.allowed, 0, 0, min(self.refuted - self.wrong, left + 1), start_M)

    def needed(self) -> int | None:
        """Further draws until the rest may be taken if none of them is wrong; None: only when there is no rest."""
        if self.holds:
            return 0
        low, high = 0, self.left  # it does not hold after `low`; after `high` there is no rest
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._after(middle).holds else (middle, high)
        return high if high < self.left else None

    def _after(self, right: int) -> Purity:
        after = Purity(self.size, self.allowed, self.draws + right, self.wrong, self.refuted, self.start_M)
        return after._looked()

    def _looked(self) -> Purity:
        """With what these draws refute; what was refuted before stays so."""
        assert self.refuted is not None
        kept_M = np.flatnonzero(self._log_wealth() < -np.log(ALPHA))
        least = int(kept_M[-1]) + 1 if len(kept_M) else 0
        refuted = min(self.refuted, max(least, self.wrong + 1))
        return Purity(self.size, self.allowed, self.draws, self.wrong, refuted, self.start_M)

    def _log_wealth(self) -> Floats:
        """`[N + 1]`, of each hypothesis; infinite where the draws cannot have come so."""
        likelihood_M = self._log_likelihood()
        highest = likelihood_M.max()
        mean = highest + np.log(_prior(self.size) @ np.exp(likelihood_M - highest))
        start_M = np.zeros(self.size + 1) if self.start_M is None else self.start_M
        wealth_M: Floats = start_M + mean - likelihood_M
        return wealth_M

    def _log_likelihood(self) -> Floats:
        """`[N + 1]`, of the draws in their order."""
        size, draws, wrong = self.size, self.draws, self.wrong
        log_factorial = _log_factorials(size)
        likelihood_M = np.full(size + 1, -np.inf)
        right = draws - wrong
        M = np.arange(wrong, size - right + 1)
        log_ways = log_factorial[size - draws] - log_factorial[M - wrong] - log_factorial[size - right - M]
        likelihood_M[M] = log_ways - (log_factorial[size] - log_factorial[M] - log_factorial[size - M])
        return likelihood_M


@lru_cache(maxsize=8)
def _log_factorials(most: int) -> Floats:
    """`[most + 1]`, of 0, 1, .. most."""
    return np.concatenate([[0.0], np.log(np.arange(1, most + 1)).cumsum()])


@lru_cache(maxsize=8)
def _prior(size: int) -> Floats:
    """`[size + 1]`, of 0, 1, .. wrong members; adds up to 1."""
    if not size:
        return np.ones(1)
    few_M = 1.0 / np.arange(1, size + 1)
    return np.concatenate([[CLEAN], (1.0 - CLEAN) * few_M / few_M.sum()])


def draw_order(sample_ids: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The members in the order in which they are drawn: all orders are equally likely, and the seed tells which."""
    order: NDArray[np.int64] = np.random.default_rng(seed).permutation(np.sort(sample_ids))
    return order
