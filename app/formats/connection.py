"""The border to file systems that are elsewhere: fsspec finds what reads a protocol, and its faults become ours.

Credentials are those of the environment. No message of a foreign error is shown: some hold the whole address.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.formats.errors import LostConnectionError, RefusedImageError, SourceError
from app.formats.source import printable

logger = logging.getLogger(__name__)
T = TypeVar("T")

EXTRAS: Mapping[str, str] = {
    # of ours, by the protocol that they install a package for; none where LabelLoop has it already
    "s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "hf": "hf", "http": "", "https": "", "memory": "",
}  # fmt: skip
WAITS_S = (1, 2, 4, 8, 16, 32)  # between two tries: a minute without a network ends no import

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_OF_WEB = (OSError, asyncio.TimeoutError)
_SETTLED = (NotADirectoryError, IsADirectoryError, ImportError, ValueError, TypeError)  # another try changes nothing
_OUR_OWN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG)


@dataclass(frozen=True)
class Connection:
    """A place in somebody's file system."""

    system: Any  # fsspec's
    path: str  # in it
    address: str  # as people may see it
    waited: threading.Event = field(default_factory=threading.Event)  # once is enough to say so
    given_up: threading.Event = field(default_factory=threading.Event)  # by one thread: the others need not wait

    def ask(self, question: Callable[[Any], T]) -> T:
        """Ask the file system something; while it does not answer, again and again for a minute.

        Raises:
            RefusedImageError: it answers that this cannot be had.
            LostConnectionError: it does not answer.
        """
        for wait in (*WAITS_S, None):
            try:
                return question(self.system)
            except Exception as error:
                if isinstance(error, OSError) and error.errno in _OUR_OWN:
                    raise
                reason = _refusal(error)
                kind = type(error).__name__
            if reason:
                raise RefusedImageError(reason)
            if not self.waited.is_set():
                logger.warning("%s does not answer (%s); trying again for %d s.", self.address, kind, sum(WAITS_S))
            self.waited.set()
            if wait is None or self.given_up.wait(wait):
                self.given_up.set()
                raise LostConnectionError(f"{self.address} does not answer ({kind}).")
        raise AssertionError("the last try has no wait")


def is_address(given: str) -> bool:
    """Say whether what a person named lies elsewhere; `file://` and what is no address do not."""
    found = _ADDRESS.match(given)
    return found is not None and found[1].lower() != "file"


def shown(given: Path | str) -> str:
    """Return an address without what may be a secret: a name and password before the host, all from a ``?`` on."""
    text = str(given)
    if not is_address(text):
        return text
    protocol, _, rest = text.partition("://")
    place, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{protocol}://{place.rpartition('@')[2] if ':' in place else place}{slash}{path}"


def connect(address: str) -> Connection:
    """Find what reads an address; nothing is asked yet.

    Raises:
        SourceError: nothing does, or it holds a password.
    """
    from fsspec.core import url_to_fs  # loads slowly; most data lies here

    protocol, seen = address.partition("://")[0].lower(), printable(shown(address))
    if protocol not in EXTRAS:
        known = ", ".join(f"{name}://" for name in EXTRAS if name != "memory")
        raise SourceError(f"{seen} cannot be read; what can be is {known}.")
    if "::" in address:
        raise SourceError(f"{seen} chains two addresses; name one.")
    if re.match(r"[^/?#]*:[^/?#]*@", address.partition("://")[2]):
        raise SourceError(f"The address {seen} was given with a password; credentials belong into the environment.")
    try:
        system, path = url_to_fs(address)
        system.invalidate_cache()  # of an earlier look in this process
    except ImportError:
        extra = EXTRAS[protocol]
        raise SourceError(f"To read {protocol}:// addresses, install: pip install 'labelloop[{extra}]'.") from None
    except Exception as error:  # noqa: BLE001 - the border: a file system may look for credentials as it is made
        raise SourceError(f"{seen} cannot be read: {_refusal(error) or type(error).__name__}.") from None
    return Connection(system, path, seen)


def _refusal(error: Exception) -> str:
    """Say why something cannot be had, ever; empty where another try may help."""
    if isinstance(error, FileNotFoundError):
        cause = error.__cause__  # fsspec says so of a web server that is away or refuses, too
        is_of_web = isinstance(cause, _OF_WEB) or hasattr(cause, "status")
        if isinstance(cause, Exception) and is_of_web and not isinstance(cause, FileNotFoundError):
            return _refusal(cause)
        return "there is no such file or folder"
    status = next((vars(error)[name] for name in ("status", "status_code", "code") if name in vars(error)), None)
    is_denied = isinstance(error, PermissionError) or status in (401, 403)
    if is_denied or any(word in type(error).__name__ for word in ("Credential", "Auth", "Gated")):
        return "may not be read with the credentials that the environment holds"
    is_final = isinstance(status, int) and 400 <= status < 500 and status not in (408, 429)
    return f"cannot be had ({type(error).__name__})" if is_final or isinstance(error, _SETTLED) else ""
