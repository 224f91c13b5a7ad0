"""Labels that come with a source, from the file to the labels a round is trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from app.formats.registry import open_source
from app.formats.source import spelled_otherwise
from app.project.creation import Created, add_to_pool, make_project
from app.project.import_words import report_lines, undo_labels
from app.project.preview import preview_of
from app.project.settings import ProjectSettings
from app.project.status import project_status
from app.trainer.oracle import train_labels
from storage.engine import Database
from storage.imported import list_imported_predictions
from storage.labels import current_labels, record_decision
from storage.projects import get_or_create_annotator, list_classes


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for number, name in enumerate(["cat", "cat", "dog", "dog"]):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(folder / name / f"{number}.png")
    return folder


def make(tmp_path: Path, images: Path, **more: object) -> Created:
    return make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=images, **more)


def opened(created: Created) -> tuple[Database, int]:
    database = created.project.open_database()
    return database, created.project.project_id(database)


def trained_on(created: Created) -> dict[int, int]:
    database, project_id = opened(created)
    with database.read() as session:
        labels = train_labels(current_labels(session, project_id=project_id))
    database.close()
    return labels


def test_without_being_asked_for_labels_stay_in_the_source_and_the_sentence_says_how_to_take_them(tmp_path, images):
    (images / "list.csv").write_text("path,label\ncat/0.png,cat\ndog/2.png,dog\n")
    created = make(tmp_path, images / "list.csv", classes=["cat", "dog"])
    assert trained_on(created) == {}
    assert any("2 labels of the pool were not taken over" in line for line in report_lines(created.pool, "samples"))
    assert any("--labeled" in line for line in report_lines(created.pool, "samples"))


def test_a_folder_per_class_gives_classes_and_labels_that_the_first_round_trains_on(tmp_path, images):
    created = make(tmp_path, images, labeled=True)
    database, project_id = opened(created)
    with database.read() as session:
        assert [entry.name for entry in list_classes(session, project_id=project_id)] == ["cat", "dog"]
    status = project_status(database, created.project)
    database.close()
    assert (status["labels"], status["imported"], status["pool"]) == (4, 4, 0)
    assert trained_on(created) == {1: 0, 2: 0, 3: 1, 4: 1}


def test_labels_of_samples_that_are_there_already_are_taken_later_and_back_as_one(tmp_path, images):
    created = make(tmp_path, images)
    report = add_to_pool(created.project, images, labeled=True)
    assert (report.added, report.taken.labels) == (0, 4)
    assert report.taken.import_id is not None
    assert undo_labels(created.project, report.taken.import_id).startswith("4 decisions of import 1 were taken back")
    assert trained_on(created) == {}
    again = add_to_pool(created.project, images, labeled=True)
    assert again.taken.labels == 4


def test_one_content_with_two_labels_has_none_and_is_listed(tmp_path, images):
    shutil.copy(images / "cat" / "0.png", images / "dog" / "copy.png")
    created = make(tmp_path, images, labeled=True)
    assert trained_on(created) == {2: 0, 3: 1, 4: 1}
    (listed,) = created.pool.taken.contradictions
    assert listed.reason == "is cat as cat/0.png and dog as dog/copy.png; no label was taken over"


def test_a_thousand_copies_that_contradict_each_other_are_one_sentence(tmp_path):
    lines = [f'{{"text": "t{number % 2}", "label": "{"ab"[number // 2 % 2]}"}}\n' for number in range(1000)]
    (tmp_path / "t.jsonl").write_text("".join(lines))
    created = make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=tmp_path / "t.jsonl", labeled=True)
    said = [listed.reason for listed in created.pool.taken.contradictions]
    assert said[0] == "is a as t.jsonl:1 and b as t.jsonl:3 (of 500 copies); no label was taken over"
    (line,) = (line for line in report_lines(created.pool, "samples") if line.startswith("contradiction"))
    assert line == f"contradiction t.jsonl:1: {said[0]} (and 1 more of this kind)"


def test_what_a_person_said_stays_and_the_source_that_says_otherwise_is_listed(tmp_path, images):
    created = make(tmp_path, images)
    database, project_id = opened(created)
    with database.write() as session:
        ada = get_or_create_annotator(session, project_id=project_id, name="ada")
        for sample_id, index in ((1, 1), (3, 1)):
            record_decision(
                session,
                project_id=project_id,
                sample_id=sample_id,
                annotator_id=ada,
                action="label",
                class_index=index,
                request_id=f"r{sample_id}",
            )
    database.close()
    taken = add_to_pool(created.project, images, labeled=True).taken
    assert (taken.labels, taken.known) == (2, 1)
    assert [listed.reason for listed in taken.contradictions] == [
        "is dog in the project and cat in the source; what the project has stays"
    ]
    assert trained_on(created) == {1: 1, 2: 0, 3: 1, 4: 1}


def test_classes_of_the_source_can_have_other_names_here_or_none(tmp_path, images):
    created = make(tmp_path, images, classes=["Hund", "Katze"], labeled=True, new_names={"dog": "Hund", "cat": ""})
    assert trained_on(created) == {3: 0, 4: 0}
    assert created.pool.added == 4


def test_labels_of_a_class_that_the_project_lacks_are_listed_and_their_samples_come_in(tmp_path, images):
    created = make(tmp_path, images, classes=["cat", "fox"], labeled=True)
    assert trained_on(created) == {1: 0, 2: 0}
    assert {listed.reason for listed in created.pool.taken.unknown} == {
        "its label dog is none of the project's classes"
    }
    assert created.pool.added == 4


def test_people_skips_and_predictions_of_another_tool_come_in_with_their_names(tmp_path, images):
    def result(name: str) -> list[dict[str, object]]:
        return [{"from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": [name]}}]

    tasks = [
        {
            "data": {"image": "/data/local-files/?d=cat/0.png"},
            "annotations": [
                {"result": result("dog"), "completed_by": 7, "created_at": "2026-01-01T10:00:00Z", "lead_time": 2.5},
                {"result": result("cat"), "completed_by": {"email": "bob@x"}, "created_at": "2026-01-02T10:00:00Z"},
            ],
            "predictions": [{"model_version": "m1", "score": 0.75, "result": result("cat")}],
        },
        {"data": {"image": "dog/2.png"}, "annotations": [{"result": [], "was_cancelled": True, "completed_by": 7}]},
        {"data": {"image": "/data/upload/3/1a2b3c4d-new.png"}},
    ]
    Image.new("L", (8, 8), 200).save(images / "new.png")
    (images / "tasks.json").write_text(json.dumps(tasks))
    created = make(tmp_path, images / "tasks.json", classes=["cat", "dog"], labeled=True)
    taken = created.pool.taken
    assert (created.pool.added, taken.labels, taken.skips, taken.predictions) == (3, 1, 1, 1)
    database, project_id = opened(created)
    with database.read() as session:
        standing = current_labels(session, project_id=project_id)
        told = list_imported_predictions(session, project_id=project_id)
    database.close()
    assert [(row.action, row.class_index, row.annotator) for row in standing] == [
        ("label", 0, "bob@x"),
        ("skip", None, "7"),
    ]
    assert [(one.class_index, one.probability, one.model_version) for one in told] == [(0, 0.75, "m1")]


def test_a_look_shows_twelve_rows_the_classes_and_what_the_project_lacks(tmp_path, images):
    for number in range(20):
        Image.new("L", (8, 8), 100 + number).save(images / "dog" / f"more-{number}.png")
    preview = preview_of(open_source(images, uploads=tmp_path), classes=["cat", "fox"])
    assert len(preview.rows) == 12
    assert preview.rows[0] == ("cat/0.png", "cat", "")
    assert dict(preview.classes) == {"dog": 22, "cat": 2}
    assert any("no class dog" in sentence for sentence in preview.sentences)


def spelled(tmp_path: Path, *labels: str) -> Path:
    """A list of images with labels as somebody wrote them."""
    folder = tmp_path / "spelled"
    folder.mkdir(exist_ok=True)
    for number in range(len(labels)):
        Image.new("L", (8, 8), 100 + number).save(folder / f"{number}.png")
    lines = [f"{number}.png,{label}" for number, label in enumerate(labels)]
    (folder / "list.csv").write_text("\n".join(["path,label", *lines]), encoding="utf-8")
    return folder / "list.csv"


def test_a_class_is_found_whatever_its_capitals_and_its_accents(tmp_path: Path, images: Path) -> None:
    created = make(tmp_path, images, classes=["cat", "d\u00f6g", "A", "a"])
    source = spelled(tmp_path, "Cat", "CAT", "cat", "Do\u0308g", "a", "A", "newt")
    report = add_to_pool(created.project, source, labeled=True)
    assert list(trained_on(created).values()) == [0, 0, 0, 1, 3, 2]
    assert report.notes == (
        "Classes of the project, written otherwise in the source: CAT as cat, Cat as cat, D\u00f6g as d\u00f6g.",
    )
    assert [refused.name for refused in report.taken.unknown] == ["6.png"]


def test_a_label_in_other_capitals_is_no_contradiction(tmp_path: Path, images: Path) -> None:
    created = make(tmp_path, images, classes=["cat", "dog"])
    report = add_to_pool(created.project, spelled(tmp_path, "cat", "dog"), labeled=True)
    again = add_to_pool(created.project, spelled(tmp_path, "Cat", "Dog"), labeled=True)
    assert (report.taken.labels, again.taken.labels, again.taken.known) == (2, 0, 2)
    assert again.taken.contradictions == ()


def test_a_source_that_writes_a_class_in_two_ways_has_one(tmp_path: Path) -> None:
    created = make(tmp_path, spelled(tmp_path, "Cat", "cat", "cat", "dog"), labeled=True)
    database, project_id = opened(created)
    with database.read() as session:
        assert [entry.name for entry in list_classes(session, project_id=project_id)] == ["cat", "dog"]
    assert list(trained_on(created).values()) == [0, 0, 0, 1]
    assert created.pool.notes == ("Classes of the project, written otherwise in the source: Cat as cat.",)


def test_a_test_set_may_write_the_classes_otherwise_too(tmp_path: Path, images: Path) -> None:
    created = make(tmp_path, images, classes=["cat", "dog"], test=spelled(tmp_path, "CAT", "Dog"))
    assert created.test is not None
    assert (created.test.added, created.test.refused) == (2, ())


def test_a_preview_knows_a_class_in_other_capitals(tmp_path: Path) -> None:
    source = open_source(spelled(tmp_path, "Cat", "newt"), uploads=tmp_path / "uploads")
    sentences = preview_of(source, classes=["cat", "dog"]).sentences
    assert [line for line in sentences if "no class" in line] == [
        "The project has no class newt: give it another name below, or add the class first."
    ]


def test_a_name_that_could_be_either_of_two_classes_is_neither() -> None:
    assert spelled_otherwise(["CAT", "Cat"], ["cat", "Cat"]) == {}  # of a project that an older version made
