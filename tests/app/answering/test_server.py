from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.answering import limits, served
from app.answering.served import Served
from app.answering.server import make_app
from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from storage.labels import list_events
from storage.samples import count_samples, list_samples
from tests.app.answering.conftest import FirstLetter


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "texts.csv").write_text("text\nant\nbee\napple\n")
    return make_project(
        tmp_path / "project",
        settings=ProjectSettings("letters"),
        classes=["a", "b"],
        data=tmp_path / "texts.csv",
    ).project


@pytest.fixture
def letters_served(letters: FirstLetter, project: Project, monkeypatch: pytest.MonkeyPatch):
    """What a project of texts serves, with an answerer that needs no training."""
    monkeypatch.setattr(served, "open_answerer", lambda _path: (letters, project))

    def make(collect: float = 0.0) -> Served:
        return Served(project.folder, collect=collect)

    return make


@pytest.fixture
def client(letters_served) -> TestClient:
    return TestClient(make_app(letters_served()), raise_server_exceptions=False)


def test_texts_are_answered_in_their_order_and_a_bad_one_says_why(client: TestClient) -> None:
    said = client.post("/v1/predict", json={"texts": ["ant", " ", "bee", "odd"]}).json()
    assert (said["model"], said["version"]) == ("letters", "round-3")
    assert [one.get("label") for one in said["answers"]] == ["a", None, "b", None]
    assert said["answers"][0]["probabilities"] == pytest.approx({"a": 0.9, "b": 0.1})
    assert [said["answers"][place]["error"] for place in (1, 3)] == ["is empty", "cannot be embedded: odd"]


def test_files_are_answered(client: TestClient) -> None:
    files = [("files", ("one.txt", b"ant")), ("files", ("two.txt", b"\xff\xfe"))]
    said = client.post("/v1/predict/files", files=files).json()
    assert [one.get("label") for one in said["answers"]] == ["a", None]
    assert said["answers"][1]["error"] == "is not UTF-8 text"


def test_it_says_who_answers_and_how_it_is_asked(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "UP"
    assert client.get("/v1/model").json()["classes"] == ["a", "b"]
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/predict", "/v1/predict/files", "/predict", "/setup", "/webhook"} <= paths.keys()


def test_without_the_token_nothing_is_answered(letters_served) -> None:
    client = TestClient(make_app(letters_served(), token="s3cret"))
    question = {"texts": ["ant"]}
    assert client.post("/v1/predict", json=question).status_code == 401
    assert client.post("/v1/predict", json=question, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.post("/v1/predict", json=question, headers={"Authorization": "Basic !!"}).status_code == 401
    assert client.post("/v1/predict", json=question, headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert client.post("/v1/predict", json=question, auth=("anybody", "s3cret")).status_code == 200
    assert client.get("/health").status_code == 200


def test_the_least_sure_are_kept_and_come_into_the_pool_unless_the_caller_minds(letters_served, project) -> None:
    client = TestClient(make_app(letters_served(0.2)))
    assert "20% of what is asked" in client.get("/openapi.json").json()["info"]["description"]
    client.post("/v1/predict", json={"texts": [f"a sure one {k}" for k in range(20)], "collect": False})
    client.post("/v1/predict", json={"texts": [*(f"a sure one {k}" for k in range(20)), "because"]})
    with project.opened_to_read() as database, database.read() as session:
        pool = list_samples(session, project_id=project.project_id(database), split="pool", limit=100)
    contents = [sample.content for sample in pool]
    assert "because" in contents, "the answer for it is .8, for all others .9"
    assert len(contents) <= 3 + 20 * 0.2 + 2


def task(text: str, **more: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": text}, **more}


CONFIG = '<View><Text name="body" value="$text"/><Choices name="kind" toName="body"><Choice value="a"/></Choices>'


def test_label_studio_asks_in_its_own_protocol(client: TestClient) -> None:
    body = {"tasks": [task("ant"), {"id": 8}], "label_config": CONFIG, "project": "1.2", "params": {}}
    first, second = client.post("/predict", json=body).json()["results"]
    assert first["result"][0] | {"score": 0} == {
        "from_name": "kind", "to_name": "body", "type": "choices", "value": {"choices": ["a"]}, "score": 0,
    }  # fmt: skip
    assert (first["score"], first["model_version"]) == (pytest.approx(0.9), "round-3")
    assert second == [], "no prediction is stored, and Label Studio asks again"
    assert client.post("/setup", json={"project": "1.2", "schema": CONFIG}).json() == {"model_version": "round-3"}
    assert client.get("/metrics").json() == {}


def annotated(choice: str, text: str = "bee", **more: Any) -> dict[str, Any]:
    result = [{"from_name": "kind", "to_name": "body", "type": "choices", "value": {"choices": [choice]}}]
    annotation = {"id": 3, "result": result, "completed_by": {"id": 1, "email": "ada"}, "lead_time": 2.5, **more}
    return {"action": "ANNOTATION_CREATED", "task": task(text), "annotation": annotation}


def events_of(project: Project) -> list[tuple[str, int | None, str]]:
    with project.opened_to_read() as database, database.read() as session:
        events = list_events(session, project_id=project.project_id(database))
    return [(event.action, event.class_index, event.annotator) for event in events]


def test_what_label_studio_tells_becomes_label_events_once(client: TestClient, project: Project) -> None:
    assert client.post("/webhook", json=annotated("b")).status_code == 201
    assert client.post("/webhook", json=annotated("b")).status_code == 201
    assert events_of(project) == [("label", 1, "ada")]
    client.post("/webhook", json=annotated("a", updated_at="later") | {"action": "ANNOTATION_UPDATED"})
    assert events_of(project)[1:] == [("label", 0, "ada")]
    client.post("/webhook", json={"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 3}]})
    assert events_of(project)[2:] == [("undo", None, "ada")]
    refused = client.post("/webhook", json=annotated("zebra")).json()
    assert refused["result"]["said"] == "not taken over: it chooses 'zebra', which is none of the project's classes"
    unknown = client.post("/webhook", json={"action": "PROJECT_UPDATED"})
    assert (unknown.status_code, unknown.json()) == (200, {"status": "Unknown event"})


def test_the_model_of_a_newer_round_takes_over(letters_served, project, monkeypatch) -> None:
    at_work = letters_served()
    newer = FirstLetter(version="round-4")
    monkeypatch.setattr(served, "LOOKED_EVERY_S", 0.0)
    monkeypatch.setattr(served, "_newest_version", lambda _project: "round-4")
    monkeypatch.setattr(served, "open_answerer", lambda _path: (newer, project))
    at_work.answers([at_work.text("ant")])
    assert at_work.about.version == "round-4"
    assert newer.asked == ["ant"]


def test_hostile_requests_are_refused_and_none_ends_it(client: TestClient, project: Project, monkeypatch) -> None:
    monkeypatch.setattr(limits, "MAX_BODY", 100_000)
    draw = random.Random(0)
    bodies: list[bytes] = [
        b"", b"{", b"null", b"[]", b'{"texts": 5}', b'{"texts": [5]}', b'{"texts": ' + b"[" * 50_000,
        b'{"a":' * 15_000, b'{"images": ["%s"]}' % base64.b64encode(b"GIF89a" + b"\xff" * 40), b'{"images": ["."]}',
        b'{"rows": [{"a": {"b": [1e999]}}]}', json.dumps({"texts": ["\ud800"]}).encode(), b'{"texts": ["a\\u0000b"]}',
        json.dumps({"texts": ["x"] * 257}).encode(), b"x" * 100_001, json.dumps({"texts": ["x" * 99_000]}).encode(),
        b'{"tasks": [{"data": {"text": "a"}}], "label_config": "<Choices name=\'x\' ' + b"a" * 5_000 + b'"}',
        b'{"tasks": [{"data": {"image": "/data/local-files/?d=../../../../etc/passwd"}}]}',
        b'{"tasks": [{"data": {"image": "http://169.254.169.254/latest"}}]}', b'{"action": "ANNOTATION_CREATED"}',
        b'{"action": "ANNOTATION_CREATED", "task": [], "annotation": {"id": {}, "result": [[], 5, {"value": 3}]}}',
        b'{"action": "ANNOTATIONS_DELETED", "annotations": 7}',
    ]  # fmt: skip
    paths = ["/v1/predict", "/v1/predict/files", "/predict", "/setup", "/webhook", "/", "/nowhere", "/v1/model"]
    headers = [
        {"content-type": kind} for kind in ("application/json", "multipart/form-data; boundary=x", b"\xff\xfe", "")
    ]
    count = 0
    for path in paths:
        for body in bodies:
            for _ in range(2):
                cut = body[: draw.randrange(len(body) + 1)] if draw.random() < 0.4 else body
                said = client.post(path, content=cut, headers=draw.choice(headers)).status_code
                assert said < 500, (path, cut[:80])
                count += 1
    assert count == len(paths) * len(bodies) * 2
    assert client.post("/v1/predict", json={"texts": ["ant"]}).json()["answers"][0]["label"] == "a"
    assert not any(action == "label" for action, _, _ in events_of(project))
    with project.opened_to_read() as database, database.read() as session:
        assert count_samples(session, project_id=project.project_id(database)).pool == 3
