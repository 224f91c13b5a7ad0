"""A process's share of embedding on several devices: `python -m app.trainer.embedding_pass FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from app.kinds.kind import kind_named
from loops.devices.embedding import embed_share

MODULE = "app.trainer.embedding_pass"


def load(source: list[Any]) -> Any:  # noqa: ANN401 - each kind has its own
    """What an embedder takes, of a sample's kind, uri and content."""
    kind, uri, content = source
    return kind_named(kind).load(uri, content)


if __name__ == "__main__":
    embed_share(Path(sys.argv[1]), load)
