"""Label Studio's ML backend protocol: it asks for predictions of tasks, and tells of annotations.

Nothing is trained within a request: a label that Label Studio tells of becomes a label event of the project, and its
trainer follows as after every label. Files are never taken from wherever a task says: they are the project's own
samples, `data:` addresses, or what the Label Studio of `LABEL_STUDIO_URL` serves under `/data/`.
"""

from __future__ import annotations

import os
import re
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.answering.served import Asked, Served, bytes_of, cell
from app.answering.told_labels import find_sample, record_annotation
from app.formats.errors import RefusedSampleError
from app.formats.reading import Reading
from app.kinds.image import MAX_BYTES, read_file
from app.kinds.kind import kind_named

URL_VARIABLE, KEY_VARIABLE = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
MOST_TASKS = 1_000
_CHOICES = re.compile(r"<Choices\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")
_SECONDS = 10  # for Label Studio to hand over a file


class Tasks(BaseModel):
    """What `/predict` gets."""

    tasks: list[dict[str, Any]] = Field(max_length=MOST_TASKS)
    label_config: str | None = Field(default="", max_length=1_000_000)


def label_studio_routes(served: Served) -> APIRouter:  # noqa: C901 - a function a route
    """Return the routes of the protocol, for what is served."""
    router = APIRouter(tags=["Label Studio"])

    @router.post("/predict")
    def predict(asked: Tasks) -> dict[str, Any]:
        """Answer for tasks; the score is low where the model is in doubt, for Label Studio shows low scores first."""
        samples = [_sample(served, task) for task in asked.tasks]
        answers = served.answers(samples, collect=False)
        name, to_name = _names(asked.label_config or "", served.kind)
        return {"results": [_prediction(one, name, to_name, served.about.version) for one in answers]}

    @router.post("/setup")
    def setup(told: dict[str, Any]) -> dict[str, str]:  # noqa: ARG001 - the project is chosen where it is served
        """Say which model answers; Label Studio asks for predictions only where it has none of this version."""
        return {"model_version": served.newest_version()}

    @router.post("/webhook")
    def webhook(told: dict[str, Any]) -> JSONResponse:
        """Take over what people decide in Label Studio."""
        action = str(told.get("action"))
        if action not in ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "START_TRAINING"):
            return JSONResponse({"status": "Unknown event"}, 200)
        if served.project is None:
            return JSONResponse({"result": {}, "status": "a model alone keeps no labels"}, 201)
        try:
            task = told.get("task")
            data = task.get("data") if isinstance(task, dict) else None
            known = {"sha256": "", "name": ""}
            if isinstance(task, dict) and isinstance(data, dict):
                known = {"sha256": _sha256(served, task, data), "name": name_of(_address(data))}
            said = record_annotation(served.project, action, told, **known)
        except RefusedSampleError as refusal:
            said = f"not taken over: it {refusal.reason}"
        return JSONResponse({"result": {"said": said}, "status": "ok"}, 201)

    @router.get("/metrics")
    def metrics() -> dict[str, Any]:
        """Nothing: the project's own page has them."""
        return {}

    return router


def _names(config: str, kind: str) -> tuple[str, str]:
    """The names of the choices, and of what they are about, in a labeling config."""
    found = _CHOICES.search(config)
    told = dict(_ATTRIBUTE.findall(found.group())) if found else {}
    return told.get("name", "choice"), told.get("toName", kind)


def _prediction(answer: dict[str, Any], name: str, to_name: str, version: str) -> dict[str, Any]:
    if "error" in answer:
        return {"result": [], "score": 0.0, "model_version": version}
    chosen = {"choices": [answer["label"]]}
    result = {"from_name": name, "to_name": to_name, "type": "choices", "value": chosen, "score": answer["probability"]}
    return {"result": [result], "score": answer["probability"], "model_version": version}


def _sample(served: Served, task: dict[str, Any]) -> Asked | str:
    """What a task is about, or why it cannot be told."""
    data = task.get("data")
    if not isinstance(data, dict):
        return "is no task: it has no data"
    try:
        if not kind_named(served.kind).IN_FILES:
            return _of_data(served, data)
        return served.file(_content(served, task, data))
    except RefusedSampleError as refusal:
        return refusal.reason


def _of_data(served: Served, data: dict[str, Any]) -> Asked:
    """A row of a table, or the text among the values."""
    column = "text" if "text" in data else next((name for name in data if isinstance(data[name], str)), "")
    values = {name: cell(value) for name, value in data.items()}
    return served.text(kind_named(served.kind).text_of(values, Reading("", column)) or "")


def _sha256(served: Served, task: dict[str, Any], data: dict[str, Any]) -> str:
    """As our own export notes it, or of what is in no file."""
    if not kind_named(served.kind).IN_FILES:
        return _of_data(served, data).sha256
    meta = task.get("meta")
    return str(meta.get("sha256", "")) if isinstance(meta, dict) else ""


def _address(data: dict[str, Any]) -> str:
    return next((value for value in (data.get("image"), *data.values()) if isinstance(value, str)), "")


def _content(served: Served, task: dict[str, Any], data: dict[str, Any]) -> bytes:
    address = _address(data)
    if address.startswith("data:"):
        return bytes_of(address)
    if served.project is not None:
        sample = find_sample(served.project, sha256=_sha256(served, task, data), name=name_of(address))
        if sample is not None:
            return read_file(Path(sample.uri))
    return _fetched(address)


def _fetched(address: str) -> bytes:
    """A file that Label Studio serves."""
    base = os.environ.get(URL_VARIABLE, "").rstrip("/")
    path = address.removeprefix(base) if base else ""
    if not base.startswith(("http://", "https://")) or not path.startswith("/data/"):
        raise RefusedSampleError(f"is no sample of the project, and {URL_VARIABLE} names no Label Studio that has it")
    key = os.environ.get(KEY_VARIABLE, "")
    request = urllib.request.Request(base + path, headers={"Authorization": f"Token {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise RefusedSampleError(f"cannot be had from Label Studio: {error}") from error
    return content


def name_of(address: str) -> str:
    """The file's name in an address of Label Studio's: `/data/local-files/?d=PATH`, or the end of a path."""
    parts = urlsplit(address)
    inner = parse_qs(parts.query).get("d", [""])[0]
    return unquote(inner or parts.path).rpartition("/")[2]
