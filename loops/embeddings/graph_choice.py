"""Computed or learned: in which of two embeddings neighbors are looked for, and why."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from loops.files import replace_file

COMPUTED_FIRST = 10  # labels, asked and answered in the computed graph


@dataclass(frozen=True)
class GraphChoice:
    """Which graph is in force, and the figures that speak for it.

    The first labels are asked in the computed graph, whatever is known of the learned one: a rare group that one of
    them does not tell apart is a group in the other, and so is asked about by either. Then the pool's own structure
    decides, see `loops.graph.group_structure`; from 30 labels on, labels that are held out.
    """

    learned: bool = False
    clearer: bool = False  # by structure, learned features part the pool measurably more clearly
    computed_doubt: float = 0.0  # how undecided the pool is between groups of its own, 0..1; 0: no learned graph yet
    learned_doubt: float = 0.0
    compared_at: int = 0  # labels; 0: by structure alone
    computed_right: float = 0.0  # share of the pool, by labels held out
    learned_right: float = 0.0

    def sentence(self, embedding: str) -> str:
        """For the person at the screen.

        Args:
            embedding: Name of the embedding in force.
        """
        looked = f"Neighbors are looked for in {embedding}"
        if not self.computed_doubt:
            return f"{looked}."
        if self.compared_at:
            figures = f"learned features {_percent(self.learned_right)}, computed ones {_percent(self.computed_right)}"
            return f"{looked} ({figures} of {self.compared_at} labels held out, weighted to the pool)."
        against = f"{100 * self.learned_doubt:.1f} % against {100 * self.computed_doubt:.1f} % in computed ones"
        if self.clearer and not self.learned:
            then = "then in learned features, which part the pool more clearly into groups"
            return f"{looked} for the first {COMPUTED_FIRST} labels, {then} (undecided {against})."
        clearer = "more" if self.learned else "no more"
        return f"{looked}: learned features part the pool {clearer} clearly into groups (undecided {against})."


def read_choice(folder: Path, seed: int) -> GraphChoice:
    """What was chosen for the features of this folder; an unreadable choice is none."""
    try:
        return GraphChoice(**json.loads(_path(folder, seed).read_text()))
    except (OSError, ValueError, TypeError):
        return GraphChoice()


def write_choice(choice: GraphChoice, folder: Path, seed: int) -> None:
    """Keeps the choice beside the graphs."""
    replace_file(_path(folder, seed), json.dumps(asdict(choice)).encode())


def _path(folder: Path, seed: int) -> Path:
    return folder / f"graph-choice-{seed}.json"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
