"""Predictors in one checkpoint: each member's own file inside the file of those that hold several."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loops.checkpoint import read_checkpoint, write_checkpoint
from loops.predictors.predictor import Predictor


def saved_members(members: Sequence[Predictor]) -> list[dict[str, Any]]:
    """What each member's `save` writes, as a checkpoint takes it."""
    with tempfile.TemporaryDirectory() as folder:
        files = [member.save(Path(folder, f"{k}.ckpt"), {}).path for k, member in enumerate(members)]
        return [read_checkpoint(file) for file in files]


def load_members(members: Sequence[Predictor], checkpoints: Sequence[dict[str, Any]], name: str) -> None:
    """Lets each member check and load its own part.

    Args:
        members: As many as there are checkpoints, of the same kinds in the same order.
        checkpoints: As `saved_members` gave them.
        name: Of the file they came from, for messages.

    Raises:
        CheckpointDamagedError: If a part is not one of ours.
        CheckpointMismatchError: If a part is of another kind.
    """
    with tempfile.TemporaryDirectory() as folder:
        for member, checkpoint in zip(members, checkpoints, strict=True):
            saved = write_checkpoint(checkpoint, Path(folder, name))
            member.load(saved.path, sha256=saved.sha256, size=saved.size)
