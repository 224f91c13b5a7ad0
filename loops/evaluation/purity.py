"""How pure a group is: a test of members drawn at random that may be looked at, and stopped, after every draw.

**The claim.** "Of the members that were not drawn, at most the share `allowed` is of another class." Whenever it is
made, and however often somebody looked before, the chance that a group for which it is false is ever claimed so is at
most `ALPHA`, 5 %.

**The draws.** The N members are fixed first; then they are drawn one by one, without replacement, in an order that is
uniformly random. A draw is wrong where the person says another class, or skips. The labels are taken as the truth.

**A run.** If M of N members are wrong, the first n draws are all right with the probability `C(N - M, n) / C(N, n)`.
One divided by that, as long as no draw was wrong, and 0 afterwards, is a nonnegative martingale from 1: it ever reaches
`1 / a` with probability at most `a` (Ville 1939). So after n right draws every M is refuted, at the chance `a`, for
which that probability is at most `a`. That is the martingale of Waudby-Smith and Ramdas 2020 ("Confidence sequences for
sampling without replacement") with all of its prior on "none is wrong", which needs the fewest draws where none is.

**A wrong draw** ends the run, and the next one begins with those that are left. Before it begins, members may be sent
back, by whatever was seen: the order of those that stay is as random as before, whoever went. The k-th run may be wrong
with the chance `ALPHA / 2 ** k`, so all of them together with at most `ALPHA`, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, lgamma, log

import numpy as np
from numpy.typing import NDArray

ALLOWED = 0.05  # share of the members not drawn that may be of another class
ALPHA = 0.05  # chance that a group with more of them is ever taken
_ROUNDING = 1e-9  # of shares that are exact in the head and not in binary


@dataclass(frozen=True)
class Purity:
    """What the draws so far say of a group; each draw gives another one.

    Args:
        size: N, members when the run began.
        allowed: Share of those not drawn that may be wrong, 0..1.
        draws: n, of this run, all of them right.
        run: Its number, from 1 on: one more than there were wrong draws.
    """

    size: int
    allowed: float = ALLOWED
    draws: int = 0
    run: int = 1

    @property
    def left(self) -> int:
        """Members that were not drawn."""
        return self.size - self.draws

    @property
    def most_wrong(self) -> int:
        """At most so many of the members that were not drawn are wrong, at 95 %."""
        fewest, most = 0, self.left  # `fewest` is not refuted; the answer is none greater than `most`
        while fewest < most:
            middle = (fewest + most + 1) // 2
            fewest, most = (fewest, middle - 1) if self._refutes(middle) else (middle, most)
        return fewest

    @property
    def bound(self) -> float:
        """The same as a share, 0..1; 0 where every member was drawn."""
        return self.most_wrong / self.left if self.left else 0.0

    @property
    def holds(self) -> bool:
        """Whether the rest may be taken."""
        return self._refutes(int(self.allowed * self.left + _ROUNDING) + 1)

    def drawn(self, *, wrong: bool) -> Purity:
        """After one more draw."""
        if not self.left:
            raise ValueError(f"all {self.size} members of the group were drawn")
        if wrong:
            return Purity(self.left - 1, self.allowed, run=self.run + 1)
        return replace(self, draws=self.draws + 1)

    def split(self, *, left: int) -> Purity:
        """Right after a wrong draw: members were sent back, and so many stay."""
        if self.draws or not 0 <= left <= self.size:
            raise ValueError(f"{left} of {self.size} members cannot stay after {self.draws} draws")
        return replace(self, size=left)

    def needed(self) -> int | None:
        """Further draws until the rest may be taken if none of them is wrong; None: only when there is no rest."""
        for more in range(self.left):
            if replace(self, draws=self.draws + more).holds:
                return more
        return None

    def _refutes(self, wrong: int) -> bool:
        """Whether so many wrong members are refuted, and with them every greater number."""
        return self._log_chance(wrong) <= log(ALPHA) - self.run * log(2)

    def _log_chance(self, wrong: int) -> float:
        """That all draws of this run are right if so many members are wrong."""
        size, draws = self.size, self.draws
        if wrong > size - draws:
            return -inf
        ways = (_log_factorial(size - wrong), -_log_factorial(size - wrong - draws))
        return sum(ways) - _log_factorial(size) + _log_factorial(size - draws)


def _log_factorial(number: int) -> float:
    return lgamma(number + 1)


def draw_order(sample_ids: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The members in the order in which they are drawn: all orders are equally likely, and the seed tells which."""
    order: NDArray[np.int64] = np.random.default_rng(seed).permutation(np.sort(sample_ids))
    return order
