"""Tries an embedding of one's own on some images, in a process of its own: it may be code that does anything.

`python -m app.project.embedding_check SOURCE IMAGE...` prints how many numbers each image becomes; or says why not, and
ends with 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from app.formats.errors import RefusedImageError
from app.kinds.image import load_image
from loops.embeddings.own_embedding import own_embedder
from loops.errors import OwnEmbeddingError


def dimensions(source: str, paths: Sequence[Path]) -> int:
    """Numbers per image.

    Args:
        source: See `loops.embeddings.own_source`.
        paths: Of images; those that cannot be read are left out.

    Raises:
        OwnEmbeddingError: If it cannot be used.
    """
    embedder = own_embedder(source, torch.device("cpu"))
    images = list(_readable(paths))[: embedder.batch_size]
    if not images:
        raise OwnEmbeddingError("there is no image to try the embedding on")
    return int(embedder.embed([embedder.prepare(image) for image in images]).shape[1])


def _readable(paths: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    for path in paths:
        try:
            yield load_image(path)
        except RefusedImageError:  # noqa: PERF203 - the import lists it
            continue


def main() -> int:
    """Tries what the command line names."""
    source, *paths = sys.argv[1:]
    try:
        sys.stdout.write(f"{dimensions(source, [Path(path) for path in paths])}\n")
    except OwnEmbeddingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
