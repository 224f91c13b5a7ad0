"""Which learner answers, and why: decided by labels that neither was fitted on, never by test data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SURE = 1.64  # standard errors by which the network must be better: one chance in twenty of being wrong
_GROWTH = 1.5  # a comparison is repeated when there are so many times as many labels


@dataclass(frozen=True)
class InForce:
    """The learner in force, and the figures that speak for it."""

    network: bool = False  # else the graph
    compared_at: int = 0  # labels; 0: never
    network_right: float = 0.0  # share of the pool, by labels held out
    graph_right: float = 0.0

    def is_due(self, labels: int, fewest: int) -> bool:
        """Whether to compare, for a comparison costs several fits."""
        return labels >= max(fewest, _GROWTH * self.compared_at)

    @property
    def sentence(self) -> str:
        """For the person at the screen."""
        name = "The network" if self.network else "The graph of neighbors"
        if not self.compared_at:
            return f"{name} answers: there are too few labels to train a network on."
        figures = f"network {self.network_right:.0%}, graph {self.graph_right:.0%}"
        why = "it is measurably better" if self.network else "the network is not measurably better"
        return f"{name} answers: {why} ({figures} of {self.compared_at} labels held out, weighted to the pool)."

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)


@dataclass
class Evidence:
    """Labels predicted by both learners while held out.

    What was asked by doubt lies where classes meet, and there are many such labels for little of the pool: each label
    counts as much as the share of the pool that is nearest to it, or the comparison would be about the rim alone.
    """

    _network_N: list[bool] = field(default_factory=list)
    _graph_N: list[bool] = field(default_factory=list)
    _weight_N: list[float] = field(default_factory=list)

    def add(
        self,
        *,
        truth: NDArray[np.int64],
        network: NDArray[np.int64],
        graph: NDArray[np.int64],
        weight: NDArray[np.floating[Any]],
    ) -> None:
        """Takes in one fold, `[N]` each: labels, both answers, and the share of the pool that is nearest."""
        self._network_N += (network == truth).tolist()
        self._graph_N += (graph == truth).tolist()
        self._weight_N += weight.tolist()

    def verdict(self) -> InForce:
        """The network, if its lead is more than `SURE` standard errors of the weighted, paired difference."""
        network, graph, weight = (np.array(x, float) for x in (self._network_N, self._graph_N, self._weight_N))
        weight = weight / max(weight.sum(), 1e-12)
        lead = float(weight @ (network - graph))
        error = float(np.sqrt(np.square(weight * (network - graph - lead)).sum()))
        return InForce(
            network=lead > 0 and lead > SURE * error,
            compared_at=len(weight),
            network_right=float(weight @ network),
            graph_right=float(weight @ graph),
        )
