"""The model as a server: JSON and files in, answers out; see also `label_studio`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, HTTPException, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.answering.label_studio import label_studio_routes
from app.answering.limits import App, Guarded
from app.answering.served import Asked, Served, bytes_of
from app.formats.errors import RefusedSampleError

MOST_SAMPLES = 256  # of one request

_ABOUT = "The answers of a model that LabelLoop trained: the class, its probability, and those of all classes."
_COLLECTS = (
    " **{share:.0%} of what is asked, the samples that the model is least sure of, are kept and shown to the people "
    'who label the project.** A request with `"collect": false` is never kept.'
)


class Question(BaseModel):
    """Samples of one kind: images as base64, texts, or rows of a table."""

    images: list[str] = Field(default=[], max_length=MOST_SAMPLES)
    texts: list[str] = Field(default=[], max_length=MOST_SAMPLES)
    rows: list[dict[str, Any]] = Field(default=[], max_length=MOST_SAMPLES)
    collect: bool = True


class Answer(BaseModel):
    """Of one sample: an answer, or why there is none."""

    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    error: str | None = None


class Answers(BaseModel):
    """In the order in which the samples came."""

    model: str
    version: str
    answers: list[Answer]


def make_app(served: Served, *, token: str = "") -> App:
    """Return the server's application.

    Args:
        served: What answers.
        token: What a caller must show; empty: nothing.
    """
    collects = _COLLECTS.format(share=served.collector.share) if served.collector is not None else ""
    app = FastAPI(title="LabelLoop", description=_ABOUT + collects, docs_url=None, redoc_url=None)
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.add_exception_handler(RecursionError, _too_deep)
    app.add_exception_handler(Exception, _failed)

    @app.get("/")
    @app.get("/health")
    def health() -> dict[str, Any]:
        """Whether it answers."""
        share = served.collector.share if served.collector is not None else 0.0
        return {"status": "UP", "model_class": "LabelLoop", "version": served.about.version, "collects": share}

    @app.get("/v1/model")
    def model() -> dict[str, Any]:
        """Who answers: kind, classes, version, and the accuracy that was measured."""
        about = served.about
        return {
            "model": about.name,
            "version": about.version,
            "kind": about.kind,
            "classes": list(about.classes),
            "accuracy": about.accuracy,
        }

    @app.post("/v1/predict", response_model_exclude_none=True)
    def predict(question: Question) -> Answers:
        """Answer for samples in JSON."""
        return _answered(served, _asked(served, question), collect=question.collect)

    @app.post("/v1/predict/files", response_model_exclude_none=True)
    def predict_files(
        files: Annotated[list[UploadFile], File(max_length=MOST_SAMPLES)], collect: Annotated[bool, Form()] = True
    ) -> Answers:
        """Answer for samples that are files."""
        asked = [_given(lambda one=one: served.file(one.file.read())) for one in files]  # type: ignore[misc]
        return _answered(served, asked, collect=collect)

    app.include_router(label_studio_routes(served))
    return Guarded(app, token)


def _asked(served: Served, question: Question) -> list[Asked | str]:
    given = {"image": question.images, "text": question.texts, "table": question.rows}
    named = [kind for kind, samples in given.items() if samples]
    if named and named != [served.about.kind]:
        raise HTTPException(422, f"This model answers for samples of the kind {served.about.kind}.")
    images = [_given(lambda one=one: served.file(bytes_of(one))) for one in question.images]  # type: ignore[misc]
    texts = [_given(lambda one=one: served.text(one)) for one in question.texts]  # type: ignore[misc]
    rows = [_given(lambda one=one: served.row(one)) for one in question.rows]  # type: ignore[misc]
    return [*images, *texts, *rows]


def _given(make: Callable[[], Asked]) -> Asked | str:
    try:
        return make()
    except RefusedSampleError as refusal:
        return refusal.reason


def _answered(served: Served, asked: list[Asked | str], *, collect: bool) -> Answers:
    found = [Answer(**one) for one in served.answers(asked, collect=collect)]
    return Answers(model=served.about.name, version=served.about.version, answers=found)


async def _misshapen(_request: Request, error: Exception) -> JSONResponse:
    """What is wrong where, without what was sent: it may hold what JSON cannot."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    wrong = [{"where": ".".join(map(str, one["loc"]))[:200], "what": str(one["msg"])[:200]} for one in found[:20]]
    return JSONResponse({"detail": wrong}, 422)


async def _too_deep(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The JSON is nested too deeply."}, 400)


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    """The border to the caller, who learns no more than the error's name; the log has it all."""
    return JSONResponse({"detail": f"The request could not be answered: {type(error).__name__}."}, 500)
