from __future__ import annotations

import base64
import json
import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.answering import limits, served
from app.answering.server import make_app
from app.project.project import Project
from storage.classes import rename_class
from storage.samples import count_samples, list_samples
from tests.app.answering.conftest import FirstLetter, events_of


def test_texts_are_answered_in_their_order_and_a_bad_one_says_why(client: TestClient) -> None:
    said = client.post("/v1/predict", json={"texts": ["ant", " ", "bee", "odd"]}).json()
    assert (said["model"], said["version"]) == ("letters", "round-3")
    assert [one.get("label") for one in said["answers"]] == ["a", None, "b", None]
    assert said["answers"][0]["probabilities"] == pytest.approx({"a": 0.9, "b": 0.1})
    assert [said["answers"][place]["error"] for place in (1, 3)] == ["is empty", "cannot be embedded: odd"]


def test_a_misspelled_field_is_said_and_not_answered_with_nothing(client: TestClient) -> None:
    refused = client.post("/v1/predict", json={"text": ["ant"]})
    assert (refused.status_code, "body.text: Extra inputs" in refused.json()["detail"]) == (422, True)


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


def test_the_model_of_a_newer_round_takes_over(letters_served, project, monkeypatch) -> None:
    at_work = letters_served()
    newer = FirstLetter(version="round-4")
    monkeypatch.setattr(served, "LOOKED_EVERY_S", 0.0)
    monkeypatch.setattr(served, "_version_of_newest", lambda _database, _project: "round-4")
    monkeypatch.setattr(served, "open_answerer", lambda _path: (newer, project))
    at_work.answers([at_work.text("ant")])
    assert at_work.about.version == "round-4"
    assert newer.asked == ["ant"]


def test_classes_that_swap_their_names_have_them_in_the_answers_too(letters_served, project, monkeypatch) -> None:
    at_work = letters_served()
    monkeypatch.setattr(served, "LOOKED_EVERY_S", 0.0)
    monkeypatch.setattr(served, "_version_of_newest", lambda _database, _project: "round-3")
    with closing(project.open_database()) as database, database.write() as session:
        for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
            rename_class(session, project_id=project.project_id(database), name=old, new_name=new, who="ada")
    swapped = FirstLetter()
    swapped.about = replace(swapped.about, classes=("b", "a"))
    opened: list[Path] = []
    monkeypatch.setattr(served, "open_answerer", lambda path: (opened.append(path) or swapped, project))
    for _ in range(2):
        assert at_work.answers([at_work.text("ant")])[0]["label"] == "b"
    assert len(opened) == 1, "it is loaded once"


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
