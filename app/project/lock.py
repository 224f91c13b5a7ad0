"""One trainer per project, held by the operating system: it lets go the moment the process is gone, however it went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from app.errors import TrainerRunningError


@contextmanager
def trainer_lock(path: Path) -> Iterator[None]:
    """Holds the project's trainer lock (`flock` where there is one).

    Args:
        path: The lock file; it stays behind, and means nothing by itself.

    Raises:
        TrainerRunningError: If another process holds it.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise TrainerRunningError(path.parent) from error
    try:
        yield
    finally:
        lock.release()
