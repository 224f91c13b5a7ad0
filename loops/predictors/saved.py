"""Predictors in a checkpoint: as the labels they learned from, or each member's file inside the file of several."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from loops.checkpoint import SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.errors import CheckpointDamagedError, CheckpointMismatchError, MissingFeaturesError, NotFittedError
from loops.predictors.predictor import Predictor


def save_labels(predictor: Predictor, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
    """Writes the labels that a predictor was fitted on: a pickle of it would run whatever somebody put into it."""
    if predictor.fitted_on is None:
        raise NotFittedError
    labels, round_number = predictor.fitted_on
    checkpoint = {
        "learner": {"backbone": _kind_of(predictor), "num_classes": predictor.num_classes},
        "state_dict": {},
        "fitted_on": torch.tensor(sorted(labels.items()), dtype=torch.long).reshape(-1, 2),
        "round": round_number,
        "active_learning_loop": loop_state,
    }
    return write_checkpoint(checkpoint, path)


def load_labels(predictor: Predictor, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
    """Fits a predictor again on the labels that `save_labels` wrote, and returns the loop's state."""
    checkpoint = read_checkpoint(path, sha256=sha256, size=size)
    described = checkpoint.get("learner", {})
    found = described.get("backbone"), described.get("num_classes")
    if found != (_kind_of(predictor), predictor.num_classes):
        wanted = f"{_kind_of(predictor)} with {predictor.num_classes} classes"
        raise CheckpointMismatchError(path, f"{wanted} wanted, {found[0]} with {found[1]} found")
    try:
        labels = dict(checkpoint["fitted_on"].tolist())
        loop_state: dict[str, Any] = checkpoint["active_learning_loop"]
        predictor.fit(labels, round_number=checkpoint["round"])
    except MissingFeaturesError as error:  # they were made anew since, by other weights
        raise CheckpointMismatchError(path, str(error)) from error
    except (AttributeError, KeyError, ValueError) as error:
        raise CheckpointDamagedError(path, "it holds no predictor of ours") from error
    return loop_state


def _kind_of(predictor: Predictor) -> str:
    return f"{predictor.describe().name} on {predictor.store.backbone.name}"


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
