"""The model as a server: JSON and files in, answers out; see also `label_studio` and `project_routes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, HTTPException, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from app.answering.label_studio import label_studio_routes
from app.answering.limits import App, Guarded
from app.answering.project_routes import project_routes
from app.answering.refusals import say_refusals
from app.answering.served import Asked, Served, bytes_of
from app.formats.errors import RefusedSampleError

MOST_SAMPLES = 256  # of one request

_ABOUT = (
    "The answers of a model that LabelLoop trained: the class, its probability, and those of all classes; and of a "
    "project what its screens do. What is refused comes as one sentence in `detail`."
)
_COLLECTS = (
    " **{share:.0%} of what is asked, the samples that the model is least sure of, are kept and shown to the people "
    'who label the project.** A request with `"collect": false` is never kept.'
)


class Question(BaseModel):
    """Samples of one kind: images as base64, texts, or rows of a table."""

    model_config = ConfigDict(extra="forbid")  # a misspelled field is said, and not answered with nothing

    images: list[str] = Field(default=[], max_length=MOST_SAMPLES)
    texts: list[str] = Field(default=[], max_length=MOST_SAMPLES)
    rows: list[dict[str, Any]] = Field(default=[], max_length=MOST_SAMPLES)
    collect: bool = True


class Answer(BaseModel):
    """What is answered for one sample, or why nothing is."""

    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    error: str | None = None


class Answers(BaseModel):
    """The answers for all samples, in the order in which these came."""

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
    say_refusals(app)

    @app.get("/")
    @app.get("/health")
    def health() -> dict[str, Any]:
        """Whether it answers."""
        share = served.collector.share if served.collector is not None else 0.0
        return {"status": "UP", "model_class": "LabelLoop", "version": served.version, "collects": share}

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
    if served.project is not None:
        app.include_router(project_routes(served.project.folder, token=token))
    return Guarded(app, token)


def _asked(served: Served, question: Question) -> list[Asked | str]:
    given = {"image": question.images, "text": question.texts, "table": question.rows}
    named = [kind for kind, samples in given.items() if samples]
    if named and named != [served.kind]:
        raise HTTPException(422, f"This model answers for samples of the kind {served.kind}.")
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
