"""The wealth of every hypothesis about a candidate's errors, draw by draw; see the package for why it is valid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.certificate.belief import Belief
from loops.certificate.candidate import Candidate
from loops.certificate.stakes import best_stakes

Floats = NDArray[np.float64]

ALPHA = 0.05
INVESTED = 0.7  # of the cash, at each candidate
# Stakes suit one number of errors under the hypothesis, and fewer in truth: the target's and so much of it, then
# multiples of what is believed. Each has its part of the wealth, and those that suit win theirs.
_OF_TARGET, _MULTIPLES = (0.1, 0.45, 0.75), (1.6, 2.5)
_STAKED_K = np.array([*_OF_TARGET, *(1.0 / factor for factor in _MULTIPLES)])
_LOG_PARTS_K = np.log(np.array([0.2, 0.5, 0.2, 0.05, 0.05]))
_CLEARLY, _LEAST_CHANCE = (
    0.8,
    0.35,
)  # foreseen is what it takes if errors are clearly fewer, where that is likely
_RESTAKED_EVERY = 12  # draws; after each error anyway


@dataclass(frozen=True)
class Start:
    """What a candidate begins with: wealth by number of errors, of which some stays cash."""

    wealth: Callable[[Floats], Floats]
    cash: float


FIRST = Start(np.ones_like, 1.0 - INVESTED)


def target_errors(target: float, left: int, found: int) -> int:
    """The number to refute for a target: one more than may be wrong of `left`, beside the `found` that are known."""
    return int(np.floor((1.0 - target) * left + 1e-9)) + found + 1


class Evidence:
    """What is known of a candidate's errors after some draws, in their order.

    Args:
        candidate: Whose errors.
        start: Its wealth before the first draw.
        target: Share to be proven, 0..1; the stakes suit it best, and every other share is proven as well.
    """

    def __init__(self, candidate: Candidate, start: Start, target: float) -> None:
        self.candidate, self.start, self.target = candidate, start, target
        self.draws = self.found = 0  # samples, and the wrong ones among them
        self.belief: Belief = candidate.belief()
        self.estimates: list[float] = []  # of the errors, each unbiased by itself
        self.refuted = len(candidate) + 1  # so many errors or more were refuted at some moment
        self.proven_T: list[float] = []  # after each draw, of what was not drawn
        self._left_B = candidate.counts.copy()
        self._weight = float(self._left_B @ candidate.weight_B)
        self._log_won_K = np.zeros(len(_LOG_PARTS_K))
        self._most_T_K = np.empty((_RESTAKED_EVERY, len(_LOG_PARTS_K)))
        self._restake()

    @property
    def left(self) -> int:
        """Samples that were not drawn."""
        return len(self.candidate) - self.draws

    def draw(self, row: int, *, wrong: bool) -> None:
        """Takes the next draw."""
        place = int(self.candidate.bin_N[row])
        probability = float(self.candidate.weight_B[place]) / self._weight
        believed = self._belief_B
        rest = float(self._left_B @ believed)
        self.estimates.append(self.found + rest + (wrong - float(believed[place])) / probability)
        self._log_won_K = self._log_won_K + np.log((self._v_K_B[:, place] - wrong) / probability)
        if self.draws == len(self._most_T_K):
            self._most_T_K = np.concatenate([self._most_T_K, np.empty_like(self._most_T_K)])
        self._most_T_K[self.draws] = self._v_K_B @ self._left_B + self.found
        self._left_B[place] -= 1.0
        self._weight = float(self._left_B @ self.candidate.weight_B)
        self.draws, self.found = self.draws + 1, self.found + wrong
        self.belief.see([place], [wrong])
        if wrong or self.draws % _RESTAKED_EVERY == 0 or self.draws in (2, 4, 8):
            self._restake()
        self._refute()
        self.proven_T.append(1.0 - max(0, self.refuted - 1 - self.found) / max(1, self.left))

    def wealth(self, errors_M: Floats) -> Floats:
        """Of the hypotheses that the candidate has so many errors among its N; `1 / ALPHA` refutes one."""
        cash = self.start.cash
        invested: Floats = self.start.wealth(errors_M) - cash
        total: Floats = cash + invested * np.exp(self._log_multiple(errors_M))
        return total

    def estimate(self) -> float | None:
        """Of the errors among all N: the mean of the draws' estimates, each of which has the truth as expectation."""
        return None if not self.estimates else float(np.clip(np.mean(self.estimates), self.found, len(self.candidate)))

    def needed(self, errors: int) -> int | None:
        """Further draws until so many errors are refuted, as far as is believed; None: it is believed to be true."""
        if errors >= self.refuted:
            return 0
        hidden = float(errors - self.found)
        likely = self.belief.chance(_CLEARLY * hidden, self._left_B)
        if self.left == 0 or likely < _LEAST_CHANCE:
            return None
        believed_1_B = self.belief.wrong_if(np.array([_CLEARLY * hidden]), self._left_B)
        v_1_B = best_stakes(believed_1_B, self._left_B, np.array([hidden])).v_K_B
        log_gain = self._log_gain(v_1_B[0], believed_1_B[0], hidden)
        now = float(np.log(self.wealth(np.array([float(errors)])))[0])
        if log_gain <= 0:
            return None
        count = int(np.ceil(max(0.0, np.log(1.0 / ALPHA) - now) / log_gain))
        return None if count > self.left else max(1, count)

    def _log_gain(self, v_B: Floats, believed_B: Floats, errors: float) -> float:
        """Expected log of a draw's factor under a belief, with the probabilities the candidate has."""
        chance_B = self.candidate.weight_B / self._weight
        right_B, wrong_B = np.log(v_B / chance_B), np.log((v_B - 1.0) / chance_B)
        mean_B = right_B + believed_B * (wrong_B - right_B)
        return float((self._left_B * chance_B) @ mean_B - np.log(float(v_B @ self._left_B) - errors))

    def _restake(self) -> None:
        self._belief_B = self.belief.wrong()
        believed = float(self._left_B @ self._belief_B)
        target = float(target_errors(self.target, self.left, 0))
        errors_K = np.array([*(target for _ in _OF_TARGET), *(factor * believed + 1.0 for factor in _MULTIPLES)])
        errors_K = np.minimum(errors_K, 0.95 * max(1, self.left))
        belief_K_B = self.belief.wrong_if(_STAKED_K * errors_K, self._left_B)
        self._v_K_B = best_stakes(belief_K_B, self._left_B, errors_K).v_K_B

    def _refute(self) -> None:
        """Lowers what is refuted, where the wealth just below has reached `1 / ALPHA`; it grows with the errors."""
        self.refuted = min(self.refuted, self.left + self.found + 1)  # what was drawn and right is no error
        low, high = self.found - 1, self.refuted
        if not self._is_refuted(high - 1):
            return
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._is_refuted(middle) else (middle, high)
        self.refuted = high

    def _is_refuted(self, errors: int) -> bool:
        return errors >= self.found and bool(self.wealth(np.array([float(errors)]))[0] >= 1.0 / ALPHA)

    def _log_multiple(self, errors_M: Floats) -> Floats:
        """log of the mixture of the K stakes' wealths."""
        if not self.draws:
            return np.zeros(len(errors_M))
        most_T_K = self._most_T_K[: self.draws]
        paid_K_M = np.log(most_T_K[:, :, None] - errors_M[None, None, :]).sum(axis=0)
        log_K_M: Any = (_LOG_PARTS_K + self._log_won_K)[:, None] - paid_K_M
        top_M = log_K_M.max(axis=0)
        logs_M: Floats = top_M + np.log(np.exp(log_K_M - top_M).sum(axis=0))
        return logs_M
