"""A folder that is there whole or not at all: readers never see half an export, and nothing is overwritten."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import ExportError


def new_target(out: Path) -> Path:
    """Return the absolute path of an export's folder.

    Raises:
        ExportError: When something is there.
    """
    target = out.expanduser().absolute()
    if target.exists() or target.is_symlink():
        raise ExportError(f"{target} is there already; an export needs a new folder, nothing is overwritten.")
    return target


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write to, which becomes ``target`` when all went well and is gone when not.

    Raises:
        ExportError: When it cannot be written.
    """
    try:
        with _renamed_when_whole(target) as temporary:
            yield temporary
    except OSError as error:
        raise ExportError(
            f"The export to {target} failed: {error.strerror or error}; nothing was left there."
        ) from error


@contextmanager
def _renamed_when_whole(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:100]}."))
    try:
        yield temporary
        # The project's files are its owner's alone; whoever an export is for could read nothing of it.
        for path in [temporary, *temporary.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
