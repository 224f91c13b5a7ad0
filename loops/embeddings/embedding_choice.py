"""In which embedding a pool of images is looked at: the one in which it falls into groups most clearly.

No label is needed, and neither the size of the images nor their number decides; see docs/experiments/0027-any-data.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.backbone import is_pixels
from loops.embeddings.computed_embedding import choose_embedding
from loops.embeddings.features import FeatureStore, embed
from loops.evaluation.comparison import SURE
from loops.files import replace_file
from loops.graph.graph import build_graph
from loops.graph.group_structure import doubts_between_groups
from loops.seeding import hash_of_ids, seed_of

LOOKED_AT = 300  # samples, the first that are embedded
FEWEST = 100  # samples; of fewer the groups are a handful each, and tell nothing
FILE = "embedding-choice.json"

Ids = NDArray[np.int64]
Check = Callable[[], None]


@dataclass(frozen=True)
class EmbeddingChoice:
    """Which embedding is in force, and what speaks for it."""

    chosen: str  # name of its backbone
    doubts: Mapping[str, float]  # of each candidate: how undecided the pool is between groups of its own, 0..1

    def in_order(self, candidates: Sequence[str]) -> tuple[str, ...]:
        """The candidates, the chosen one first; as they were where it is none of them."""
        return tuple(sorted(candidates, key=lambda name: name != self.chosen))

    @property
    def sentence(self) -> str:
        """For the person at the screen."""
        figures = ", ".join(f"{100 * doubt:.0f} % in {_words(name)}" for name, doubt in self.doubts.items())
        return f"The images are looked at in {_words(self.chosen)}; undecided between groups of their own: {figures}."


def in_embedding_order(sample_ids: Ids, seed: int) -> Ids:
    """Samples in the order in which they are embedded, drawn by their ids: the first few hundred are typical of all."""
    return sample_ids[np.argsort(hash_of_ids(sample_ids, seed_of(seed, "embedding")))]


def choose_by_structure(
    stores: Sequence[FeatureStore], pool: Ids, load: Callable[[int], Any], *, seed: int, check: Check = lambda: None
) -> EmbeddingChoice | None:
    """Embeds some samples in each way and compares how clearly they fall into groups.

    Args:
        stores: Of the candidates, the one to begin with first: another must lead measurably. Each is filled with what
            it lacks of these samples.
        pool: In the order of `in_embedding_order`.
        load: Gives what the embedders take.
        seed: Of the draws.
        check: Called every tenth of a second or so; may raise.

    Returns:
        None where the pool is too small to tell.
    """
    if len(pool) < FEWEST:
        return None
    some = np.sort(pool[:LOOKED_AT])
    for store in stores:
        embed(
            store, some, load, progress=lambda _done, _total: check(), on_broken=lambda _id, _why: None,
            should_stop=lambda: False,
        )  # fmt: skip
    readable = np.setdiff1d(some, np.concatenate([store.missing(some) for store in stores]))
    if len(readable) < FEWEST:
        return None
    doubts = {store.backbone.name: _doubts(store, readable, seed, check) for store in stores}
    first = next(iter(doubts))
    leading = min(doubts, key=lambda name: float(doubts[name].mean()))
    leads = doubts[first] - doubts[leading]
    is_clearer = float(leads.mean()) > SURE * float(leads.std(ddof=1)) / len(leads) ** 0.5
    return EmbeddingChoice(
        leading if is_clearer else first, {name: float(of_each.mean()) for name, of_each in doubts.items()}
    )


def read_embedding_choice(folder: Path) -> EmbeddingChoice | None:
    """What was chosen for the feature stores of this folder; None where nothing was, or it cannot be read."""
    try:
        found = json.loads((folder / FILE).read_text())
        return EmbeddingChoice(str(found["chosen"]), {str(k): float(v) for k, v in found["doubts"].items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_embedding_choice(choice: EmbeddingChoice, folder: Path) -> None:
    """Keeps the choice beside the feature stores."""
    content = {"chosen": choice.chosen, "doubts": dict(choice.doubts)}
    replace_file(folder / FILE, json.dumps(content, indent=1).encode())


def _doubts(store: FeatureStore, sample_ids: Ids, seed: int, check: Check) -> NDArray[np.float64]:
    rows = store.rows(sample_ids)
    embedding = choose_embedding(rows, seed, check, backbone=store.backbone.name)
    graph = build_graph(embedding.points(rows), seed, check)
    return doubts_between_groups(graph.vectors_L_M, graph.eigenvalues_M, seed=seed, check=check)


def _words(backbone: str) -> str:
    return "pixels" if is_pixels(backbone) else "features of a pretrained network"
