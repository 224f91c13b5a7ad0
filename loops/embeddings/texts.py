"""Texts: the embeddings that suit them. See `loops.embeddings.kinds`."""

from __future__ import annotations

from collections.abc import Sequence

from loops.embeddings.backbone import Backbone

EMBEDDERS = "loops.embeddings.text_embedding"
TFIDF = "tfidf"
TRANSFORM = "words and pairs, 256 components 1"  # another word makes every store compute its rows anew


def candidates(sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:  # noqa: ARG001 - a text has none
    """Principal directions of TF-IDF, fitted to the pool."""
    return (TFIDF,)


def backbone(name: str) -> Backbone | None:
    """`tfidf` (at most 256 numbers, float32)."""
    return Backbone(name, 0, (), TRANSFORM) if name == TFIDF else None
