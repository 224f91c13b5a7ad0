"""A round's model on its own: uint8 images in, class probabilities out, in one file that needs nothing of ours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from loops.checkpoint import read_checkpoint
from loops.embeddings.backbone import Backbone
from loops.embeddings.embedding import PooledFeatures
from loops.embeddings.kinds import backbone_of
from loops.errors import CheckpointDamagedError, UnexportableModelError
from loops.files import replace_file
from loops.predictors.layers import network_parts


class ExportedModel(nn.Module):
    """The mean vote of one or more members over what a backbone makes of images, dropout off.

    Args:
        members: From stored rows to logits; a single predictor is a committee of one.
        side: Of the images, in pixels.
        channels: Of the images: 1 (gray) or 3 (RGB).
        num_classes: C.
        embed: From images to stored rows; empty where the rows are the images.
    """

    def __init__(
        self, members: Sequence[nn.Module], *, side: int, channels: int, num_classes: int, embed: nn.Module
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.embed = embed
        self.side, self.channels, self.num_classes = side, channels, num_classes
        # torch.export.save warns of weights that are laid out as channels_last.
        self.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Class probabilities `[B, C]` of uint8 images `[B, channels, side, side]`."""
        rows = self.embed(images)
        votes = [torch.softmax(member(rows), dim=1) for member in self.members]
        return torch.stack(votes).mean(0)


def model_of_checkpoint(path: Path, *, sha256: str, size: int) -> ExportedModel | None:
    """Reads what a predictor made of networks wrote; no feature store and no settings are needed.

    Args:
        path: The checkpoint.
        sha256: What the database says of it.
        size: Likewise, in bytes.

    Returns:
        The model; None where something answers that is no network, such as a graph.

    Raises:
        CheckpointDamagedError: If it is not that file, or holds no model of ours.
        UnexportableModelError: If it is no model of images.
    """
    checkpoint = read_checkpoint(path, sha256=sha256, size=size)
    try:
        networks = _networks_in(checkpoint)
        return _model_of(networks) if networks else None
    except (KeyError, TypeError) as error:
        raise CheckpointDamagedError(path, "it holds no model of ours") from error
    except RuntimeError as error:
        raise CheckpointDamagedError(path, "its weights do not fit its description") from error


def save_model(model: ExportedModel, path: Path) -> None:
    """Writes the model, for batches of any size, so that torch alone can load it.

    Args:
        model: On the CPU.
        path: In an existing folder; replaced atomically.
    """
    images = torch.zeros((2, model.channels, model.side, model.side), dtype=torch.uint8)  # 1 would become a constant
    program = torch.export.export(model, (images,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names folders of this machine, and the file goes to other ones
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    replace_file(path, buffer.getvalue())


def _networks_in(checkpoint: dict[str, Any]) -> list[dict[str, Any]]:
    """The checkpoints of the networks that answer together; none where they do not answer alone."""
    parts = checkpoint.get("answering") or checkpoint.get("members")
    if parts is None:
        return [checkpoint] if checkpoint["state_dict"] else []
    networks = [_networks_in(part) for part in parts]
    return [network for found in networks for network in found] if all(networks) else []


def _model_of(checkpoints: Sequence[dict[str, Any]]) -> ExportedModel:
    described = checkpoints[0]["learner"]
    backbone = backbone_of(described["backbone"])
    if not backbone.side:
        raise UnexportableModelError(backbone.name)
    return ExportedModel(
        [_member(checkpoint, backbone) for checkpoint in checkpoints],
        side=backbone.side,
        channels=described["inputs"] if backbone.is_pixels else 3,
        num_classes=described["num_classes"],
        embed=nn.Identity() if backbone.is_pixels else PooledFeatures(),
    )


def _member(checkpoint: dict[str, Any], backbone: Backbone) -> nn.Module:
    described = checkpoint["learner"]
    row_shape = (described["inputs"], *backbone.row_shape[1:])
    parts = network_parts(row_shape, described["num_classes"])
    named = nn.ModuleDict(dict(zip(("prepare", "backbone", "head"), parts, strict=True)))  # as Classifier calls them
    named.load_state_dict(checkpoint["state_dict"])
    return nn.Sequential(*parts)
