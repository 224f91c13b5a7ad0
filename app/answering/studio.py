"""The Label Studio that `LABEL_STUDIO_URL` names: its files, its people, and which answers it goes by.

With a key it is told of newer rounds: it asks for the answers of all its tasks anew, and shows and sorts by those. By
itself Label Studio does neither.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from typing import Any
from urllib.parse import unquote

import requests

from app.formats.errors import RefusedSampleError
from app.kinds.image_limits import max_bytes

URL_VARIABLE, KEY_VARIABLE = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
_PIECE = 1_000_000  # bytes
_SECONDS = 10  # to hand over a file or a name
_SECONDS_OF_ALL = 120.0  # to ask for all answers: it waits 100 for ours

logger = logging.getLogger(__name__)


class Studio:
    """What is asked of it; what it has been told is remembered."""

    def __init__(self) -> None:
        self._going_by: dict[str, str] = {}  # version by project number
        self._emails: dict[int, str] = {}

    def file(self, address: str) -> bytes:
        """A file that it serves.

        Raises:
            RefusedSampleError: Another has it, or it does not hand it over.
        """
        base = _base()
        path = address.removeprefix(base) if base else ""
        climbs = ".." in unquote(path.partition("?")[0]).split("/")  # out of /data/, to what the key opens
        if not base or not path.startswith("/data/") or climbs:
            raise RefusedSampleError(
                f"is no sample of the project, and {URL_VARIABLE} names no Label Studio that has it"
            )
        try:
            return _asked(path, _authorization(), seconds=_SECONDS)
        except (OSError, ValueError) as error:
            raise RefusedSampleError(f"cannot be had from Label Studio: {error}") from error

    def email_of(self, user: int) -> str:
        """The email address of one of its people; empty where it does not say."""
        if user not in self._emails and _base() and os.environ.get(KEY_VARIABLE):
            try:
                said = json.loads(_asked(f"/api/users/{user}/", _authorization(), seconds=_SECONDS))
                self._emails[user] = str(said.get("email") or "")
            except (OSError, ValueError, AttributeError) as error:
                logger.warning("Label Studio does not say who its user %d is: %s", user, error)
        return self._emails.get(user, "")

    def follow(self, project: object, version: str) -> None:
        """Have one of its projects go by the answers of a version, if it does not yet; in the background.

        Args:
            project: Its number, as Label Studio tells it; anything else is left alone.
            version: Of who answers; empty: nobody yet.
        """
        if not (isinstance(project, int) and version and _base() and os.environ.get(KEY_VARIABLE)):
            return
        if self._going_by.get(str(project)) != version:
            self._going_by[str(project)] = version
            named = f"label studio {project}"
            threading.Thread(target=self._switch, args=(project, version), name=named, daemon=True).start()

    def _switch(self, project: int, version: str) -> None:
        """First the answers, then the switch: a task without an answer of the version has no place in the order."""
        everything = {"selectedItems": {"all": True, "excluded": []}, "project": str(project)}
        fetch = f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}"
        try:
            login = _authorization()
            _asked(fetch, login, everything, seconds=_SECONDS_OF_ALL)
            _asked(f"/api/projects/{project}/", login, {"model_version": version}, method="PATCH", seconds=_SECONDS)
        except (OSError, ValueError) as error:
            self._going_by.pop(str(project), None)  # the next label tries again
            logger.warning("Label Studio goes on with the answers of before: %s", error)


def _base() -> str:
    base = os.environ.get(URL_VARIABLE, "").rstrip("/")
    return base if base.startswith(("http://", "https://")) else ""


def _authorization() -> dict[str, str]:
    """The header of the key: a personal token is exchanged for one that lasts minutes, a legacy one stands as it is."""
    key = os.environ.get(KEY_VARIABLE, "")
    if key.count(".") != 2:
        return {"Authorization": f"Token {key}"} if key else {}
    said = json.loads(_asked("/api/token/refresh/", {}, {"refresh": key}, seconds=_SECONDS))
    return {"Authorization": f"Bearer {said['access']}"} if isinstance(said, dict) and "access" in said else {}


def _asked(
    path: str, login: dict[str, str], body: dict[str, Any] | None = None, *, method: str = "", seconds: float
) -> bytes:
    """What it answers, up to a byte more than a sample may have; every refusal and failure is an OSError."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:  # a header would give way to a .netrc
        request.headers.update(login)
        return request

    method = method or ("GET" if body is None else "POST")
    said = bytearray()
    with requests.request(method, _base() + path, json=body, auth=sign, stream=True, timeout=seconds) as answer:
        answer.raise_for_status()
        for piece in answer.iter_content(_PIECE):
            said += piece
            if len(said) > max_bytes():
                break
    return bytes(said[: max_bytes() + 1])
