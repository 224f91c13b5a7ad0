from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.answering import served
from app.answering.label_studio import name_of
from app.answering.served import Served
from app.answering.server import make_app
from app.answering.studio import KEY_VARIABLE, URL_VARIABLE, Studio
from app.formats.errors import RefusedSampleError
from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from storage.samples import list_samples
from tests.app.answering.conftest import FirstLetter, events_of


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


def test_what_label_studio_tells_becomes_label_events_once(client: TestClient, project: Project) -> None:
    assert client.post("/webhook", json=annotated("b")).status_code == 201
    assert client.post("/webhook", json=annotated("b")).status_code == 201
    assert events_of(project) == [("label", 1, "ada")]
    client.post("/webhook", json=annotated("a", updated_at="later") | {"action": "ANNOTATION_UPDATED"})
    assert events_of(project)[1:] == [("label", 0, "ada")]
    client.post("/webhook", json={"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 3}]})
    assert events_of(project)[2:] == [("undo", None, "ada")]
    client.post("/webhook", json=annotated("b\u200b", updated_at="written otherwise"))
    assert events_of(project)[3:] == [("label", 1, "ada")]
    refused = client.post("/webhook", json=annotated("zebra")).json()
    assert refused["result"]["said"] == "not taken over: it chooses 'zebra', which is none of the project's classes"
    unknown = client.post("/webhook", json={"action": "PROJECT_UPDATED"})
    assert (unknown.status_code, unknown.json()) == (200, {"status": "Unknown event"})


def test_annotations_that_label_studio_makes_of_predictions_in_bulk_are_nobodys_labels(client, project) -> None:
    bulk = annotated("b") | {"action": "ANNOTATIONS_CREATED", "annotation": [annotated("b")["annotation"]]}
    assert client.post("/webhook", json=bulk).json() == {"status": "Unknown event"}
    assert events_of(project) == []


def test_setup_names_a_newer_round_before_it_is_loaded_and_the_next_question_is_answered_by_it(
    client: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_version_of_newest", lambda _database, _project: "round-4")
    monkeypatch.setattr(served, "open_answerer", lambda _path: (FirstLetter(version="round-4"), project))
    assert client.post("/setup", json={}).json() == {"model_version": "round-4"}
    [answer] = client.post("/predict", json={"tasks": [task("ant")]}).json()["results"]
    assert answer["model_version"] == "round-4"


def test_a_sample_of_the_project_is_answered_as_its_screens_show_it(client, project, letters: FirstLetter) -> None:
    with project.opened_to_read() as database, database.read() as session:
        pool = list_samples(session, project_id=project.project_id(database), split="pool")
    [letters.in_pool] = [sample.id for sample in pool if sample.content == "ant"]
    known, new = client.post("/predict", json={"tasks": [task("ant"), task("axe")]}).json()["results"]
    assert (known["score"], new["score"]) == (pytest.approx(0.6), pytest.approx(0.9))
    assert letters.asked == ["axe"], "what has a row is not embedded again"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/local-files/?d=images/a%20b.png", "a b.png"),
        ("/data/upload/7/0123abcd-cat.jpg", "cat.jpg"),
        ("https://host/0123abcd-cat.jpg?x=1", "0123abcd-cat.jpg"),
        ("http://[::1", ""),
    ],
)
def test_names_of_files_as_label_studio_writes_them(address: str, name: str) -> None:
    assert name_of(address) == name


Asked = tuple[str, str, str, Any]  # method, path, authorization, body


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Asked]]:
    """A Label Studio of which `a.b.c` is a personal access token; what it was asked."""
    asked: list[Asked] = []
    answers = {
        "/api/token/refresh/": {"access": "minutes"},
        "/api/users/1/": {"email": "ada@example.com"},
        "/data/upload/1/0123abcd-x.txt": "the file",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked.append((self.command, self.path, self.headers.get("Authorization", ""), body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path, {})).encode())

        do_POST = do_PATCH = do_GET

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv(URL_VARIABLE, f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv(KEY_VARIABLE, "a.b.c")
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def all_followed() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("label studio"):
            thread.join(10)


def test_label_studio_goes_by_a_newer_round_once_it_has_its_answers(client, project, studio: list[Asked]) -> None:
    told = annotated("b", completed_by=1) | {"project": {"id": 5}}
    client.post("/webhook", json=told)
    all_followed()
    client.post("/webhook", json=told)
    all_followed()
    assert events_of(project) == [("label", 1, "ada@example.com")]
    switched = [(method, path, body) for method, path, _, body in studio if "5" in path]
    everything = {"selectedItems": {"all": True, "excluded": []}, "project": "5"}
    assert switched == [
        ("POST", "/api/dm/actions?id=retrieve_tasks_predictions&project=5", everything),
        ("PATCH", "/api/projects/5/", {"model_version": "round-3"}),
    ], "once for a round"
    assert {login for _, path, login, _ in studio if "refresh" not in path} == {"Bearer minutes"}


def test_without_a_key_label_studio_is_asked_for_nothing(client, project, studio: list[Asked], monkeypatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    client.post("/webhook", json=annotated("b", completed_by=1) | {"project": {"id": 5}})
    all_followed()
    assert studio == []
    assert events_of(project) == [("label", 1, "1")]


def test_files_come_from_label_studio_and_from_nowhere_else(studio: list[Asked]) -> None:
    assert Studio().file("/data/upload/1/0123abcd-x.txt") == b'"the file"'
    assert [(path, login) for _, path, login, _ in studio][1:] == [("/data/upload/1/0123abcd-x.txt", "Bearer minutes")]
    outside = ("/etc/passwd", "/api/users/1/", "/data/../api/users/1/", "/data/%2e%2e/api/users/1/")
    for elsewhere in ("http://169.254.169.254/data/x", *outside):
        with pytest.raises(RefusedSampleError, match="no sample of the project"):
            Studio().file(elsewhere)
    assert len(studio) == 2


def test_a_row_of_our_own_export_is_answered_and_its_label_taken_over(tmp_path, monkeypatch) -> None:
    (tmp_path / "rows.csv").write_text("name,legs\nant,6\ncat,4\n")
    rows = make_project(
        tmp_path / "rows", settings=ProjectSettings("rows"), classes=["a", "b"], data=tmp_path / "rows.csv"
    ).project
    monkeypatch.setattr(served, "open_answerer", lambda _path: (FirstLetter("table"), rows))
    row = {"legs": "6", "name": "ant"}  # as a program may order them
    with TestClient(make_app(Served(rows.folder)), raise_server_exceptions=False) as asked:
        body = {"tasks": [{"id": 7, "data": {"row": row}}], "label_config": ""}
        [answer] = asked.post("/predict", json=body).json()["results"]
        assert answer["result"][0]["to_name"] == "row"
        asked.post("/webhook", json=annotated("b") | {"task": {"id": 7, "data": {"row": row}}})
        contents = (b'{"name": "bee", "legs": 6}', b"", b"[6]", b'{"name": ', b"[" * 100_000, b'"bee"')
        said = asked.post("/v1/predict/files", files=[("files", ("row", content)) for content in contents]).json()
        good, *others = said["answers"]
        assert good["label"] == "b", "a row's numbers may be written as numbers"
        assert {one["error"][:9] for one in others} == {"is no row"}
    assert events_of(rows) == [("label", 1, "ada")]
