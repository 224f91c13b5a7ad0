"""Which predictor answers, and why: decided by labels that neither was fitted on, never by test data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SURE = 1.64  # standard errors by which the network must be better: one chance in twenty of being wrong
GROWTH = 1.5  # a comparison is repeated when there are so many times as many labels

Classes = NDArray[np.int64]


@dataclass(frozen=True)
class InForce:
    """The predictor in force, and the figures that speak for it."""

    network: bool = False  # else the graph
    compared_at: int = 0  # labels; 0: never
    network_right: float = 0.0  # share of the pool, by labels held out
    graph_right: float = 0.0

    def is_due(self, labels: int, fewest: int, growth: float = GROWTH) -> bool:
        """Whether to compare, for a comparison costs several fits."""
        return labels >= max(fewest, growth * self.compared_at)

    @property
    def sentence(self) -> str:
        """For the person at the screen."""
        name = "The network" if self.network else "The graph of neighbors"
        if not self.compared_at:
            return f"{name} answers: there are too few labels to train a network on."
        figures = f"network {100 * self.network_right:.0f} %, graph {100 * self.graph_right:.0f} %"
        why = "it is better" if self.network else "the network is not measurably better"
        return f"{name} answers: {why} ({figures} of {self.compared_at} labels held out, weighted to the pool)."

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)


def verdict(
    *, truth: Classes, network: Classes, graph: Classes, weight: NDArray[np.floating[Any]], sure: float = SURE
) -> InForce:
    """The network, if its lead is more than `sure` standard errors of the weighted, paired difference.

    What was asked by doubt lies where classes meet, and there are many such labels for little of the pool: each label
    counts as much as the share of the pool that is nearest to it, or the comparison would be about the rim alone.

    Args:
        truth: Labels, `[N]`.
        network: What it answered while they were held out, `[N]`.
        graph: Likewise.
        weight: The share of the pool that is nearest to each, `[N]`.
        sure: Standard errors; 0: any lead will do.
    """
    share = np.asarray(weight, float) / max(float(weight.sum()), 1e-12)
    network_right, graph_right = (network == truth).astype(float), (graph == truth).astype(float)
    lead = float(share @ (network_right - graph_right))
    error = float(np.sqrt(np.square(share * (network_right - graph_right - lead)).sum()))
    return InForce(
        network=lead > 0 and lead > sure * error,
        compared_at=len(truth),
        network_right=float(share @ network_right),
        graph_right=float(share @ graph_right),
    )
