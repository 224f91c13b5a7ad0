"""A predictor on its own, in one file that needs nothing of ours: images, or rows of numbers, to probabilities."""

from __future__ import annotations

import io
import json
import logging
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from loops.embeddings.features import FeatureStore
from loops.embeddings.lite_networks import PooledFeatures
from loops.embeddings.squares_module import Squares
from loops.errors import OnnxMissingError
from loops.files import replace_file


class ExportedModel(nn.Module):
    """What answers, and before it whatever torch can do of the way from a sample to its row.

    Args:
        answer: From stored rows to class probabilities; see `Predictor.as_module`.
        store: Says what a stored row is.
        num_classes: C.
    """

    def __init__(self, answer: nn.Module, store: FeatureStore, *, num_classes: int) -> None:
        super().__init__()
        self.answer, self.num_classes = answer, num_classes
        self.side = store.backbone.side  # pixels; 0: it takes rows of numbers
        self.channels = store.row_shape[0] if store.backbone.is_pixels else 3
        self.numbers = 0 if self.side else store.row_shape[0]  # of a row
        embed = [] if store.backbone.is_pixels else [PooledFeatures()]
        self.embed = nn.Sequential(*([Squares(self.side, self.channels), *embed] if self.side else []))
        # torch.export.save warns of weights that are laid out as channels_last.
        self.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.eval().requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Class probabilities `[B, C]` of images, uint8 RGBA `[B, H, W, 4]`, or of rows `[B, numbers]`."""
        probs: Tensor = self.answer(self.embed(inputs))
        return probs

    @property
    def input_name(self) -> str:
        """What it takes, in a word."""
        return "images" if self.side else "rows"

    @property
    def example(self) -> Tensor:
        """Inputs of a kind that fits; more than one, or the number would become a constant."""
        if self.side:
            return torch.zeros((2, self.side + 1, self.side + 2, 4), dtype=torch.uint8)
        return torch.zeros((2, self.numbers))

    @property
    def free_sizes(self) -> dict[int, torch.export.Dim]:
        """The dimensions of the inputs that may be of any size."""
        names = ("batch", "height", "width") if self.side else ("batch",)
        return {place: torch.export.Dim(name) for place, name in enumerate(names)}


def save_model(model: ExportedModel, path: Path) -> None:
    """Writes the model, for inputs of any size, so that torch alone can load it.

    Args:
        model: On the CPU.
        path: In an existing folder; replaced atomically.
    """
    program = torch.export.export(model, (model.example,), dynamic_shapes=(model.free_sizes,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names folders of this machine, and the file goes to other ones
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    replace_file(path, buffer.getvalue())


def save_onnx(model: ExportedModel, path: Path, about: Mapping[str, object]) -> None:
    """Writes the model as ONNX.

    Args:
        model: On the CPU.
        path: In an existing folder; replaced atomically.
        about: Goes into the file's own metadata, each value as JSON.

    Raises:
        OnnxMissingError: If the packages that write ONNX are not installed.
    """
    try:
        import onnxscript  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError as error:
        raise OnnxMissingError from error
    # The exporter warns of its own parts, and of packages that nobody needs here.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            (model.example,),
            input_names=[model.input_name],
            output_names=["probabilities"],
            dynamic_shapes=(model.free_sizes,),
            dynamo=True,
            verbose=False,
        )
    assert program is not None, "the newer exporter returns it"
    program.model.metadata_props.update({key: json.dumps(value, ensure_ascii=False) for key, value in about.items()})
    for node in program.model.graph:
        node.metadata_props.clear()  # stack traces name folders of this machine
    with tempfile.TemporaryDirectory() as folder:
        program.save(Path(folder, path.name))
        replace_file(path, Path(folder, path.name).read_bytes())
