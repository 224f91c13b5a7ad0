"""Tries an embedding of one's own on some images, in a process of its own: it may be code that does anything.

`python -m app.project.embedding_check ANSWER SOURCE IMAGE...` writes into the file ANSWER, as JSON, how many numbers
each image becomes (`dimensions`), or why it cannot be used (`refused`).
"""

from __future__ import annotations

import json
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


def main(answer: str, source: str, *paths: str) -> None:
    """Tries what the command line names."""
    try:
        found: dict[str, int | str] = {"dimensions": dimensions(source, [Path(path) for path in paths])}
    except OwnEmbeddingError as error:
        found = {"refused": str(error)}
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
