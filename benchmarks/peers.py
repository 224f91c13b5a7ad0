"""Packages that LabelLoop is measured against and does not need: put beside its environment, not into it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "labelloop-bench-peers"
# Without their dependencies: batchbald-redux asks for torchvision, which replaces the torch that is measured,
# scikit-activeml for NumPy 2, which BaaL does not run on, modAL for a skorch of 2020. What is used here needs none.
PACKAGES = {
    "modAL": "modAL-python==0.4.2.1",
    "skactiveml": "scikit-activeml==1.0.1",
    "makefun": "makefun==1.16.0",
    "small_text": "small-text==1.4.1",
    "dill": "dill==0.4.1",
    "batchbald_redux": "batchbald-redux==2.0.5",
    "toma": "toma==1.1.0",
}


def add_peers() -> None:
    """Makes the peers importable in this process; downloads those that are not there yet."""
    missing = [package for name, package in PACKAGES.items() if not (FOLDER / name).exists()]
    if missing:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER)]
        subprocess.run([*pip, *missing], check=True)
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
