"""A project that a `labelloop serve` has: each method is one request, and what comes back is what the project gives.

What the server refuses is raised as the error that the project itself raises, with its sentence. A decision has an id
before it is sent, so one that got lost on the way may be sent again.
"""

from __future__ import annotations

import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar, get_type_hints

import requests

from app import client_arguments as checked
from app.client import Project
from app.errors import AppError, ProjectError, ServerAwayError
from app.formats.errors import ImportingError
from app.formats.export import Written
from app.formats.whole_folder import new_target, whole_folder
from app.project.pool_answers import PoolAnswer, Predictions
from app.project.questions import Question
from storage.current import CurrentLabel
from storage.errors import StorageError
from storage.events import LabelEventInfo
from storage.metrics import MetricInfo
from storage.projects import ClassInfo
from storage.rounds import RoundInfo
from storage.samples import SampleInfo

T = TypeVar("T")
PATIENCE = (10.0, 120.0)  # seconds to be connected, and between two pieces of an answer
LARGEST_PAGE = 1_000  # rows of one answer
_PIECE = 1_000_000  # bytes


class ProjectOverHttp(Project):
    """See `app.client.Project`, whose words hold here."""

    def __init__(self, folder: Path | str, *, annotator: str = "python", token: str = "") -> None:
        self.annotator = checked.name(annotator)
        self._address = str(folder).rstrip("/")
        self._session = requests.Session()
        self._session.auth = _bearer(token)
        self._page = uuid.uuid4().hex
        self._get("")  # says at once whether somebody answers

    def acting_as(self, annotator: str, *, page: str = "") -> ProjectOverHttp:
        """The same server under another name."""
        other = object.__new__(ProjectOverHttp)
        vars(other).update(vars(self), annotator=checked.name(annotator), _page=page or self._page)
        return other

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self._get("")["name"])

    @property
    def kind(self) -> str:
        """Of its samples."""
        return str(self._get("")["kind"])

    @property
    def classes(self) -> list[ClassInfo]:
        """All classes by index."""
        return _rows(ClassInfo, self._get("")["classes"])

    def samples(
        self, *, split: str = "pool", search: str = "", after: int = 0, limit: int = 1_000_000
    ) -> list[SampleInfo]:
        """The samples of the pool, or of the test set, by id."""
        pages = self._pages("/samples", "id", after, limit, split=checked.split(split), search=search)
        return [sample for page in pages for sample in _rows(SampleInfo, page)]

    def content(self, sample_id: int) -> bytes:
        """The file of an image as it is, a text, or a row as JSON."""
        return bytes(self._ask("GET", f"/samples/{checked.sample_id(sample_id)}/content").content)

    def labels(self, *, after: int = 0, limit: int = 1_000_000) -> list[CurrentLabel]:
        """What stands per sample, by sample id."""
        pages = self._pages("/labels", "sample_id", after, limit)
        return [label for page in pages for label in _rows(CurrentLabel, page)]

    def next(self, count: int = 1) -> list[Question]:
        """The samples to be labeled next."""
        return _rows(Question, self._post("/questions", count=checked.count(count)))

    def finish(self) -> None:
        """Let go of what was asked and not decided."""
        self._post("/finish")

    def undo(self, request_id: str) -> LabelEventInfo:
        """Takes the decision of a request back."""
        return _row(LabelEventInfo, self._post("/undo", request_id=request_id))

    def label(self, sample_id: int, class_name: str, *, request_id: str = "") -> LabelEventInfo:
        """Stores a label."""
        return self._sent(sample_id, "label", request_id, class_name=str(class_name))

    def skip(self, sample_id: int, *, request_id: str = "") -> LabelEventInfo:
        """Takes a sample out of the pool."""
        return self._sent(sample_id, "skip", request_id)

    def flag(self, sample_id: int, *, request_id: str = "") -> LabelEventInfo:
        """Asks for a second look at a sample."""
        return self._sent(sample_id, "flag", request_id)

    def train(self) -> None:
        """Asks the trainer to train now."""
        self._post("/train")

    def rounds(self) -> list[RoundInfo]:
        """All rounds by number."""
        return _rows(RoundInfo, self._get("/rounds"))

    def metrics(self) -> list[MetricInfo]:
        """All that was measured, by round."""
        return _rows(MetricInfo, self._get("/metrics"))

    def status(self) -> dict[str, Any]:
        """What `labelloop status --json` says."""
        return dict(self._get("/status"))

    def predictions(
        self,
        *,
        class_name: str = "",
        low: float = 0.0,
        high: float = 1.0,
        order: str = "least sure first",
        search: str = "",
        offset: int = 0,
        limit: int = 100,
    ) -> Predictions:
        """What the newest model that scored the pool answers for it: one page."""
        share = {"low": checked.share(low), "high": checked.share(high)}
        which = {"class_name": class_name, **share, "order": order, "search": search}
        offset, limit, answers = checked.place(offset), checked.place(limit), list[PoolAnswer]()
        while True:
            size = min(limit - len(answers), LARGEST_PAGE)
            found = self._get("/predictions", **which, offset=offset + len(answers), limit=max(size, 1))
            answers += _rows(PoolAnswer, found["answers"][:size])
            if len(answers) >= limit or len(found["answers"]) < LARGEST_PAGE:
                return Predictions(found["round_number"], found["total"], answers)

    def export(
        self,
        format: str,  # noqa: A002 - the command line's word
        out: Path | str,
        *,
        with_predictions: bool = False,
        at: str | date = "",
    ) -> Written:
        """Writes the labels to a new folder of this machine."""
        target = new_target(Path(out))
        which = {"format": format, "with_predictions": with_predictions, "at": checked.moment(at)}
        with TemporaryFile() as packed:
            answer = self._ask("GET", "/export", stream=True, params=which)
            self._receive(answer, packed)
            with whole_folder(target) as folder, zipfile.ZipFile(packed) as archive:
                archive.extractall(folder)
        told = json.loads(answer.headers["X-Export"])
        pairs = {name: tuple(map(tuple, told[name])) for name in ("left_out", "renamed")}
        return Written(target, told["labels"], told["events"], lost=told["lost"], **pairs)

    def _sent(self, sample_id: int, action: str, request_id: str, **more: str) -> LabelEventInfo:
        whose = {"sample_id": checked.sample_id(sample_id), "request_id": checked.request_id(request_id)}
        given = {"action": action, **whose}
        return _row(LabelEventInfo, self._post("/decisions", **given, **more))

    def _pages(self, path: str, key: str, after: int, limit: int, **which: str) -> Iterator[list[dict[str, Any]]]:
        after, limit = checked.place(after), checked.place(limit)
        while limit > 0:
            page = self._get(path, after=after, limit=min(limit, LARGEST_PAGE), **which)
            yield page
            if len(page) < LARGEST_PAGE:
                return
            after, limit = page[-1][key], limit - len(page)

    def _get(self, path: str, **which: object) -> Any:  # noqa: ANN401 - JSON
        return self._json(self._ask("GET", path, params=which))

    def _post(self, path: str, **given: object) -> Any:  # noqa: ANN401 - JSON
        whose = {"annotator": self.annotator, "page": self._page}
        return self._json(self._ask("POST", path, json={**whose, **given}))

    def _ask(self, method: str, path: str, **what: Any) -> requests.Response:  # noqa: ANN401 - a request's parts
        url = f"{self._address}/v1/project{path}"
        try:
            answer = self._session.request(method, url, timeout=PATIENCE, allow_redirects=False, **what)
        except requests.RequestException as error:
            raise ServerAwayError(f"{self._address} does not answer: {_cause(error)}.") from error
        if answer.status_code != requests.codes.ok:
            raise self._refusal(answer)
        return answer

    def _receive(self, answer: requests.Response, packed: IO[bytes]) -> None:
        try:
            for piece in answer.iter_content(_PIECE):
                packed.write(piece)
        except requests.RequestException as error:
            raise ServerAwayError(f"{self._address} broke off: {_cause(error)}.") from error

    def _json(self, answer: requests.Response) -> Any:  # noqa: ANN401 - JSON
        try:
            return answer.json()
        except ValueError:
            raise ServerAwayError(f"{self._address} is no server of LabelLoop: it answers no JSON.") from None

    def _refusal(self, answer: requests.Response) -> Exception:
        """What the server refused, as the error that its name says."""
        try:
            said = answer.json()
            sentence, name = str(said["detail"]), str(said.get("error", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return ServerAwayError(
                f"{self._address} answers with status {answer.status_code}; is it 'labelloop serve'?"
            )
        if answer.status_code == requests.codes.not_found and not name and sentence == "Not Found":
            return ServerAwayError(f"{self._address} has no project; is it an exported model?")
        kind = _errors().get(name, ProjectError)
        error = kind.__new__(kind)
        error.args = (sentence,)
        return error


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """As `auth`, and not as a header: then no password of a .netrc takes its place."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if token.strip():
            request.headers["Authorization"] = f"Bearer {token.strip()}".encode()
        return request

    return sign


def _cause(error: requests.RequestException) -> str:
    return {requests.ConnectTimeout: "it took too long to connect", requests.ReadTimeout: "it took too long"}.get(
        type(error), "no connection" if isinstance(error, requests.ConnectionError) else str(error)
    )


def _errors() -> dict[str, type[Exception]]:
    """Everything that is refused with a sentence, by name."""
    found: dict[str, type[Exception]] = {}
    waiting: list[type[Exception]] = [AppError, StorageError, ImportingError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind
        waiting += kind.__subclasses__()
    return found


def _rows(kind: type[T], rows: list[dict[str, Any]]) -> list[T]:
    return [_row(kind, row) for row in rows]


def _row(kind: type[T], row: dict[str, Any]) -> T:
    """A dataclass of plain values; a time comes as text. What a newer server says besides is left out."""
    hints = get_type_hints(kind)
    return kind(**{one.name: _value(hints[one.name], row[one.name]) for one in fields(kind)})  # type: ignore[arg-type]


def _value(hint: object, value: object) -> object:
    if isinstance(value, str) and "datetime" in str(hint):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))  # before Python 3.11 it knows no Z
    return value
