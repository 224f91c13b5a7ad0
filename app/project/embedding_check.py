"""Tries an embedding of one's own on some samples, in a process of its own: it may be code that does anything.

`python -m app.project.embedding_check ANSWER SOURCE SAMPLES` writes into the file ANSWER, as JSON, how many numbers
each sample becomes (`dimensions`), or why it cannot be used (`refused`). SAMPLES is a file too: their `kind`, and of
each of `samples` the file and what is kept of it without one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from app.formats.errors import RefusedSampleError
from app.kinds.kind import Kind, kind_named
from loops.embeddings.own_embedding import own_embedder
from loops.errors import OwnEmbeddingError


def dimensions(source: str, kind: Kind, samples: Sequence[tuple[str, str | None]]) -> int:
    """Numbers per sample.

    Args:
        source: See `loops.embeddings.own_source`.
        kind: Of the samples.
        samples: Their files and contents; those that cannot be read are left out.

    Raises:
        OwnEmbeddingError: If it cannot be used.
    """
    embedder = own_embedder(source, torch.device("cpu"))
    loaded = list(_readable(kind, samples))[: embedder.batch_size]
    if not loaded:
        raise OwnEmbeddingError(f"there is no {kind.NOUN} to try the embedding on")
    return int(embedder.embed([embedder.prepare(sample) for sample in loaded]).shape[1])


def _readable(kind: Kind, samples: Sequence[tuple[str, str | None]]) -> Iterator[Any]:
    for uri, content in samples:
        try:
            yield kind.load(uri, content)
        except RefusedSampleError:  # noqa: PERF203 - the import lists it
            continue


def main(answer: str, source: str, samples: str) -> None:
    """Tries what the command line names."""
    given = json.loads(Path(samples).read_text(encoding="utf-8"))
    try:
        found: dict[str, int | str] = {"dimensions": dimensions(source, kind_named(given["kind"]), given["samples"])}
    except OwnEmbeddingError as error:
        found = {"refused": str(error)}
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
