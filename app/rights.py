"""Who may read a project's files: its owner alone, or a group where that is asked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SHARE_VARIABLE = "LABELLOOP_SHARE"  # "group": the files are the group's too
_MASKS = {"group": 0o007, "": 0o077}


def keep_private() -> None:
    """Let all files and folders that this process and its children make be their owner's, or their group's too."""
    os.umask(_MASKS[_share()])


def file_mode() -> int:
    """Return the rights of a file that is made by other means."""
    return 0o666 & ~_MASKS[_share()]


def folder_mode() -> int:
    """Return the rights of a folder that is made by other means."""
    return 0o777 & ~_MASKS[_share()]


def make_private(folder: Path) -> None:
    """Take others' rights away from a project that an earlier version has made; what is not ours stays as it is."""
    if sys.platform == "win32":
        return
    mask = _MASKS[_share()]
    for path in [folder, *folder.iterdir()]:
        status = path.lstat()
        if status.st_uid == os.getuid() and status.st_mode & mask & 0o777 and not path.is_symlink():
            path.chmod(status.st_mode & ~mask & 0o777)


def _share() -> str:
    return "group" if os.environ.get(SHARE_VARIABLE) == "group" else ""
