"""What only the door is about: who may come in, and how it is refused. (The verbs: test_client_over_http.)"""

from __future__ import annotations

import io
import random
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.answering import zipped_export
from app.answering.served import Served
from app.answering.server import make_app
from app.project.creation import make_project
from app.project.library import copy_project, delete_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from storage.classes import add_class
from storage.labels import list_events
from tests.app.over_http import ADDRESS

LABEL = {"sample_id": 1, "action": "label", "class_name": "a", "request_id": "r1", "annotator": "ada"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three texts, and no model."""
    (tmp_path / "texts.csv").write_text("text\nant\nbee\napple\n")
    return make_project(
        tmp_path / "project", settings=ProjectSettings("letters"), classes=["a", "b"], data=tmp_path / "texts.csv"
    ).project


@pytest.fixture
def client(project: Project) -> TestClient:
    return TestClient(make_app(Served(project.folder)), base_url=ADDRESS, raise_server_exceptions=False)


def events_of(project: Project) -> list[tuple[str, str]]:
    with project.opened_to_read() as database, database.read() as session:
        return [(one.action, one.annotator) for one in list_events(session, project_id=project.project_id(database))]


def test_a_project_without_a_model_is_labeled_and_says_that_it_has_none(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "UP"
    refused = client.post("/v1/predict", json={"texts": ["ant"]})
    assert (refused.status_code, refused.json()["error"]) == (409, "NoModelError")
    assert refused.json()["detail"] == "No round of this project was trained yet; there is no model."
    assert client.get("/v1/model").status_code == 409
    assert client.get("/v1/project/predictions").status_code == 409
    assert client.post("/v1/project/decisions", json=LABEL).json()["class_index"] == 0
    assert client.get("/v1/project/samples/1/content").content == b"ant"


def test_the_same_request_is_one_event_and_another_answer_under_its_id_a_conflict(
    client: TestClient, project: Project
) -> None:
    first, again = (client.post("/v1/project/decisions", json=LABEL) for _ in range(2))
    assert (first.status_code, again.json()) == (200, first.json())
    other = client.post("/v1/project/decisions", json={**LABEL, "class_name": "b"})
    assert (other.status_code, other.json()["error"]) == (409, "RequestIdReusedError")
    assert events_of(project) == [("label", "ada")]


def test_a_project_that_another_takes_the_place_of_gets_no_label_that_is_meant_for_that(
    client: TestClient, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELLOOP_HOME", str(tmp_path / "home"))
    copied = copy_project(project.folder, tmp_path / "copy")
    client.post("/v1/project/decisions", json=LABEL)
    gone = delete_project(project.folder).folder
    refused = client.post("/v1/project/decisions", json={**LABEL, "request_id": "r2"})
    assert (refused.status_code, "There is no folder" in refused.json()["detail"]) == (422, True)
    copied.folder.rename(project.folder)
    for request_id in ("r2", "r3"):
        assert client.post("/v1/project/decisions", json={**LABEL, "request_id": request_id}).status_code == 200
    assert (len(events_of(Project(gone))), len(events_of(project))) == (1, 2)


def test_who_decides_is_named_in_the_body_or_the_header_and_nobody_is_refused(
    client: TestClient, project: Project
) -> None:
    nameless = {name: value for name, value in LABEL.items() if name != "annotator"}
    for name in ({}, {"annotator": ""}, {"annotator": "  "}, {"annotator": "\u200b"}):
        refused = client.post("/v1/project/decisions", json=nameless | name)
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith("Say who decides")
    in_header = {"X-Annotator": "zoë".encode()}
    assert client.post("/v1/project/decisions", json=nameless, headers=in_header).status_code == 200
    assert events_of(project) == [("label", "zoë")]


def test_without_a_token_no_page_of_the_web_is_answered(client: TestClient, project: Project) -> None:
    from_page = client.post("/v1/project/decisions", json=LABEL, headers={"Origin": "https://example.org"})
    rebound = client.get("/v1/project/samples", headers={"Host": "example.org:9090"})
    assert (from_page.status_code, rebound.status_code) == (403, 403)
    assert from_page.json()["detail"].startswith("Without a token only programs of this machine")
    assert events_of(project) == []
    with_token = TestClient(make_app(Served(project.folder), token="s3cret"), base_url="http://labels.example.org")
    assert with_token.get("/v1/project").status_code == 401
    known = {"Authorization": "Bearer s3cret"}
    assert with_token.get("/v1/project", headers=known).json()["name"] == "letters"


def test_an_export_is_a_zip_and_two_at_once_are_one_too_many(client: TestClient) -> None:
    client.post("/v1/project/decisions", json=LABEL)
    answer = client.get("/v1/project/export", params={"format": "jsonl"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "labels.jsonl" in archive.namelist()
    with zipped_export._one_at_a_time:
        assert client.get("/v1/project/export").status_code == 503
    assert client.get("/v1/project/export").status_code == 200


def test_hostile_requests_are_refused_in_a_sentence_and_change_nothing(client: TestClient, project: Project) -> None:
    draw = random.Random(0)
    bodies = [
        b"", b"{", b"null", b"[]", b'{"sample_id": 1e400}', b'{"a":' * 15_000, b'{"annotator": "\\ud800"}',
        b'{"annotator": "ada", "count": 101}', b'{"annotator": {"a": 1}, "request_id": []}',
        b'{"annotator": "ada", "sample_id": 99999999999999999999, "request_id": "r", "class_name": "a"}',
        b'{"annotator": "ada", "sample_id": 1, "request_id": "correct:1:1", "class_name": "a"}',
        b'{"annotator": "ada", "sample_id": 1, "request_id": "r", "class_name": "a\\u0000"}',
        b'{"annotator": "a\\u0000", "sample_id": 1, "request_id": "r", "class_name": "a"}',
        b'{"annotator": "ada", "sample_id": 1, "request_id": "r", "action": "undo"}',
        b'{"annotator": "ada", "request_id": "nothing of the kind"}',
        b'{"annotator": "ada", "sample_id": true, "request_id": "r", "class_name": "a"}',
        b'{"annotator": "ada", "sample_id": 1, "request_id": "r", "class_name": "a", "action": "skip"}',
    ]  # fmt: skip
    for path in ("questions", "decisions", "undo", "nowhere", "samples"):
        for body in bodies:
            cut = body[: draw.randrange(len(body) + 1)] if draw.random() < 0.4 else body
            refused = client.post(f"/v1/project/{path}", content=cut, headers={"content-type": "application/json"})
            assert 400 <= refused.status_code < 500, (path, cut[:80])
            assert isinstance(refused.json()["detail"], str)
    for query in ("samples?after=-1", "samples?limit=0", "samples?limit=1001", "samples?search=%00", "samples?split=x",
                  "samples/0/content", f"samples/{10**30}/content", "samples/x/content", "export?at=nonsense",
                  "export?format=../../etc", "predictions?low=nan", "predictions?order=by+luck"):  # fmt: skip
        assert 400 <= client.get(f"/v1/project/{query}").status_code < 500, query
    assert events_of(project) == []


def test_a_class_name_may_be_as_long_as_in_the_project(project: Project, client: TestClient) -> None:
    name = "a" * 1_000
    with closing(project.open_database()) as database, database.write() as session:
        add_class(session, project_id=1, name=name, who="ada")
    labeled = client.post("/v1/project/decisions", json={**LABEL, "class_name": name})
    assert (labeled.status_code, labeled.json()["class_index"]) == (200, 2), labeled.text
    assert client.get("/v1/project/predictions", params={"class_name": name}).status_code == 409, "there is no model"
