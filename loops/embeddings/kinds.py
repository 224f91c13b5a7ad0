"""What the loops know of each kind of sample: the embeddings that suit it. The one list of kinds; loads no torch.

A kind is a module of this folder, and its counterpart is in `app.kinds`. It names the module that embeds its samples,
see `loops.embeddings.embedders`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from loops.embeddings import images, tables, texts
from loops.embeddings.backbone import Backbone
from loops.errors import UnknownPredictorError


class SampleKind(Protocol):
    """A module of this folder."""

    EMBEDDERS: str  # name of the module that embeds; whoever only reads rows must not load torch
    STRUCTURE_TELLS: bool  # whether the embedding in which a pool falls into clearer groups is the better one

    def candidates(self, sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:
        """Names of the embeddings that suit samples of these sizes, the one to begin with first.

        Args:
            sizes: (width, height) in pixels of some of them; 0 where a sample has none.
        """
        ...

    def backbone(self, name: str) -> Backbone | None:
        """The embedding of a name; None where it is not of this kind."""
        ...


KINDS: Mapping[str, SampleKind] = {"image": images, "text": texts, "table": tables}


def candidates_of(kind: str, sizes: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Names of the embeddings that suit samples of this kind and these sizes, the one to begin with first."""
    return KINDS[kind].candidates(sizes)


def rivals_of(kind: str, candidates: Sequence[str]) -> tuple[str, ...]:
    """Those candidates that are to be compared before there are labels; none where that would tell nothing."""
    return tuple(candidates) if KINDS[kind].STRUCTURE_TELLS and len(candidates) > 1 else ()


def backbone_of(name: str) -> Backbone:
    """Looks up a backbone by its name.

    Raises:
        UnknownPredictorError: If there is none of that name.
    """
    return _found(name)[1]


def embedders_of(backbone: Backbone) -> str:
    """Name of the module that embeds samples of the kind whose backbone it is.

    Raises:
        UnknownPredictorError: If it is of no kind, such as somebody's own.
    """
    return _found(backbone.name)[0].EMBEDDERS


def _found(name: str) -> tuple[SampleKind, Backbone]:
    for kind in KINDS.values():
        backbone = kind.backbone(name)
        if backbone is not None:
            return kind, backbone
    raise UnknownPredictorError(name, [known for kind in KINDS.values() for known in kind.candidates([])])
