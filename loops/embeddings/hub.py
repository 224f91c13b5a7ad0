"""A hub of models: what a network of it is, its files once a person said yes, and what of it is here already.

Nothing here is called but by `app.project.hub_process`, which a person's consent starts; loads no torch.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from loops.errors import OwnEmbeddingError

Progress = Callable[[int, int], None]  # bytes here, bytes in all

ANSWER_S = 30.0  # longest wait for the hub's answer
_WEIGHTS = (".safetensors", ".bin")  # the first is preferred: it holds numbers and no code
_READ = (*_WEIGHTS, ".json", ".txt", ".model")  # what a folder of a network is read from; never code
_WHOLE = ("model.safetensors", "pytorch_model.bin")  # of a folder, the largest and last: then all of it is here
_OTHER_RUNTIMES = ("onnx", "openvino")  # folders with the same weights once more


@dataclass(frozen=True)
class Address:
    """Where a network lies on the hub."""

    repository: str  # owner/name
    files: tuple[str, ...] = ()  # any one of them is enough, the first that is there; empty: the whole folder
    revision: str | None = None  # None: the newest


@dataclass(frozen=True)
class HubFile:
    """One file of a network."""

    name: str  # in its repository
    size: int  # bytes
    sha256: str  # empty where the hub does not tell: it does of large files


@dataclass(frozen=True)
class Offer:
    """What would be downloaded."""

    repository: str
    revision: str  # of the files, as long as it takes to name them for good
    licence: str  # as the hub abbreviates it; empty: it does not say
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)

    @property
    def owner(self) -> str:
        """Who published it."""
        return self.repository.partition("/")[0]


@dataclass(frozen=True)
class Here:
    """A network whose files are on this machine."""

    place: Path  # the file, or the folder
    repository: str
    revision: str


def find(address: Address) -> Offer:
    """Asks the hub what there is; nothing is downloaded yet.

    Raises:
        OwnEmbeddingError: If it does not answer, or has no such network.
    """
    hub = _library()
    with _as_sentences(address.repository):
        api = hub.HfApi()
        found = api.model_info(address.repository, revision=address.revision, files_metadata=True, timeout=ANSWER_S)
    files = [_file(given) for given in found.siblings or ()]
    licence = next((tag.partition(":")[2] for tag in found.tags or () if tag.startswith("license:")), "")
    return Offer(address.repository, found.sha, licence, _wanted(address, files))


def fetch(address: Address, offer: Offer, progress: Progress) -> Here:
    """Downloads what was offered into the hub library's own cache, on from where an earlier download broke off.

    Args:
        address: Of the network.
        offer: What `find` said of it.
        progress: Called as bytes come.

    Raises:
        OwnEmbeddingError: If a file cannot be had, or is not the one that was offered.
    """
    hub, done = _library(), 0
    _check_room(offer)
    for file in offer.files:
        with _as_sentences(address.repository):
            path = Path(
                hub.hf_hub_download(
                    address.repository, file.name, revision=address.revision,
                    tqdm_class=_bar(lambda here, before=done: progress(before + here, offer.size)),
                )
            )  # fmt: skip
        if file.sha256 and _sha256(path) != file.sha256:
            raise OwnEmbeddingError(f"{file.name} of {address.repository} came damaged; delete {path} and try again")
        done += file.size
        progress(done, offer.size)
    found = cached(address)
    if found is None or found.revision != offer.revision:
        raise OwnEmbeddingError(f"{address.repository} was changed while it was downloaded; try again")
    return found


def cached(address: Address) -> Here | None:
    """What is on this machine already; the hub is not asked."""
    hub = _library()
    for name in address.files or _WHOLE:
        path = hub.try_to_load_from_cache(address.repository, name, revision=address.revision)
        if isinstance(path, str):  # else it is not here, or known not to be there
            folder = Path(path).parents[len(PurePosixPath(name).parts) - 1]
            return Here(Path(path) if address.files else folder, address.repository, folder.name)
    return None


def _wanted(address: Address, files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The first of the files that are enough, or all that a folder is read from, the largest last."""
    if address.files:
        found = [file for name in address.files for file in files if file.name == name][:1]
    else:
        safe = {PurePosixPath(file.name).parent for file in files if file.name.endswith(_WEIGHTS[0])}
        found = sorted((file for file in files if _is_read(PurePosixPath(file.name), safe)), key=lambda file: file.size)
    if not found or found[-1].name not in (address.files or _WHOLE):
        raise OwnEmbeddingError(f"{address.repository} holds no weights that can be used")
    return tuple(found)


def _is_read(name: PurePosixPath, safe: set[PurePosixPath]) -> bool:
    is_double = name.suffix == _WEIGHTS[1] and name.parent in safe
    return name.suffix in _READ and name.parts[0] not in _OTHER_RUNTIMES and not is_double


def _file(given: Any) -> HubFile:  # noqa: ANN401 - the hub library's
    return HubFile(given.rfilename, int(given.size or 0), given.lfs.sha256 if given.lfs else "")


def _bar(tell: Callable[[int], None]) -> type:
    """What the hub library tells how far it is, in place of a bar of its own."""
    from tqdm import tqdm

    class Told(tqdm):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
            super().__init__(*arguments, **{**options, "disable": True})
            self.n = options.get("initial", 0)

        def update(self, n: float | None = 1) -> None:  # type: ignore[override]
            self.n += n or 0
            tell(int(self.n))

    return Told


def _check_room(offer: Offer) -> None:
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    if offer.size > shutil.disk_usage(there).free:
        raise OwnEmbeddingError(f"{offer.repository} needs {offer.size / 1e6:,.0f} MB in {cache}; there is no room")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _library() -> Any:  # noqa: ANN401 - has no types that every version shares
    try:
        import huggingface_hub
    except ImportError as error:
        raise OwnEmbeddingError("the hub's library is not installed; install labelloop[hf]") from error
    return huggingface_hub


@contextmanager
def _as_sentences(repository: str) -> Iterator[None]:
    """What the hub's library raises, as sentences; what it fetched so far stays in its cache."""
    try:
        yield
    except Exception as error:  # they have no common base
        raise OwnEmbeddingError(_sentence(error, repository)) from error


def _sentence(error: Exception, repository: str) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "OfflineModeIsEnabled" in kinds or "OfflineModeIsEnabled" in str(error):
        return "the hub may not be asked: HF_HUB_OFFLINE is set"
    if kinds & {"RepositoryNotFoundError", "GatedRepoError", "RevisionNotFoundError", "HFValidationError"}:
        return f"the hub shows no network {repository} to whom HF_TOKEN names (nobody, where it is not set)"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
        return f"{repository} cannot be kept: {error.strerror}"
    return (
        f"the hub does not answer ({type(error).__name__}): the same again goes on from what came so far; without a "
        "network, place the weights yourself and add =PLACE to the name"
    )
