"""An embedding of one's own: a function, the rows of an array file, or a network from a file or from timm.

What one's own embedding is, is said by one string, the source:

    module:function         of an importable module, or FILE.py:function
    FILE.npy                rows that exist already, one per image
    FILE.pt                 TorchScript
    FILE.onnx               ONNX; needs onnxruntime
    timm:NAME               needs timm; its weights from this machine's cache, or timm:NAME=FILE

A function is code: it runs with all the rights of whoever runs it.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from loops.backbone import TRANSFORM, Backbone
from loops.errors import OwnEmbeddingError

if TYPE_CHECKING:
    import torch

    from loops.embedding import Embedder

Kind = Literal["function", "rows", "torchscript", "onnx", "timm"]
Rows = NDArray[np.float32]

_BY_SUFFIX: dict[str, Kind] = {".npy": "rows", ".pt": "torchscript", ".onnx": "onnx"}
_FORMS = "module:function, FILE.npy, FILE.pt (TorchScript), FILE.onnx, or timm:NAME"


def kind_of(source: str) -> Kind:
    """Which kind of embedding a source names; nothing is opened.

    Raises:
        OwnEmbeddingError: If it is of none of the forms.
    """
    if source.startswith("timm:") and len(source) > len("timm:"):
        return "timm"
    if Path(source).suffix.lower() in _BY_SUFFIX:
        return _BY_SUFFIX[Path(source).suffix.lower()]
    module, _, name = source.rpartition(":")
    if module and name.isidentifier():
        return "function"
    raise OwnEmbeddingError(f"an embedding is given as {_FORMS}; found {source!r}")


def own_backbone(source: str) -> Backbone:
    """The backbone of a source; another file, or another content of it, is another backbone.

    Raises:
        OwnEmbeddingError: If there is no such file, module or package.
    """
    made_by = f"{TRANSFORM}, {fingerprint(source)}"
    digest = hashlib.sha256(f"{source} {made_by}".encode()).hexdigest()
    return Backbone(f"own-{digest[:12]}", 0, "float32", (), made_by, source)


def fingerprint(source: str) -> str:
    """What the rows depend on, besides the images: bytes of the file, or the version of timm."""
    kind = kind_of(source)
    if kind == "timm":
        weights = source.partition("=")[2]
        return f"timm {_version_of('timm')} {_digest_of(weights) if weights else ''}"
    return _digest_of(_file_of_module(source.rpartition(":")[0]) if kind == "function" else source)


def own_embedder(source: str, device: torch.device) -> Embedder:
    """Loads what a source names.

    Raises:
        OwnEmbeddingError: If it cannot be loaded.
    """
    from loops import own_networks  # torch only where something is to be embedded

    load: dict[Kind, Callable[[], Embedder]] = {
        "function": lambda: FunctionEmbedder(load_function(source)),
        "rows": GivenRows,
        "torchscript": lambda: own_networks.torchscript(Path(source), device),
        "onnx": lambda: own_networks.onnx(Path(source)),
        "timm": lambda: own_networks.timm(source.removeprefix("timm:"), device),
    }
    return load[kind_of(source)]()


class FunctionEmbedder:
    """Somebody's function: from a list of RGB images, uint8 `[H, W, 3]` of any sizes, to an array `[N, D]`."""

    batch_size = 32

    def __init__(self, function: Callable[[list[NDArray[np.uint8]]], Any]) -> None:
        self._function = function

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The image in three channels."""
        return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image

    def embed(self, prepared: Sequence[NDArray[np.uint8]]) -> Rows:
        """Calls the function."""
        try:
            found = self._function(list(prepared))
        except Exception as error:  # somebody's code may raise anything
            raise OwnEmbeddingError(f"the embedding function failed: {type(error).__name__}: {error}") from error
        return checked_rows(np.asarray(found), len(prepared))


class GivenRows:
    """Rows that exist already; what is loaded for a sample is its row."""

    batch_size = 4096

    def prepare(self, row: Rows) -> Rows:
        """Refuses a row that is no row of numbers."""
        checked: Rows = checked_rows(row[None], 1)[0]
        return checked

    def embed(self, prepared: Sequence[Rows]) -> Rows:
        """The rows as they are."""
        rows: Rows = np.stack(prepared)
        return rows


def open_rows(path: Path) -> NDArray[Any]:
    """Maps the rows of an array file, `[N, D]`, without reading them.

    Raises:
        OwnEmbeddingError: If it is no such file.
    """
    try:
        rows: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise OwnEmbeddingError(f"{path} is no array of numbers that NumPy can load: {error}") from error
    if rows.ndim != 2 or rows.dtype.kind not in "fiu" or 0 in rows.shape:
        raise OwnEmbeddingError(f"{path} must hold numbers [images, dimensions]; found {rows.dtype} {list(rows.shape)}")
    return rows


def checked_rows(found: NDArray[Any], count: int) -> Rows:
    """Refuses what is not one row of finite numbers per image; means over places are taken of feature maps.

    Raises:
        OwnEmbeddingError: If so.
    """
    if found.ndim == 4:
        found = found.mean(axis=(2, 3))
    if found.ndim != 2 or len(found) != count or found.dtype.kind not in "fiu" or found.shape[1] < 1:
        wanted = f"numbers [{count}, dimensions] for {count} images"
        raise OwnEmbeddingError(f"an embedding gives {wanted}; found {found.dtype} {list(found.shape)}")
    if not np.isfinite(found).all():
        raise OwnEmbeddingError("the embedding gave numbers that are not finite")
    return np.asarray(found, np.float32)


def load_function(source: str) -> Callable[[list[NDArray[np.uint8]]], Any]:
    """Imports the function that a source names; this runs the module's code.

    Raises:
        OwnEmbeddingError: If there is no such module or function, or its code fails.
    """
    module_name, _, name = source.rpartition(":")
    try:
        module = _module_of_file(Path(module_name)) if module_name.endswith(".py") else import_module(module_name)
    except Exception as error:  # somebody's code may raise anything
        raise OwnEmbeddingError(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise OwnEmbeddingError(f"{module_name} has no function {name}")
    return function  # type: ignore[no-any-return]


def _module_of_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # of a file that ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _file_of_module(module: str) -> str:
    if module.endswith(".py"):
        return module
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError) as error:
        raise OwnEmbeddingError(f"there is no module {module}: {error}") from error
    if spec is None or spec.origin is None:
        raise OwnEmbeddingError(f"there is no module {module}; give a file as FILE.py:function, or install it")
    return spec.origin


def _digest_of(path: str) -> str:
    try:
        found = Path(path).stat()
        return _sha256_of(path, found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise OwnEmbeddingError(f"{path} cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=8)
def _sha256_of(path: str, _size: int, _changed_at: int) -> str:
    """Read once; a file that is written anew is read again."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise OwnEmbeddingError(f"{package} is not installed; install labelloop[{package}]") from error
