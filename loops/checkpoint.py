"""Checkpoints that are whole or not there, and that are never trusted unread.

Lightning 1.9.5 writes in place: 7 of 40 `kill -9` during a save left the only checkpoint unloadable. `torch.load` in
turn reads bit-rotted weights without a word. So every file ends in the SHA-256 of what stands before it.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import CheckpointIO

from loops.errors import CheckpointDamagedError
from loops.files import replace_file

_SEAL_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class SavedCheckpoint:
    """A checkpoint file as it was written; the database keeps hash and size beside the path."""

    path: Path
    sha256: str  # of the whole file, seal included
    size: int  # bytes


def checkpoint_at(path: Path) -> SavedCheckpoint:
    """The file as it lies there, where no database says what it should be; the seal inside tells damage."""
    content = path.read_bytes()
    return SavedCheckpoint(path, hashlib.sha256(content).hexdigest(), len(content))


def write_checkpoint(checkpoint: dict[str, Any], path: Path) -> SavedCheckpoint:
    """Writes atomically: whoever looks at `path` finds the old file or the whole new one.

    Args:
        checkpoint: Tensors and plain values only; anything else is refused before the old file is touched.
        path: In an existing folder.

    Raises:
        CheckpointDamagedError: If what would be written could not be read back.
    """
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    payload = buffer.getvalue()
    _unpickle(payload, path)
    sealed = payload + hashlib.sha256(payload).digest()
    replace_file(path, sealed)
    return SavedCheckpoint(path, hashlib.sha256(sealed).hexdigest(), len(sealed))


def read_checkpoint(path: Path, *, sha256: str | None = None, size: int | None = None) -> dict[str, Any]:
    """Reads a checkpoint after verifying every byte; runs no code from it.

    Args:
        path: What `write_checkpoint` wrote.
        sha256: What the database says of it; None: the seal alone decides.
        size: Likewise, in bytes.

    Raises:
        CheckpointDamagedError: If the file is missing, changed, cut short, or holds more than tensors and plain values.
    """
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise CheckpointDamagedError(path, f"it cannot be read ({error.strerror})") from error
    if size is not None and len(sealed) != size:
        raise CheckpointDamagedError(path, f"{size} bytes were written, {len(sealed)} found")
    if sha256 is not None and hashlib.sha256(sealed).hexdigest() != sha256:
        raise CheckpointDamagedError(path, "its content is not what was written")
    payload, seal = sealed[:-_SEAL_BYTES], sealed[-_SEAL_BYTES:]
    if hashlib.sha256(payload).digest() != seal:
        raise CheckpointDamagedError(path, "its content is not what was sealed")
    return _unpickle(payload, path)


def _unpickle(payload: bytes, path: Path) -> dict[str, Any]:
    # weights_only, always: the seal says that nothing changed, not that somebody harmless wrote it.
    try:
        checkpoint = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError, KeyError) as error:
        found = re.search(r"GLOBAL (\S+) was not", str(error))  # as torch names, say, a layer among hyperparameters
        named = f", a {found[1]}" if found else ""
        raise CheckpointDamagedError(path, f"it holds more than tensors and plain values{named}") from error
    if not isinstance(checkpoint, dict):
        raise CheckpointDamagedError(path, f"it holds a {type(checkpoint).__name__}, not a checkpoint")
    return checkpoint


class AtomicCheckpointIO(CheckpointIO):  # type: ignore[misc]
    """Lets Lightning save and load through `write_checkpoint` and `read_checkpoint`."""

    # Lightning's signatures, hence the unused arguments.
    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:  # noqa: ANN401, ARG002
        """Saves atomically, sealed; see `write_checkpoint`. The folder is made, as Lightning's own does."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_checkpoint(checkpoint, Path(path))

    def load_checkpoint(self, path: str | Path, map_location: Any = None) -> dict[str, Any]:  # noqa: ANN401, ARG002
        """Loads to the CPU after verifying the seal; Lightning moves the tensors."""
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Removes a checkpoint; none there is no error."""
        Path(path).unlink(missing_ok=True)
