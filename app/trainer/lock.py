"""One trainer per project, held by the operating system: it lets go the moment the process is gone, however it went."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import TrainerRunningError

if os.name == "posix":
    import fcntl
else:
    import msvcrt


@contextmanager
def trainer_lock(path: Path) -> Iterator[None]:
    """Holds the project's trainer lock.

    Args:
        path: The lock file; it stays behind, empty, and means nothing by itself.

    Raises:
        TrainerRunningError: If another process holds it.
    """
    with path.open("a") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise TrainerRunningError(path.parent) from error
        yield


def _lock(descriptor: int) -> None:
    if os.name == "posix":
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
