"""What a program can do with a project, it can do over HTTP with the same words; each test runs with both."""

from __future__ import annotations

import csv
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import requests

import labelloop
from app.answering.served import Served
from app.answering.server import make_app
from app.client import Project
from app.client_over_http import ProjectOverHttp, _bearer
from app.errors import ExportError, NoModelError, ProjectError, ServerAwayError
from app.project.pool_answers import PoolAnswer
from storage.classes import retire_class
from storage.errors import (
    LimitReachedError,
    NoMomentError,
    RequestIdReusedError,
    UnknownEventError,
    UnknownSampleError,
)
from storage.rounds import NewQuery
from tests.app.over_http import answered_by
from tests.app.screens.conftest import Filled, filled  # noqa: F401 - a fixture

Open = Callable[..., Project]


@pytest.fixture(params=["folder", "address"])
def opened(request: pytest.FixtureRequest, filled: Filled, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:  # noqa: F811
    """Opens the project of six images under a name: its folder, or a server that has it."""
    where: Path | str = filled.project.folder
    if request.param == "address":
        where = answered_by(make_app(Served(filled.project.folder), token="t0ken"), monkeypatch)
    monkeypatch.setattr(Project, "__init__", _closed_later(Project.__init__, projects := []))

    def make(annotator: str = "ada") -> Project:
        return Project(where, annotator=annotator, token="t0ken")

    yield make
    for project in projects:
        project.close()


def _closed_later(init: Callable[..., None], made: list[Project]) -> Callable[..., None]:
    def noting(self: Project, *given: object, **named: object) -> None:
        init(self, *given, **named)
        made.append(self)

    return noting


def _queries(*sample_ids: int) -> list[NewQuery]:
    return [NewQuery(i, rank, "train", 0.5, 1.0, suggestion=1) for rank, i in enumerate(sample_ids)]


def test_it_says_what_it_is_and_lists_its_samples_a_page_at_a_time(opened: Open) -> None:
    project = opened()
    assert (project.name, project.kind) == ("animals", "image")
    assert [one.name for one in project.classes] == ["cat", "dog", "emu"]
    assert [sample.id for sample in project.samples()] == [1, 2, 3, 4, 5, 6]
    assert [sample.id for sample in project.samples(after=2, limit=2)] == [3, 4]
    assert [sample.id for sample in project.samples(search="5.png")] == [5]
    assert project.samples(split="test") == []
    assert project.content(3) == Path(project.samples(search="3.png")[0].uri).read_bytes()
    with pytest.raises(UnknownSampleError, match="no sample 70"):
        project.content(70)


def test_what_is_asked_next_is_labeled_skipped_flagged_and_taken_back(opened: Open, filled: Filled) -> None:  # noqa: F811
    ada, bob = opened("ada"), opened("bob")
    assert ada.next(2) == []
    filled.publish(labels=0, queries=_queries(4, 2))
    asked = ada.next(2)
    assert [(one.sample_id, one.suggestion, one.purpose) for one in asked] == [(4, "dog", "train"), (2, "dog", "train")]
    assert not {4, 2} & {one.sample_id for one in bob.next(2)}, "nobody else is asked about them; the rest follows"
    bob.finish()

    label = ada.label(4, "DOG", request_id="r1")
    assert (label.class_index, label.annotator, label.round_number, label.rank) == (1, "ada", 0, 0)
    assert ada.label(4, "dog", request_id="r1") == label
    with pytest.raises(RequestIdReusedError, match="already used for another answer"):
        ada.label(2, "dog", request_id="r1")
    ada.skip(2, request_id="r2")
    ada.flag(4, request_id="r3")
    assert [(one.sample_id, one.action, one.flagged) for one in ada.labels()] == [
        (2, "skip", False),
        (4, "label", True),
    ]
    ada.undo("r2")
    assert [one.sample_id for one in ada.labels()] == [4]
    with pytest.raises(UnknownEventError):
        bob.undo("r1")
    assert ada.status()["labels"] == 1
    ada.train()


def test_a_person_who_is_done_gives_back_what_was_asked(opened: Open, filled: Filled) -> None:  # noqa: F811
    filled.publish(labels=0, queries=_queries(4))
    ada, bob = opened("ada"), opened("bob")
    assert [one.sample_id for one in ada.next()] == [4]
    ada.finish()
    assert [one.sample_id for one in bob.next()] == [4]


def test_what_makes_no_sense_is_refused_with_a_sentence(opened: Open, filled: Filled) -> None:  # noqa: F811
    project = opened()
    with pytest.raises(ProjectError, match="There is no class 'ugly'; the classes are cat, dog, emu"):
        project.label(1, "ugly")
    with pytest.raises(UnknownSampleError):
        project.label(99, "cat")
    with pytest.raises(NoModelError, match="No model has scored the pool yet"):
        project.predictions()
    for request_id in ("correct:1:2", "a b", "x" * 101, "\0", 5, b"x"):
        with pytest.raises(ProjectError, match="A request id is up to 100 letters"):
            project.label(1, "cat", request_id=request_id)
    for name in (" \u200b", "", 5, None):
        with pytest.raises(ProjectError, match="no name"):
            project.acting_as(name)
    text = filled.project.settings_path.read_text()
    filled.project.settings_path.write_text(text.replace("labeling_budget = 0", "labeling_budget = 1"))
    project.label(1, "cat")
    with pytest.raises(LimitReachedError, match="All 1 labels of the budget are given"):
        project.label(2, "cat")


def test_a_class_that_was_retired_is_not_suggested(opened: Open, filled: Filled) -> None:  # noqa: F811
    filled.publish(labels=0, queries=_queries(4))
    with filled.database.write() as session:
        retire_class(session, project_id=filled.project_id, name="dog", who="ada")
    [asked] = opened().next()
    assert (asked.sample_id, asked.suggestion, asked.probability) == (4, None, None)


def test_a_request_id_of_another_person_is_refused_for_their_decision_would_be_lost(opened: Open) -> None:
    opened("ada").label(1, "cat", request_id="sample-1")
    with pytest.raises(RequestIdReusedError):
        opened("bob").label(1, "cat", request_id="sample-1")
    assert opened("Ada").label(1, "cat", request_id="sample-1").annotator == "ada", "names in capitals are one person"


def test_pages_are_the_same_wherever_the_project_is(opened: Open, filled: Filled) -> None:  # noqa: F811
    number = filled.publish(labels=2, queries=_queries(1))
    filled.write_scores(number, sample_ids=[1, 2, 3], torn=[2])
    project = opened()
    assert (project.samples(limit=0), project.labels(after=2**70), project.predictions(limit=0).answers) == ([], [], [])
    assert (project.predictions(limit=5_000).total, len(project.predictions(offset=2, limit=5_000).answers)) == (3, 1)
    for verb, named in (
        (project.samples, {"limit": -1}),
        (project.samples, {"after": "x"}),
        (project.samples, {"split": "train"}),
        (project.labels, {"after": -1}),
        (project.labels, {"limit": True}),
        (project.predictions, {"offset": -1}),
        (project.predictions, {"limit": -1}),
        (project.predictions, {"low": float("nan")}),
        (project.predictions, {"high": "1"}),
    ):
        with pytest.raises(ProjectError, match="found"):
            verb(**named)


def test_more_answers_than_a_page_of_the_server_holds_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [vars(PoolAnswer(k, f"{k}.png", "cat", 0.5, 0.5, 0.5)) for k in range(2_500)]

    def request(_session: object, _method: str, _url: str, *, params: dict[str, int], **_more: object) -> object:
        page = answers[params.get("offset", 0) :][: params.get("limit", 0)]
        return SimpleNamespace(status_code=200, json=lambda: {"round_number": 1, "total": 2_500, "answers": page})

    monkeypatch.setattr(requests.Session, "request", request)
    found = Project("HTTP://127.0.0.1:9").predictions(offset=100, limit=2_200)
    assert [one.sample_id for one in found.answers] == list(range(100, 2_300))


def test_rounds_metrics_and_the_answers_for_the_pool_are_read(opened: Open, filled: Filled) -> None:  # noqa: F811
    number = filled.publish(labels=2, queries=_queries(1))
    filled.write_scores(number, sample_ids=[1, 2, 3], torn=[2])
    project = opened()
    assert [(one.number, one.labels, one.state) for one in project.rounds()] == [(0, 2, "open")]
    assert project.metrics() == []
    found = project.predictions(limit=2)
    assert (found.round_number, found.total) == (0, 3)
    assert [(one.sample_id, one.class_name, one.probability) for one in found.answers] == [
        (2, "cat", 0.5),
        (1, "cat", 1.0),
    ]
    assert project.predictions(class_name="dog").total == 0
    assert [one.sample_id for one in project.predictions(order="by sample", offset=1, search=".png").answers] == [2, 3]


def test_labels_go_into_a_new_folder(opened: Open, tmp_path: Path) -> None:
    project = opened()
    first = project.label(1, "cat")
    project.label(2, "emu")
    written = project.export("csv", tmp_path / "out")
    assert (written.folder, written.labels, written.events) == (tmp_path / "out", 2, 2)
    with (tmp_path / "out" / "labels.csv").open() as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["cat", "emu"]
    assert project.export("folders", tmp_path / "then", at=f"#{first.id}").labels == 1
    assert [path.name for path in (tmp_path / "then").rglob("*.png")] != []
    with pytest.raises(ExportError, match="is there already"):
        project.export("csv", tmp_path / "out")
    with pytest.raises(ExportError, match="no export format 'nonsense'"):
        project.export("nonsense", tmp_path / "other")
    with pytest.raises(NoMomentError):
        project.export("csv", tmp_path / "other", at="2001-01-01")
    assert not (tmp_path / "other").exists()


def test_both_have_the_same_verbs() -> None:
    of_folder = {name for name in vars(Project) if not name.startswith("_")}
    of_address = {name for name in vars(ProjectOverHttp) if not name.startswith("_")}
    assert of_folder == of_address
    for name in of_folder - {"name", "kind", "classes"}:
        mine, theirs = (inspect.signature(getattr(kind, name)).parameters for kind in (Project, ProjectOverHttp))
        assert list(mine) == list(theirs), name


def test_nobody_at_the_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServerAwayError, match="does not answer: no connection"):
        Project("http://127.0.0.1:9")
    answer = SimpleNamespace(status_code=404, json=lambda: {"detail": "Not Found"})
    monkeypatch.setattr(requests.Session, "request", lambda *_given, **_named: answer)
    with pytest.raises(ServerAwayError, match="has no project; is it an exported model"):
        Project("http://127.0.0.1:9")


def test_the_cell_of_the_documentation_labels(
    opened: Open,
    filled: Filled,  # noqa: F811
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (repository / "docs" / "at-work.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- cell -->\n```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    filled.publish(labels=0, queries=_queries(4, 2))
    shown: list[object] = []
    notebook = ModuleType("IPython.display")
    vars(notebook).update(display=shown.append, Image=lambda data: data)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook)
    monkeypatch.setattr(labelloop, "Project", lambda _where, annotator: opened(annotator), raising=False)
    answers = iter(["2", "", "1", "q"])
    monkeypatch.setattr("builtins.input", lambda _prompt: next(answers))
    exec(compile(found[1], "at-work.md", "exec"), {})
    with closing(Project(filled.project.folder)) as project:
        decided = {one.sample_id: one.class_index for one in project.labels()}
        assert decided[4] == 1
        assert decided[2] is None
        assert len(decided) == 3
        assert shown[0] == project.content(4)


def test_a_token_as_a_file_holds_it_is_sent_as_it_was_meant() -> None:
    request = _bearer("pässwörd€\n")(requests.Request("GET", "http://127.0.0.1").prepare())
    assert request.headers["Authorization"] == "Bearer pässwörd€".encode()
