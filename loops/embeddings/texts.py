"""Texts: the embeddings that suit them. See `loops.embeddings.kinds`."""

from __future__ import annotations

from collections.abc import Sequence

from loops.embeddings.backbone import Backbone

EMBEDDERS = "loops.embeddings.text_embedding"
STRUCTURE_TELLS = False  # texts with a word in common are clear groups in TF-IDF, whatever they say
SENTENCES, TFIDF = "sentences", "tfidf"
TRANSFORM = "words and pairs, 256 components 1"  # another word makes every store compute its rows anew
ENCODER = "universal-sentence-encoder-multilingual 3, 5000 characters 1"  # likewise
ENCODED = 512  # numbers of a sentence


def candidates(sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:  # noqa: ARG001 - a text has none
    """What a sentence encoder makes of a text, where other words may mean the same; then TF-IDF, fitted to the pool."""
    return (SENTENCES, TFIDF)


def backbone(name: str) -> Backbone | None:
    """`sentences` (512 numbers, float32) or `tfidf` (at most 256)."""
    if name == SENTENCES:
        return Backbone(name, 0, (ENCODED,), ENCODER)
    return Backbone(name, 0, (), TRANSFORM) if name == TFIDF else None
