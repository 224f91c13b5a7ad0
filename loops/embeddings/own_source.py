"""What one's own embedding is made of: a function, the rows of an array file, or a network, from a file or by its name.

One string, the source, says which. Nothing here loads torch.

    module:function         of an importable module, or FILE.py:function
    FILE.npy                rows that exist already, one per image
    FILE.pt                 TorchScript
    FILE.onnx               ONNX
    timm:NAME               needs timm; its weights from this machine's cache, or timm:NAME=FILE
    open_clip:MODEL/WEIGHTS                 likewise
    sentence-transformers:NAME              of texts; likewise, or sentence-transformers:NAME=FOLDER

A function is code: it runs with all the rights of whoever runs it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.backbone import Backbone
from loops.embeddings.squares import TRANSFORM
from loops.errors import OwnEmbeddingError

Kind = Literal["function", "rows", "torchscript", "onnx", "timm", "open_clip", "sentence-transformers"]

_PACKAGES: dict[Kind, str] = {
    # of the libraries that know networks by name; an extra of ours is called like each
    "timm": "timm", "open_clip": "open-clip", "sentence-transformers": "sentence-transformers",
}  # fmt: skip
_DISTRIBUTIONS = {"open-clip": "open_clip_torch"}  # where it is called otherwise
_BY_SUFFIX: dict[str, Kind] = {".npy": "rows", ".pt": "torchscript", ".onnx": "onnx"}
_FORMS = (
    "module:function, FILE.npy, FILE.pt (TorchScript), FILE.onnx, timm:NAME, open_clip:MODEL/WEIGHTS or "
    "sentence-transformers:NAME"
)


@dataclass(frozen=True)
class NamedNetwork:
    """A network that a library knows by name."""

    library: Kind
    name: str
    place: str  # the file or folder of its weights; empty: the library's cache

    def at(self, place: Path | str) -> str:
        """The source with the weights that lie there."""
        return f"{self.library}:{self.name}={place}"

    @property
    def source(self) -> str:
        """As a person names it."""
        return self.at(self.place) if self.place else f"{self.library}:{self.name}"

    @property
    def is_nowhere(self) -> str:
        """What a person is told of weights that are not here."""
        placed = self.at("FOLDER" if self.library == "sentence-transformers" else "FILE")
        return (
            "its weights are not on this machine; --download, or the button on Setup, fetches them; or place them and "
            f"say where: {placed}"
        )


def named_network(source: str) -> NamedNetwork | None:
    """The network that a source names; None where it is something else."""
    library, _, rest = source.partition(":")
    name, _, place = rest.partition("=")
    return next((NamedNetwork(known, name, place) for known in _PACKAGES if known == library and name), None)


def samples_of(source: str) -> str:
    """The kind of samples that a source embeds."""
    return "text" if kind_of(source) == "sentence-transformers" else "image"


def kind_of(source: str) -> Kind:
    """Which kind of embedding a source names; nothing is opened.

    Raises:
        OwnEmbeddingError: If it is of none of the forms.
    """
    network = named_network(source)
    if network is not None:
        return network.library
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
    return Backbone(f"own-{digest[:12]}", 0, (), made_by, source)


def fingerprint(source: str) -> str:
    """What the rows depend on, besides the samples: bytes of the file, and the version of the library that names it."""
    kind, network = kind_of(source), named_network(source)
    if network is not None:
        version_ = _version_of(_PACKAGES[network.library])
        return f"{network.library} {version_} {digest_of_network(network.place) if network.place else ''}"
    return _digest_of(_file_of_module(source.rpartition(":")[0]) if kind == "function" else source)


def digest_of_network(place: str) -> str:
    """SHA-256 of a network's file, hexadecimal; of a folder, that of all names and digests in it.

    Raises:
        OwnEmbeddingError: If it cannot be read.
    """
    if not Path(place).is_dir():
        return _digest_of(place)
    files = sorted(path for path in Path(place).rglob("*") if path.is_file())
    lines = "".join(f"{path.relative_to(place).as_posix()} {_digest_of(str(path))}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


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


def load_function(source: str) -> Callable[[list[NDArray[np.uint8]]], Any]:
    """Imports the function that a source names; this runs the module's code.

    Raises:
        OwnEmbeddingError: If there is no such module or function, or its code fails.
    """
    module_name, _, name = source.rpartition(":")
    _file_of_module(module_name)  # refuses one that is not there
    try:
        module = _module_of_file(Path(module_name)) if module_name.endswith(".py") else import_module(module_name)
    except (Exception, SystemExit) as error:  # somebody's code may raise anything, and call exit()
        raise OwnEmbeddingError(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise OwnEmbeddingError(f"{module_name} has no function {name}")
    return function  # type: ignore[no-any-return]


def _module_of_file(path: Path) -> ModuleType:
    sys.path.append(str(path.parent))  # for what it imports from beside it; last, so that it hides nothing of ours
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


@lru_cache(maxsize=64)
def _sha256_of(path: str, _size: int, _changed_at: int) -> str:
    """Read once; a file that is written anew is read again."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _version_of(package: str) -> str:
    try:
        return version(_DISTRIBUTIONS.get(package, package))
    except PackageNotFoundError as error:
        raise OwnEmbeddingError(f"{package} is not installed; install labelloop[{package}]") from error
