"""What a checkpoint says of a fitted model beside Lightning's own entries, and what is refused when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from loops.errors import CheckpointDamagedError, CheckpointMismatchError


@dataclass(frozen=True)
class SavedModel:
    """A model's weights with what must be known to build it again, and the state of the loop it belongs to."""

    backbone: str
    num_classes: int  # C
    inputs: int  # channels of an image, or dimensions of a feature vector
    weights: dict[str, Any]
    loop_state: dict[str, Any]  # plain values only, such as `Loop.state_dict()`

    def checkpoint(self) -> dict[str, Any]:
        """Return it as `write_checkpoint` takes it."""
        return {
            "pytorch-lightning_version": version("pytorch-lightning"),
            "learner": {"backbone": self.backbone, "num_classes": self.num_classes, "inputs": self.inputs},
            "state_dict": self.weights,
            "active_learning_loop": self.loop_state,
        }


def saved_model(checkpoint: dict[str, Any], path: Path, *, backbone: str, num_classes: int) -> SavedModel:
    """Return what `SavedModel.checkpoint` made, if it is of the kind that is wanted.

    Args:
        checkpoint: As `read_checkpoint` read it.
        path: Where from, for the message.
        backbone: The one wanted.
        num_classes: C, wanted.

    Raises:
        CheckpointDamagedError: If it holds no model.
        CheckpointMismatchError: If it holds a model of another backbone or number of classes.
    """
    try:
        described = checkpoint["learner"]
        found = described["backbone"], described["num_classes"]
        if found != (backbone, num_classes):  # first of all: a graph, say, has no inputs, and is sound
            wanted = f"{backbone} with {num_classes} classes"
            raise CheckpointMismatchError(path, f"{wanted} wanted, {found[0]} with {found[1]} found")
        return SavedModel(*found, described["inputs"], checkpoint["state_dict"], checkpoint["active_learning_loop"])
    except (KeyError, TypeError) as error:
        raise CheckpointDamagedError(path, "it holds no model of ours") from error
