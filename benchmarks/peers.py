"""Packages that LabelLoop is measured against and does not need: put beside its environment, not into it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "labelloop-bench-peers"
# Without their dependencies: batchbald-redux asks for torchvision, which replaces the torch that is measured.
REDUX = ("batchbald-redux==2.0.5", "toma==1.1.0")


def add_redux() -> None:
    """Makes `batchbald_redux` importable in this process; downloads it the first time."""
    if not (FOLDER / "batchbald_redux").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER)]
        subprocess.run([*pip, *REDUX], check=True)
    sys.path.append(str(FOLDER))
