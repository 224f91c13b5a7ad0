"""Stakes and probabilities under which the wealth of a false hypothesis grows fastest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 5  # of Dinkelbach's iteration, which converges quadratically
_STEPS = 60  # halvings of an interval of log v
_LEAST_GAIN = 1e-5  # per draw; below, no stake is worth it
_MOST_GAIN = 2.0
_LEAST_P, _MOST_P = 1e-6, 0.98


@dataclass(frozen=True)
class Stakes:
    """For each of K hypotheses, what is laid on a sample of each of B bins."""

    v_K_B: Floats  # each above 1
    gain_K: Floats  # expected growth of the wealth at a draw; 1: the hypothesis is believed to be true


def best_stakes(belief_K_B: Floats, counts_B: Floats, most_K: Floats) -> Stakes:
    """Stakes that maximize the expected log wealth of the hypotheses that so many of the samples are wrong.

    With the best probabilities, `q_i` in proportion to `v_i (1 - 1/v_i)^p_i`, a draw multiplies the wealth in the
    geometric mean by `sum v_i (1 - 1/v_i)^p_i / (sum v_i - most)`. At the maximum the derivative of each
    `v (1 - 1/v)^p` equals that factor (Dinkelbach 1967), which leaves one unknown for all samples.

    Args:
        belief_K_B: Probability of being wrong, of a sample of each bin, as it is staked on.
        counts_B: Samples left in each bin.
        most_K: Errors under each hypothesis, among those left.
    """
    gain_K = np.full(len(most_K), 1.0 + _LEAST_GAIN)
    for _ in range(_ROUNDS):
        v_K_B = _stake_at(belief_K_B, gain_K)
        gain_K = np.maximum(1.0 + _LEAST_GAIN, growth(v_K_B, belief_K_B) @ counts_B / (v_K_B @ counts_B - most_K))
    hopeless_K = belief_K_B @ counts_B >= most_K
    return Stakes(v_K_B, np.where(hopeless_K, 1.0, gain_K))


def growth(v: Floats, belief: Floats) -> Floats:
    """`v (1 - 1/v)^p`: the weight with which a sample is best drawn, given its stake; of any shape."""
    grown: Floats = v * np.exp(belief * np.log1p(-1.0 / v))
    return grown


def _stake_at(belief_K_B: Floats, gain_K: Floats) -> Floats:
    """v at which the derivative of `v (1 - 1/v)^p` is `gain`, between the lines of a table."""
    log_p_P, log_gain_G, log_excess_P_G = _table()
    row, row_share = _place(log_p_P, np.log(np.clip(belief_K_B, _LEAST_P, _MOST_P)))
    column, column_share = _place(log_gain_G, np.log(np.minimum(gain_K - 1.0, _MOST_GAIN))[:, None])
    left = _between(log_excess_P_G[row, column], log_excess_P_G[row + 1, column], row_share)
    right = _between(log_excess_P_G[row, column + 1], log_excess_P_G[row + 1, column + 1], row_share)
    v_K_B: Floats = 1.0 + np.exp(_between(left, right, column_share))
    return v_K_B


def _between(low: Floats, high: Floats, share: Floats) -> Floats:
    mixed: Floats = low + (high - low) * share
    return mixed


def _place(grid: Floats, values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The grid point before each value, and how far it is on the way to the next; the grid is even."""
    exact = np.minimum(np.maximum((values - grid[0]) / (grid[1] - grid[0]), 0.0), len(grid) - 1.000001)
    before = exact.astype(np.int64)
    return before, exact - before


@cache
def _table() -> tuple[Floats, Floats, Floats]:
    """log p `[P]`, log(gain - 1) `[G]`, and log(v - 1) `[P, G]` by halving."""
    log_p_P = np.linspace(np.log(_LEAST_P), np.log(_MOST_P), 90)
    log_gain_G = np.linspace(np.log(_LEAST_GAIN), np.log(_MOST_GAIN), 80)
    p_P_1, gain_1_G = np.exp(log_p_P)[:, None], 1.0 + np.exp(log_gain_G)[None, :]
    low, high = np.full((90, 80), -25.0), np.full((90, 80), 15.0)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_steep = _slope(np.exp(middle), p_P_1) > gain_1_G
        low, high = np.where(is_steep, middle, low), np.where(is_steep, high, middle)
    return log_p_P, log_gain_G, low


def _slope(excess: Floats, p: Floats) -> Floats:
    """Derivative of `v (1 - 1/v)^p` at `v = 1 + excess`; with x = 1 - 1/v it is `x^(p-1) (x + p (1 - x))`."""
    x = excess / (1.0 + excess)
    slope: Floats = np.exp((p - 1.0) * np.log(x)) * (x + p * (1.0 - x))
    return slope
