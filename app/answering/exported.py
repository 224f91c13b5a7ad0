"""A model that `labelloop export --format model` or `onnx` wrote, as it lies in its folder."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from app.answering.answerer import About, Floats, prepared, spread
from app.errors import AnsweringError
from app.trainer.model_export import ABOUT, EMBEDDING, ONNX_FILE, TORCH_FILE, VERSION
from loops.embeddings.embedders import embedder_of
from loops.embeddings.kinds import backbone_of
from loops.embeddings.squares import to_square

_IMAGES_AT_ONCE = 32


def is_exported(folder: Path) -> bool:
    """Say whether a folder holds such a model."""
    return (folder / ABOUT).is_file() and any((folder / name).is_file() for name in (TORCH_FILE, ONNX_FILE))


class ExportedAnswerer:
    """What such a folder holds.

    Args:
        folder: Of the model.

    Raises:
        AnsweringError: It is of another version, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        try:
            told = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            if told.get("version") != VERSION:
                raise AnsweringError(f"{folder} was exported by another version of LabelLoop; export the model again.")
            self._side: int = told["side"]
            self.about = About(
                told["project"], told["kind"], tuple(told["classes"]), f"round-{told['round']}", _IMAGES_AT_ONCE,
                told["accuracy"],
            )  # fmt: skip
            self._run = _loaded(folder, told["input"])
            self._embedder = None if self._side else _embedder(folder, told)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise AnsweringError(f"{folder} holds no model that can be used: {error}") from error
        self._one_at_a_time = threading.Lock()

    def probs(self, samples: Sequence[Any]) -> tuple[Floats, dict[int, str]]:
        """Class probabilities `probs_N_C`, and why some of them have none."""
        with self._one_at_a_time:
            if self._embedder is None:
                rows, places, bad = prepared(samples, self._pixels, np.stack)
            else:
                rows, places, bad = prepared(samples, self._embedder.prepare, self._embedder.embed)
            answers = None if rows is None else self._run(rows)
        return spread(len(samples), len(self.about.classes), places, answers), bad

    def probs_of_pool(self, sample_ids: Sequence[int]) -> dict[int, Floats]:  # noqa: ARG002 - it has no pool
        """None: it knows no project's samples."""
        return {}

    def _pixels(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The square, which the model leaves as it is, so that images of all sizes go together."""
        square = to_square(image, self._side)
        return np.concatenate([square, np.full((*square.shape[:2], 1), 255, np.uint8)], axis=2)


def _embedder(folder: Path, told: dict[str, Any]) -> Any:  # noqa: ANN401 - an Embedder
    backbone = backbone_of(told["embedding"])
    if backbone.made_by != told["embedding_made_by"]:
        raise AnsweringError(f"The model in {folder} stands on another version of the embedding {backbone.name}.")
    return embedder_of(backbone, folder / EMBEDDING)


def _loaded(folder: Path, name: str) -> Callable[[NDArray[Any]], Floats]:
    if (folder / TORCH_FILE).is_file():
        module = torch.export.load(folder / TORCH_FILE).module()

        def run(inputs: NDArray[Any]) -> Floats:
            with torch.inference_mode():
                answers: Floats = module(torch.from_numpy(np.ascontiguousarray(inputs))).numpy()
                return answers

        return run
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / ONNX_FILE), providers=["CPUExecutionProvider"])
    return lambda inputs: np.asarray(session.run(None, {name: inputs})[0], np.float32)
