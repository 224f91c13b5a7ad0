"""A PostgreSQL server of the tests' own: in a temporary folder, reached by a socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian's are not in the PATH


def find_binaries() -> Path | None:
    """The folder of initdb and pg_ctl, or None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    return Path(found).parent if found else next((place for place in PLACES if (place / "initdb").is_file()), None)


@contextmanager
def running_server(binaries: Path) -> Iterator[str]:
    """Run a server; it yields the URL of its database."""
    with TemporaryDirectory(prefix="labelloop") as folder:  # a short path: a socket's may have 107 characters
        user = _server_user(folder)
        data = ["-D", f"{folder}/data"]
        initdb = [binaries / "initdb", *data, "--no-sync", "--auth=trust", "--username=tests", "--encoding=UTF8"]
        subprocess.run(initdb, user=user, cwd=folder, check=True, capture_output=True)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
        control = [binaries / "pg_ctl", *data, "-w", "-t", "60"]
        start = [*control, "-l", f"{folder}/log", "-o", options, "start"]
        subprocess.run(start, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        try:
            yield f"postgresql://tests@/postgres?host={folder}"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def restart(url: str) -> None:
    """Stop a server as a crash would, and start it again."""
    folder = url.rpartition("host=")[2]
    binaries = find_binaries()
    assert binaries is not None
    user = Path(folder, "data").stat().st_uid if os.geteuid() == 0 else os.geteuid()
    command = [binaries / "pg_ctl", "-D", f"{folder}/data", "-w", "-t", "60", "-m", "immediate", "restart"]
    subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _server_user(folder: str) -> int:
    """PostgreSQL refuses to run as root; then the folder is given to the account that may do nothing."""
    if os.geteuid() != 0:
        return os.geteuid()
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(folder, nobody, -1)
    return nobody
