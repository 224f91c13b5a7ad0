"""A process's share of embedding on several devices: `python -m app.trainer.embedding_pass FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from app.kinds.image import load_image
from loops.devices.embedding import embed_share

MODULE = "app.trainer.embedding_pass"

if __name__ == "__main__":
    embed_share(Path(sys.argv[1]), lambda uri: load_image(Path(uri)))
