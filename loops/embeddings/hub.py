"""A hub of models: what a network of it is, its files once a person said yes, and what of it is here already.

Nothing here is called but by `app.project.hub_process`, which a person's consent starts; loads no torch.
"""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from loops.embeddings.own_source import digest_of_network
from loops.errors import OwnEmbeddingError
from loops.files import cache_folder

Progress = Callable[[int, int], None]  # bytes here, bytes in all

ANSWER_S = 30.0  # longest wait for the hub's answer
WAITS_S = (1, 4)  # between two tries; a person watches, and may say so again
BLOCK = 1 << 20  # bytes written at a time
_WEIGHTS = (".safetensors", ".bin")  # the first is preferred: it holds numbers and no code
_READ = (*_WEIGHTS, ".json", ".txt", ".model")  # what a folder of a network is read from; never code
_OUR_OWN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
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
    is_folder: bool = False  # whether the network is read from a folder, and not from its one file

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
    return Offer(address.repository, found.sha, licence, _wanted(address, files), is_folder=not address.files)


def fetch(offer: Offer, progress: Progress) -> Here:
    """Downloads what was offered into the cache, on from where an earlier download broke off.

    The hub library's own download begins anew after a kill, so it only says where the files are and who asks.

    Args:
        offer: What `find` said of the network.
        progress: Called as bytes come.

    Raises:
        OwnEmbeddingError: If a file cannot be had, or is not the one that was offered.
    """
    folder, done = _folder_of(offer.repository) / offer.revision, 0
    _check_room(offer, folder)
    for file in offer.files:
        path = folder / file.name
        if path.is_file():
            progress(done + file.size, offer.size)
        else:
            with _as_sentences(offer.repository):
                path.parent.mkdir(parents=True, exist_ok=True)
                _download(offer, file, path, partial(_tell, progress, done, offer.size))
        done += file.size
    return Here(folder if offer.is_folder else folder / offer.files[0].name, offer.repository, offer.revision)


def _tell(progress: Progress, before: int, size: int, here: int) -> None:
    progress(before + here, size)


def cached(address: Address) -> Here | None:
    """What is on this machine already, fetched by `fetch` or by another program of the hub; the hub is not asked."""
    for name in address.files or _WHOLE:
        path = _fetched(address, name) or _fetched_by_others(address, name)
        if path is not None:
            folder = path.parents[len(PurePosixPath(name).parts) - 1]
            return Here(path if address.files else folder, address.repository, folder.name)
    return None


def _folder_of(repository: str) -> Path:
    return cache_folder() / "networks" / repository.replace("/", "--")  # for all projects


def _fetched(address: Address, name: str) -> Path | None:
    found = _folder_of(address.repository).glob(f"{address.revision or '*'}/{name}")
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _fetched_by_others(address: Address, name: str) -> Path | None:
    found = _library().try_to_load_from_cache(address.repository, name, revision=address.revision)
    return Path(found) if isinstance(found, str) else None  # else it is not here, or known not to be there


def _download(offer: Offer, file: HubFile, path: Path, tell: Callable[[int], None]) -> None:
    """Fetches a file beside its place, and puts it there once it is whole and the one that was offered."""
    part = path.with_name(f"{path.name}.part")
    for wait in (*WAITS_S, None):
        try:
            _go_on(offer, file, part, tell)
            break
        except OSError as error:  # of the connection: what came so far stays
            is_answer = getattr(error, "response", None) is not None
            if wait is None or is_answer or error.errno in _OUR_OWN:
                raise
            time.sleep(wait)
    if file.sha256 and digest_of_network(str(part)) != file.sha256:
        part.unlink()
        raise OwnEmbeddingError(f"{file.name} of {offer.repository} came damaged; try again")
    part.replace(path)


def _go_on(offer: Offer, file: HubFile, part: Path, tell: Callable[[int], None]) -> None:
    import requests  # here: most of this module is asked without a network

    here = part.stat().st_size if part.is_file() else 0
    if here >= file.size > 0:
        return
    hub = _library()
    address = hub.hf_hub_url(offer.repository, file.name, revision=offer.revision)
    headers = {**hub.utils.build_hf_headers(), "Range": f"bytes={here}-"}
    with requests.get(address, headers=headers, stream=True, timeout=ANSWER_S) as answer:
        answer.raise_for_status()
        is_rest = answer.status_code == requests.codes.partial_content
        with part.open("ab" if is_rest else "wb") as out:
            for block in answer.iter_content(BLOCK):
                out.write(block)
                tell(out.tell())
    if part.stat().st_size < file.size:
        raise ConnectionError(f"{file.name} broke off")


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
    if name.is_absolute() or ".." in name.parts:  # it would be written elsewhere
        return False
    return name.suffix in _READ and name.parts[0] not in _OTHER_RUNTIMES and not is_double


def _file(given: Any) -> HubFile:  # noqa: ANN401 - the hub library's
    return HubFile(given.rfilename, int(given.size or 0), given.lfs.sha256 if given.lfs else "")


def _check_room(offer: Offer, folder: Path) -> None:
    there = next(parent for parent in folder.parents if parent.is_dir())
    if offer.size > shutil.disk_usage(there).free:
        raise OwnEmbeddingError(f"{offer.repository} needs {offer.size / 1e6:,.0f} MB in {there}; there is no room")


def _library() -> Any:  # noqa: ANN401 - has no types that every version shares
    try:
        import huggingface_hub
    except ImportError as error:
        raise OwnEmbeddingError("the hub's library is not installed; install labelloop[hf]") from error
    return huggingface_hub


@contextmanager
def _as_sentences(repository: str) -> Iterator[None]:
    """What the hub's library and the connection raise, as sentences."""
    try:
        yield
    except OwnEmbeddingError:
        raise
    except Exception as error:  # they have no common base
        raise OwnEmbeddingError(_sentence(error, repository)) from error


def _sentence(error: Exception, repository: str) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "OfflineModeIsEnabled" in kinds or "OfflineModeIsEnabled" in str(error):
        return "the hub may not be asked: HF_HUB_OFFLINE is set"
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status in (401, 403, 404) or kinds & {
        "RepositoryNotFoundError",
        "GatedRepoError",
        "RevisionNotFoundError",
        "HFValidationError",
    }:
        return f"the hub shows no network {repository} to whom HF_TOKEN names (nobody, where it is not set)"
    if isinstance(error, OSError) and error.errno in _OUR_OWN:
        return f"{repository} cannot be kept: {error.strerror}"
    return (
        f"the hub does not answer ({type(error).__name__}): the same again goes on from what came so far; without a "
        "network, place the weights yourself and add =PLACE to the name"
    )
