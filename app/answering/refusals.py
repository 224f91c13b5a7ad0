"""What is refused, over HTTP: a status, one sentence, and the name of the error, by which a program tells it again."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.errors import AppError, ExportError, NoModelError
from app.formats.errors import ImportingError
from storage.errors import (
    DatabaseError,
    LimitReachedError,
    NoMomentError,
    RequestIdReusedError,
    StorageError,
    UnknownEventError,
    UnknownSampleError,
)

_STATUS: tuple[tuple[type[Exception], int], ...] = (  # the first that fits
    (NoModelError, 409),
    (RequestIdReusedError, 409),
    (LimitReachedError, 409),
    (UnknownSampleError, 404),
    (UnknownEventError, 404),
    (NoMomentError, 404),
    (DatabaseError, 503),
    (ExportError, 422),
)
REFUSED = 422  # everything else that is refused with a sentence

logger = logging.getLogger(__name__)


def say_refusals(app: FastAPI) -> None:
    """Answer errors with a sentence."""
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.add_exception_handler(RecursionError, _too_deep)
    for kind in (AppError, StorageError, ImportingError):
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(HTTPException, _said)
    app.add_exception_handler(Exception, _failed)


def _answer(status: int, sentence: str, error: str = "") -> JSONResponse:
    return JSONResponse({"detail": sentence, **({"error": error} if error else {})}, status)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), REFUSED)
    return _answer(status, " ".join(str(error).split()), type(error).__name__)


async def _said(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _answer(error.status_code, str(error.detail))


async def _misshapen(_request: Request, error: Exception) -> JSONResponse:
    """What is wrong where, without what was sent: it may hold what JSON cannot."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    wrong = [f"{'.'.join(map(str, one['loc']))[:200]}: {str(one['msg'])[:200]}" for one in found[:20]]
    return _answer(REFUSED, f"The request is not as /openapi.json says: {'; '.join(wrong)}.")


async def _too_deep(_request: Request, _error: Exception) -> JSONResponse:
    return _answer(400, "The JSON is nested too deeply.")


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    """The border to the caller, who learns no more than the error's name; the log has it all."""
    return _answer(500, f"The request could not be answered: {type(error).__name__}.")
