"""What a loop is told before it begins."""

from __future__ import annotations

from dataclasses import dataclass

from loops.acquisition.catalog import AcquisitionFunction


@dataclass(frozen=True)
class LoopSettings:
    """How a loop asks, and when it stops."""

    acquisition: str | AcquisitionFunction  # of the catalog by its name, or somebody's own
    query_size: int = 10  # samples
    labeling_budget: int = 0  # labels in all, audit labels too; 0: no limit
    target_accuracy: float = 0.0  # 0..1, reached by the lower bound of the interval; 0: none
    audit_share: float = 0.0  # share of what is asked that is drawn uniformly
    cold_start: str = "diverse"  # of `catalog.COLD_STARTS`
    seed: int = 0
    rounds: int = 0  # fits; 0: no limit

    @property
    def ranking_size(self) -> int:
        """Longer than the round: people go on down the list while the next round is in training."""
        return max(5 * self.query_size, 50)
