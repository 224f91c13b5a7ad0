"""A package of somebody else's, installed for a test: it adds an acquisition function by an entry point."""

from __future__ import annotations

from pathlib import Path

import pytest

MODULE = '''"""Asks where the first class is least likely."""


def score(probs_N_C_K):
    return 1.0 - probs_N_C_K[:, 0].mean(-1)
'''


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "least_first_class") -> Path:
    """Makes the package and its metadata in a folder of their own, and puts it on the path; returns the folder."""
    site = folder / "site-packages"
    metadata = site / "somebodys_acquisition-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "somebodys_acquisition.py").write_text(MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: somebodys-acquisition\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[labelloop.acquisition]\n{name} = somebodys_acquisition:score\n")
    monkeypatch.syspath_prepend(site)
    return site
