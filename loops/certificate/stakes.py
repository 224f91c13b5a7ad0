"""Stakes and probabilities under which the wealth of a false hypothesis grows fastest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 8  # of Dinkelbach's iteration, which converges quadratically
_STEPS = 60  # halvings of an interval of log v
_LEAST_GAIN = 1e-5  # per draw; below, no stake is worth it
_MOST_GAIN = 2.0
_LEAST_P, _MOST_P = 1e-6, 0.98


@dataclass(frozen=True)
class Stakes:
    """What is laid on a sample of each of B bins, and the factor by which the wealth is expected to grow at a draw."""

    v_B: Floats  # each above 1
    gain: float  # 1: the hypothesis is believed to be true, and nothing can be won


def best_stakes(belief_B: Floats, counts_B: Floats, most: float) -> Stakes:
    """Stakes that maximize the expected log wealth of the hypothesis that `most` of the samples are wrong.

    With the best probabilities, `q_i` in proportion to `v_i (1 - 1/v_i)^p_i`, a draw multiplies the wealth in the
    geometric mean by `sum v_i (1 - 1/v_i)^p_i / (sum v_i - most)`. At the maximum the derivative of each
    `v (1 - 1/v)^p` equals that factor (Dinkelbach 1967), which leaves one unknown for all samples.

    Args:
        belief_B: Probability of being wrong, of a sample of each bin.
        counts_B: Samples left in each bin.
        most: Errors under the hypothesis, among those left.
    """
    gain = 1.0 + _LEAST_GAIN
    v_B = _stake_at(belief_B, gain)
    if counts_B @ belief_B >= most:
        return Stakes(v_B, 1.0)
    for _ in range(_ROUNDS):
        v_B = _stake_at(belief_B, gain)
        gain = max(1.0 + _LEAST_GAIN, float(counts_B @ growth(v_B, belief_B)) / (float(counts_B @ v_B) - most))
    return Stakes(v_B, gain)


def growth(v_B: Floats, belief_B: Floats) -> Floats:
    """`v (1 - 1/v)^p`: the weight with which a sample is best drawn, given its stake."""
    grown_B: Floats = v_B * np.exp(belief_B * np.log1p(-1.0 / v_B))
    return grown_B


def _stake_at(belief_B: Floats, gain: float) -> Floats:
    """v at which the derivative of `v (1 - 1/v)^p` is `gain`, between the lines of a table."""
    log_p_P, log_gain_G, log_excess_P_G = _table()
    row_B, row_share_B = _place(log_p_P, np.log(np.clip(belief_B, _LEAST_P, _MOST_P)))
    column_B, column_share_B = _place(log_gain_G, np.full(len(belief_B), np.log(min(gain - 1.0, _MOST_GAIN))))
    left_B = _between(log_excess_P_G[row_B, column_B], log_excess_P_G[row_B + 1, column_B], row_share_B)
    right_B = _between(log_excess_P_G[row_B, column_B + 1], log_excess_P_G[row_B + 1, column_B + 1], row_share_B)
    v_B: Floats = 1.0 + np.exp(_between(left_B, right_B, column_share_B))
    return v_B


def _between(low: Floats, high: Floats, share: Floats) -> Floats:
    mixed: Floats = low + (high - low) * share
    return mixed


def _place(grid: Floats, values_B: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The grid point before each value, and how far it is on the way to the next; the grid is even."""
    exact_B = np.clip((values_B - grid[0]) / (grid[1] - grid[0]), 0.0, len(grid) - 1.000001)
    before_B = exact_B.astype(np.int64)
    return before_B, exact_B - before_B


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
