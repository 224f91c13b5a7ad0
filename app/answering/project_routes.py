"""A project over HTTP: what the screens do, and `app.client.Project`, which does all of it. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from app.answering.zipped_export import zipped_export
from app.client import Predictions, Project, Question
from app.client_arguments import REQUEST_ID
from app.formats.errors import RefusedSampleError
from app.project.project import open_project
from storage.current import CurrentLabel
from storage.events import LabelEventInfo
from storage.metrics import MetricInfo
from storage.plain import LARGEST_ID
from storage.projects import ClassInfo
from storage.rounds import RoundInfo
from storage.samples import SampleInfo

PAGE, LARGEST_PAGE = 100, 1_000  # samples
MOST_ASKED = 100  # samples that one page may hold back from others
HERE = frozenset({"127.0.0.1", "localhost", "::1"})


_NO_NUL = r"^[^\x00]*$"
_ClassName = Annotated[str, Field(pattern=_NO_NUL)]  # as long as storage takes it, which sets no limit
SearchedClass = Annotated[str, Query(pattern=_NO_NUL)]
_Line = Annotated[str, Field(max_length=200, pattern=_NO_NUL)]
Searched = Annotated[str, Query(max_length=200, pattern=_NO_NUL)]
After = Annotated[int, Query(ge=0, le=LARGEST_ID)]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]


class About(BaseModel):
    """A project."""

    name: str
    kind: str
    classes: list[ClassInfo]


class Whose(BaseModel):
    """Who acts; here, or in the header `X-Annotator`."""

    model_config = ConfigDict(extra="forbid")  # a misspelled field is said, not passed over

    annotator: _Line = ""
    page: _Line = ""  # tells places apart at which one person labels at the same time


class Ask(Whose):
    """How many samples are wanted."""

    count: int = Field(1, ge=1, le=MOST_ASKED, strict=True)


class Decide(Whose):
    """A decision. The same request id again changes nothing, and with another content it is refused."""

    sample_id: int = Field(ge=1, le=LARGEST_ID, strict=True)  # true is no sample 1
    action: Literal["label", "skip", "flag"] = "label"
    class_name: _ClassName = ""  # of a label
    request_id: str = Field(pattern=f"^{REQUEST_ID}$")


class Undo(Whose):
    """What is taken back."""

    request_id: str = Field(pattern=r"^[\w.:-]{1,200}$")


def project_routes(folder: Path, *, token: str) -> APIRouter:
    """Return the routes of a project; without a token they answer this machine's own programs alone."""
    opened = _Opened(folder)
    router = APIRouter(prefix="/v1/project", tags=["Project"], dependencies=[] if token else [Depends(_from_here)])
    _add_reading(router, opened)
    _add_writing(router, opened)
    return router


class _Opened:
    """The project, opened at the first request: whoever only asks the model needs no database.

    It is opened again where another file is in the place of its database: a copy that was put back, another project.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()
        self._open: tuple[tuple[int, int] | None, Project] | None = None

    def __call__(self) -> Project:
        file = open_project(self._folder).database_file
        with self._lock:
            if self._open is None or self._open[0] != file:  # requests may be at work in the one before
                self._open = file, Project(self._folder)
            return self._open[1]


def _from_here(request: Request) -> None:
    """Refuse pages of the web that a browser of this machine was led to: they reach every address it has."""
    origin = request.headers.get("origin")
    if request.url.hostname not in HERE or (
        origin is not None and origin != f"{request.url.scheme}://{request.url.netloc}"
    ):
        raise HTTPException(403, "Without a token only programs of this machine are answered; start it with --token.")


def _acting(opened: Callable[[], Project], whose: Whose, header: str) -> Project:
    """The project, for the person that a request names."""
    try:
        in_header = header.encode("latin-1").decode()
    except UnicodeError:
        in_header = header
    if not (whose.annotator.strip() or in_header.strip()):
        raise HTTPException(422, "Say who decides: 'annotator' in the body, or the header X-Annotator.")
    return opened().acting_as(whose.annotator.strip() or in_header, page=whose.page)


def _add_reading(router: APIRouter, opened: Callable[[], Project]) -> None:  # noqa: C901 - a function a route
    @router.get("")
    def about() -> About:
        """Name, kind of the samples, and classes by index."""
        project = opened()
        return About(name=project.name, kind=project.kind, classes=project.classes)

    @router.get("/samples")
    def samples(
        split: Literal["pool", "test"] = "pool", search: Searched = "", after: After = 0, limit: Limit = PAGE
    ) -> list[SampleInfo]:
        """Samples by id, those after an id; the next page begins after the last one."""
        return opened().samples(split=split, search=search, after=after, limit=limit)

    @router.get("/samples/{sample_id}/content", response_class=Response)
    def content(sample_id: int) -> Response:
        """An image's file, a text, or a row as JSON."""
        try:
            found = opened().content(sample_id)
        except RefusedSampleError as refusal:
            raise HTTPException(410, f"Sample {sample_id} {refusal.reason}.") from None
        # A stranger's file is nothing that a browser should run.
        return Response(found, media_type="application/octet-stream", headers={"x-content-type-options": "nosniff"})

    @router.get("/labels")
    def labels(after: After = 0, limit: Limit = LARGEST_PAGE) -> list[CurrentLabel]:
        """What stands per sample, those after a sample id."""
        return opened().labels(after=after, limit=limit)

    @router.get("/rounds")
    def rounds() -> list[RoundInfo]:
        """All rounds by number."""
        return opened().rounds()

    @router.get("/metrics")
    def metrics() -> list[MetricInfo]:
        """All that was measured, by round."""
        return opened().metrics()

    @router.get("/status")
    def status() -> dict[str, Any]:
        """What `labelloop status --json` says."""
        return opened().status()

    @router.get("/predictions")
    def predictions(
        class_name: SearchedClass = "",
        low: Annotated[float, Query(ge=0, le=1)] = 0.0,
        high: Annotated[float, Query(ge=0, le=1)] = 1.0,
        order: Searched = "least sure first",
        search: Searched = "",
        offset: After = 0,
        limit: Limit = PAGE,
    ) -> Predictions:
        """What the newest model answers for the pool, a page of it; 409 as long as no model has scored the pool."""
        which: dict[str, Any] = {"class_name": class_name, "low": low, "high": high, "order": order, "search": search}
        return opened().predictions(**which, offset=offset, limit=limit)

    @router.get("/export", response_class=StreamingResponse)
    def export(
        format: Searched = "csv",  # noqa: A002 - the command line's word
        with_predictions: bool = False,
        at: Searched = "",
    ) -> StreamingResponse:
        """The labels in a format of `labelloop formats`, as a zip; the header `X-Export` counts what is in it."""
        return zipped_export(opened(), format, with_predictions=with_predictions, at=at)


def _add_writing(router: APIRouter, opened: Callable[[], Project]) -> None:
    @router.post("/questions")
    def questions(asked: Ask, x_annotator: Annotated[str, Header()] = "") -> list[Question]:
        """The samples to be labeled next; nobody else is asked about them for some minutes."""
        return _acting(opened, asked, x_annotator).next(asked.count)

    @router.post("/finish")
    def finish(whose: Whose, x_annotator: Annotated[str, Header()] = "") -> dict[str, bool]:
        """Let go of what was asked and not decided."""
        _acting(opened, whose, x_annotator).finish()
        return {"finished": True}

    @router.post("/decisions")
    def decisions(given: Decide, x_annotator: Annotated[str, Header()] = "") -> LabelEventInfo:
        """Store a label, a skip or a flag, and return its event."""
        project = _acting(opened, given, x_annotator)
        if given.action != "label" and given.class_name:
            raise HTTPException(422, f"A {given.action} has no class; 'class_name' is of a label.")
        if given.action == "label":
            return project.label(given.sample_id, given.class_name, request_id=given.request_id)
        decide = project.skip if given.action == "skip" else project.flag
        return decide(given.sample_id, request_id=given.request_id)

    @router.post("/undo")
    def undo(given: Undo, x_annotator: Annotated[str, Header()] = "") -> LabelEventInfo:
        """Take a decision of one's own back."""
        return _acting(opened, given, x_annotator).undo(given.request_id)

    @router.post("/train")
    def train(whose: Whose, x_annotator: Annotated[str, Header()] = "") -> dict[str, bool]:
        """Ask the trainer to train now."""
        _acting(opened, whose, x_annotator).train()
        return {"asked": True}
