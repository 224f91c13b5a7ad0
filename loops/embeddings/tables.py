"""Rows of a table: the embeddings that suit them. See `loops.embeddings.kinds`."""

from __future__ import annotations

from collections.abc import Sequence

from loops.embeddings.backbone import Backbone

EMBEDDERS = "loops.embeddings.table_embedding"
STRUCTURE_TELLS = False  # there is one candidate
COLUMNS = "columns"
TRANSFORM = "standardized columns 1"  # another word makes every store compute its rows anew


def candidates(sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:  # noqa: ARG001 - a row has none
    """Standardized columns, as the pool's are."""
    return (COLUMNS,)


def backbone(name: str) -> Backbone | None:
    """`columns` (float32, as many numbers as the columns need)."""
    return Backbone(name, 0, (), TRANSFORM, has_columns=True) if name == COLUMNS else None
