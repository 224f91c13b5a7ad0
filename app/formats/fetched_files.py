"""Copies of files that lie elsewhere: each is fetched once, a lost connection loses none, an earlier version stays."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from app.formats.archive import LeftOut, sha256_of
from app.formats.connection import Connection
from app.formats.errors import LostConnectionError, RefusedImageError, SourceError
from app.rights import file_mode

Progress = Callable[[int, int], None]  # files fetched, files in all

WORKERS = 8  # each waits for the network most of the time


@dataclass(frozen=True, slots=True)
class FileToFetch:
    """One file to have here."""

    path: str  # in its file system
    name: str  # below the folder of copies
    version: str  # anything that changes with the file; empty: not known, so it is fetched each time
    size: int = 0  # bytes; 0: not known


@dataclass
class FetchedFiles:
    """The copies of one address."""

    folder: Path  # for the copies and the list of them, which both survive a kill
    root: Path  # below it, with the copies
    _versions: dict[str, str] = field(default_factory=dict)  # by name
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        for line in self._list.read_bytes().splitlines() if self._list.is_file() else []:
            with contextlib.suppress(ValueError):  # a kill has cut it; that file is fetched again
                name, version = json.loads(line)
                self._versions[name] = version

    def fetch(self, connection: Connection, wanted: Sequence[FileToFetch], progress: Progress | None) -> LeftOut:
        """Copy what is not here yet, or was another file then.

        Returns:
            The names of those that cannot be had, with reasons.

        Raises:
            LostConnectionError: the others are kept for the next try.
            SourceError: there is no room.
        """
        new = [one for one in wanted if not self._is_here(one)]
        self._check_room(sum(one.size for one in new), connection)
        done, left_out = len(wanted) - len(new), LeftOut()
        with ThreadPoolExecutor(WORKERS) as threads:
            try:
                for one, reason in zip(new, threads.map(lambda one: self._try(connection, one), new), strict=True):
                    left_out += [(one.name, reason)] if reason else []
                    done += 1
                    if progress is not None:
                        progress(done, len(wanted))
            except LostConnectionError as lost:
                here = sum(map(self._is_here, wanted))
                said = f"{here:,} of {len(wanted):,} files are here, and the same command goes on with the others"
                raise LostConnectionError(f"{str(lost).rstrip('.')}: {said}.") from None
        return left_out

    def _is_here(self, one: FileToFetch) -> bool:
        return bool(one.version) and self._versions.get(one.name) == one.version and (self.root / one.name).is_file()

    def _check_room(self, size: int, connection: Connection) -> None:
        if size > shutil.disk_usage(self.folder).free:
            raise SourceError(f"{connection.address} needs {size / 1e9:.1f} GB here; there is no room for that.")

    def _try(self, connection: Connection, one: FileToFetch) -> str:
        """Copy one file; say why not, if not."""
        handle, part = tempfile.mkstemp(prefix=".fetching-", dir=self.folder)
        os.close(handle)
        try:
            connection.ask(lambda system: system.get_file(one.path, part))
            self._keep(Path(part), one)
        except RefusedImageError as error:
            return error.reason
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            return "its name collides with that of another file"
        finally:
            Path(part).unlink(missing_ok=True)
        return ""

    def _keep(self, part: Path, one: FileToFetch) -> None:
        target = self.root / one.name
        target.parent.mkdir(parents=True, exist_ok=True)
        part.chmod(file_mode())
        with self._writing:
            if target.exists() and (digest := sha256_of(target)) != sha256_of(part):
                target.replace(target.with_name(f"{target.stem}.{digest[:8]}{target.suffix}"))  # labels stand on it
            part.replace(target)
            self._versions[one.name] = one.version
            with self._list.open("a", encoding="utf-8") as file:
                file.write(json.dumps([one.name, one.version]) + "\n")

    @property
    def _list(self) -> Path:
        return self.folder / ".fetched.jsonl"
