"""Label Studio's ML backend protocol: it asks for predictions of tasks, and tells of annotations.

Nothing is trained within a request: a label that Label Studio tells of becomes a label event of the project, and its
trainer follows as after every label. Files are never taken from wherever a task says: they are the project's own
samples, `data:` addresses, or what the Label Studio of `LABEL_STUDIO_URL` serves under `/data/`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.answering.served import Asked, Served, bytes_of
from app.answering.studio import Studio
from app.answering.told_labels import find_samples, record_annotation
from app.formats.errors import RefusedSampleError
from app.formats.label_studio_data import content_of
from app.kinds.image import read_file
from app.kinds.kind import kind_named
from storage.samples import SampleInfo

MOST_TASKS = 100_000  # it sends all that were chosen at once; the body has its own limit
AT_ONCE = 8  # files that are held decoded
PATIENCE_S = 90.0  # Label Studio waits 100 s; what is not answered by then it asks for again
_CHOICES = re.compile(r"<Choices\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an uploaded file

Task = dict[str, Any]


class Tasks(BaseModel):
    """What `/predict` gets."""

    tasks: list[Task] = Field(max_length=MOST_TASKS)
    label_config: str | None = Field(default="", max_length=1_000_000)


def label_studio_routes(served: Served) -> APIRouter:
    """Return the routes of the protocol, for what is served."""
    router, studio = APIRouter(tags=["Label Studio"]), Studio()

    @router.post("/predict")
    def predict(asked: Tasks) -> dict[str, Any]:
        """Answer for tasks; the score is low where the model is in doubt, for Label Studio shows low scores first."""
        answers = _answers(served, studio, asked.tasks)
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
            said = record_annotation(
                served.project, action, told, sample=_about(served, told), name_of_user=studio.email_of
            )
        except RefusedSampleError as refusal:
            said = f"not taken over: it {refusal.reason}"
        studio.follow(_number_of_project(told), served.newest_version())
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
    return told.get("name", "choice"), told.get("toName", kind_named(kind).NOUN)


def _prediction(answer: dict[str, Any], name: str, to_name: str, version: str) -> dict[str, Any] | list[Any]:
    """As Label Studio stores it; an empty list, and it stores none and asks again."""
    if "label" not in answer:
        return []
    chosen = {"choices": [answer["label"]]}
    result = {"from_name": name, "to_name": to_name, "type": "choices", "value": chosen, "score": answer["probability"]}
    return {"result": [result], "score": answer["probability"], "model_version": version}


def _answers(served: Served, studio: Studio, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Of the project's own samples as its screens show them; of others by their content, as long as there is time."""
    began, samples = time.monotonic(), _samples(served, tasks)
    known = served.answers_of_pool([sample.id for sample in samples if sample is not None])
    found = [known.get(sample.id, {}) if sample is not None else {} for sample in samples]
    rest = [place for place, one in enumerate(found) if not one]
    for start in range(0, len(rest), AT_ONCE):
        if time.monotonic() - began > PATIENCE_S:
            break
        places = rest[start : start + AT_ONCE]
        contents = [_asked(served, studio, tasks[place], samples[place]) for place in places]
        for place, answer in zip(places, served.answers(contents, collect=False), strict=True):
            found[place] = answer
    return found


def _samples(served: Served, tasks: Sequence[Task]) -> list[SampleInfo | None]:
    """The samples of the project that tasks are about."""
    if served.project is None:
        return [None] * len(tasks)
    return find_samples(served.project, [_known(served, task) for task in tasks])


def _about(served: Served, told: Task) -> SampleInfo | None:
    """The sample that something is told of."""
    task = told.get("task")
    return _samples(served, [task])[0] if isinstance(task, dict) else None


def _number_of_project(told: Task) -> object:
    project = told.get("project")
    return project.get("id") if isinstance(project, dict) else None


def _asked(served: Served, studio: Studio, task: Task, sample: SampleInfo | None) -> Asked | str:
    """What a task is about, or why it cannot be told."""
    data = task.get("data")
    if not isinstance(data, dict):
        return "is no task: it has no data"
    try:
        if not kind_named(served.kind).IN_FILES:
            return served.text(content_of(data, served.kind))
        return served.file(read_file(Path(sample.uri)) if sample is not None else _content(studio, data))
    except RefusedSampleError as refusal:
        return refusal.reason


def _known(served: Served, task: Task) -> tuple[str, str]:
    """What the project may know a task by: the hash that our own export notes, or of what is in no file; its name."""
    data, meta = task.get("data"), task.get("meta")
    if not isinstance(data, dict):
        return "", ""
    if kind_named(served.kind).IN_FILES:
        return str(meta.get("sha256", "")) if isinstance(meta, dict) else "", name_of(_address(data))
    try:
        return served.text(content_of(data, served.kind)).sha256, ""
    except RefusedSampleError:
        return "", ""


def _address(data: dict[str, Any]) -> str:
    return next((value for value in (data.get("image"), *data.values()) if isinstance(value, str)), "")


def _content(studio: Studio, data: dict[str, Any]) -> bytes:
    address = _address(data)
    return bytes_of(address) if address.startswith("data:") else studio.file(address)


def name_of(address: str) -> str:
    """The file's name in an address of Label Studio's: `/data/local-files/?d=PATH`, an upload, or the end of a path."""
    try:
        parts = urlsplit(address)
    except ValueError:  # half of an IPv6 address, which somebody's task may hold
        return ""
    inner = parse_qs(parts.query).get("d", [""])[0]
    name = unquote(inner or parts.path).rpartition("/")[2]
    return _UPLOAD.sub("", name) if "/data/upload/" in parts.path else name
