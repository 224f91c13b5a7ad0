"""In which embedding a pool of images is looked at: the one in which it falls into groups most clearly.

No label is needed, and neither the size of the images nor their number decides; see docs/experiments/0027-any-data.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.backbone import is_pixels
from loops.embeddings.computed_embedding import choose_embedding
from loops.embeddings.features import FeatureStore, embed
from loops.evaluation.comparison import Comparison
from loops.files import replace_file
from loops.graph.graph import build_graph
from loops.graph.group_structure import doubts_between_groups
from loops.seeding import hash_of_ids, seed_of

LOOKED_AT = 300  # samples, the first that are embedded
FEWEST = 100  # samples; of fewer the groups are a handful each, and tell nothing
# Of pixels, in standard deviations over draws of half of the samples: digits had 0.6 and more, photographs less than 0.
LEAD = 0.25
FILE = "embedding-choice.json"

Ids = NDArray[np.int64]
Check = Callable[[], None]


@dataclass(frozen=True)
class EmbeddingChoice:
    """Which embedding is in force, and what speaks for it."""

    chosen: str  # name of its backbone
    doubts: Mapping[str, float]  # of each candidate: how undecided the pool is between groups of its own, 0..1
    reviewed_at: int = 0  # labels, held out, by which it was compared with the others; 0: never
    right: Mapping[str, float] = field(default_factory=dict)  # share of the pool that each had right by them

    def in_order(self, candidates: Sequence[str]) -> tuple[str, ...]:
        """The candidates, the chosen one first; as they were where it is none of them."""
        return tuple(sorted(candidates, key=lambda name: name != self.chosen))

    @property
    def sentence(self) -> str:
        """For the person at the screen."""
        looked = f"Samples are looked at in {_words(self.chosen)}"
        if self.reviewed_at:
            figures = ", ".join(f"{100 * right:.0f} % by {_words(name)}" for name, right in self.right.items())
            return f"{looked}; right of {self.reviewed_at} labels held out, weighted to the pool: {figures}."
        figures = ", ".join(f"{100 * doubt:.0f} % in {_words(name)}" for name, doubt in self.doubts.items())
        return f"{looked}; undecided between groups of their own: {figures}."


def in_embedding_order(sample_ids: Ids, seed: int) -> Ids:
    """Samples in the order in which they are embedded, drawn by their ids: the first few hundred are typical of all."""
    return sample_ids[np.argsort(hash_of_ids(sample_ids, seed_of(seed, "embedding")))]


def choose_by_structure(
    stores: Sequence[FeatureStore], pool: Ids, load: Callable[[int], Any], *, seed: int, check: Check = lambda: None
) -> EmbeddingChoice | None:
    """Embeds some samples in each way and compares how clearly they fall into groups.

    Args:
        stores: Of the candidates. Each is filled with what it lacks of these samples.
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
        fill(store, some, load, check)
    readable = np.setdiff1d(some, np.concatenate([store.missing(some) for store in stores]))
    if len(readable) < FEWEST:
        return None
    doubts = {store.backbone.name: _doubts(store, readable, seed, check) for store in stores}
    # A network that has seen photographs is taken unless pixels lead: where they are wrong, they are far worse.
    network = next((name for name in doubts if not is_pixels(name)), next(iter(doubts)))
    leading = min(doubts, key=lambda name: float(doubts[name].mean()))
    leads = doubts[network] - doubts[leading]
    is_clearer = float(leads.mean()) > LEAD * float(leads.std(ddof=1))
    return EmbeddingChoice(
        leading if is_clearer else network, {name: float(of_each.mean()) for name, of_each in doubts.items()}
    )


def fill(store: FeatureStore, sample_ids: Ids, load: Callable[[int], Any], check: Check = lambda: None) -> None:
    """Embeds what the store lacks of these samples; what cannot be read is left out, for whoever embeds all says so."""
    embed(
        store, sample_ids, load, progress=lambda _done, _total: check(), on_broken=lambda _id, _why: None,
        should_stop=lambda: False,
    )  # fmt: skip


def reviewed(
    before: EmbeddingChoice, current: str, found: Mapping[str, Comparison | None], *, labels: int
) -> EmbeddingChoice:
    """The choice after labels were held out: the best of those that are measurably better than the one in force.

    Args:
        before: The choice so far.
        current: The embedding in force.
        found: How each other one compares with it; None where it could not be compared.
        labels: How many were held out.
    """
    compared = {name: one for name, one in found.items() if one is not None}
    if not compared:
        return replace(before, reviewed_at=labels)
    better = {name: one.other_right for name, one in compared.items() if one.other_is_better}
    right = {current: next(iter(compared.values())).right, **{name: one.other_right for name, one in compared.items()}}
    return EmbeddingChoice(max(better, key=better.__getitem__, default=current), before.doubts, labels, right)


def read_embedding_choice(folder: Path) -> EmbeddingChoice | None:
    """What was chosen for the feature stores of this folder; None where nothing was, or it cannot be read."""
    try:
        found = json.loads((folder / FILE).read_text())
        doubts, right = ({str(k): float(v) for k, v in found[name].items()} for name in ("doubts", "right"))
        return EmbeddingChoice(str(found["chosen"]), doubts, int(found["reviewed_at"]), right)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_embedding_choice(choice: EmbeddingChoice, folder: Path) -> None:
    """Keeps the choice beside the feature stores."""
    replace_file(folder / FILE, json.dumps(asdict(choice), indent=1).encode())


def _doubts(store: FeatureStore, sample_ids: Ids, seed: int, check: Check) -> NDArray[np.float64]:
    rows = store.rows(sample_ids)
    embedding = choose_embedding(rows, seed, check, backbone=store.backbone.name)
    graph = build_graph(embedding.points(rows), seed, check)
    return doubts_between_groups(graph.vectors_L_M, graph.eigenvalues_M, seed=seed, check=check)


def _words(backbone: str) -> str:
    words = {"sentences": "what the sentences mean", "tfidf": "words they have in common"}
    return "pixels" if is_pixels(backbone) else words.get(backbone, "features of a pretrained network")
