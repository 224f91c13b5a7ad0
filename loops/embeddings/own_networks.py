"""Networks of one's own, from a file: RGB squares in, one row of features per image out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loops.embeddings.embedder import checked_rows
from loops.embeddings.squares import to_square
from loops.errors import OwnEmbeddingError

SIDE = 224  # pixels, where the network does not say
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of each channel, of pixels 0..1

Forward = Callable[[NDArray[np.float32]], Any]  # standardized images [B, 3, S, S] -> [B, D] or maps [B, D, H, W]


class NetworkEmbedder:
    """A network over squares, standardized as ImageNet's are unless it says otherwise.

    Args:
        forward: The network.
        side: Pixels.
        mean: Of each channel of pixels 0..1.
        std: Likewise.
        batch_size: Images at a time.
    """

    def __init__(
        self,
        forward: Forward,
        *,
        side: int = SIDE,
        mean: Sequence[float] = _IMAGENET[0],
        std: Sequence[float] = _IMAGENET[1],
        batch_size: int = 32,
    ) -> None:
        self.batch_size = batch_size
        self._forward, self._side = forward, side
        self._mean, self._std = (np.asarray(values, np.float32).reshape(3, 1, 1) for values in (mean, std))

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A square."""
        return to_square(image, self._side)

    def embed(self, prepared: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Standardizes and runs the network."""
        pixels = np.stack(prepared).transpose(0, 3, 1, 2).astype(np.float32) / 255
        standardized = np.ascontiguousarray((pixels - self._mean) / self._std)
        try:
            found = self._forward(standardized)
        except Exception as error:  # somebody's network may raise anything
            last_line = (str(error).strip().splitlines() or [""])[-1]
            size = f"{len(prepared)} images of {self._side} x {self._side} pixels"
            raise OwnEmbeddingError(f"the network does not take {size}: {last_line}") from error
        if not isinstance(found, np.ndarray):
            raise OwnEmbeddingError(f"the network must give one tensor; found {type(found).__name__}")
        return checked_rows(found, len(prepared))


def torchscript(path: Path, device: torch.device) -> NetworkEmbedder:
    """Loads a TorchScript file.

    Raises:
        OwnEmbeddingError: If it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have people export
            network = torch.jit.load(str(path), map_location=device).eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise OwnEmbeddingError(f"{path} is no TorchScript file (torch.jit.save writes one)") from error
    return NetworkEmbedder(on_device(device, network))


def onnx(path: Path) -> NetworkEmbedder:
    """Loads an ONNX file; the size of images and a fixed size of batches are read from it.

    Raises:
        OwnEmbeddingError: If it is no ONNX file, or takes no images [B, 3, S, S].
    """
    import onnxruntime  # here, so that whoever brings another kind of file does not wait for it

    try:
        session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    except Exception as error:  # its errors have no public base
        raise OwnEmbeddingError(f"{path} is no ONNX file that onnxruntime can load") from error
    given = session.get_inputs()[0]
    if len(session.get_inputs()) != 1 or given.type != "tensor(float)" or len(given.shape) != 4 or given.shape[1] != 3:
        raise OwnEmbeddingError(f"{path} must take float images [B, 3, S, S]; it takes {given.type} {given.shape}")
    batch, _, side, _ = (size if isinstance(size, int) else None for size in given.shape)

    def forward(images: NDArray[np.float32]) -> Any:  # noqa: ANN401 - whatever somebody's network gives
        filled = np.zeros((batch or len(images), *images.shape[1:]), np.float32)
        filled[: len(images)] = images
        return session.run(None, {given.name: filled})[0][: len(images)]

    return NetworkEmbedder(forward, side=side or SIDE, batch_size=batch or 32)


def on_device(device: torch.device, network: Callable[[Tensor], Any]) -> Forward:
    """The network as a function of arrays; what is no tensor stays what it is."""

    @torch.inference_mode()
    def forward(images: NDArray[np.float32]) -> Any:  # noqa: ANN401 - whatever somebody's network gives
        found = network(torch.from_numpy(images).to(device))
        return found.float().cpu().numpy() if isinstance(found, Tensor) else found

    return forward
