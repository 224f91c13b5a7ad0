from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.project import status as status_module
from app.project.project import Project, create_project
from app.project.settings import ProjectSettings
from app.project.status import project_status, status_text
from storage.engine import Database
from storage.labels import record_decision
from storage.metrics import NewMetric
from storage.projects import get_or_create_annotator
from storage.rounds import begin_round, mark_scoring, publish_round
from storage.samples import NewSample, add_samples, list_samples
from storage.trainer import beat, start_generation


class Opened:
    """A project of four samples, and the trainer's side of the database."""

    def __init__(self, folder: Path) -> None:
        self.project: Project = create_project(folder, settings=ProjectSettings(name="pets"), classes=["cat", "dog"])
        self.database: Database = self.project.open_database()
        self.id = self.project.project_id(self.database)
        samples = [NewSample(f"/{index}.png", f"{index:064x}", 8, 8, "pool", None) for index in range(4)]
        with self.database.write() as session:
            add_samples(session, project_id=self.id, samples=samples)

    def run_round(self, *, labels: int, metrics: list[NewMetric]) -> None:
        with self.database.write() as session:
            generation = start_generation(session, project_id=self.id, pid=1)
            begun = begin_round(
                session,
                project_id=self.id,
                generation=generation,
                trigger="round finished",
                labels=labels,
                predictor="cnn",
                acquisition="bald",
                snapshot_event_id=0,
            )
            mark_scoring(session, round_id=begun.id, generation=generation, checkpoint=None, sha256=None, size=None)
            publish_round(
                session,
                round_id=begun.id,
                generation=generation,
                queries=[],
                metrics=metrics,
                fit_seconds=0.0,
                score_seconds=0.0,
            )
            beat(session, project_id=self.id, generation=generation, state="idle")

    def decide(self, action: str, class_index: int | None, *, position: int) -> None:
        with self.database.write() as session:
            sample = list_samples(session, project_id=self.id, split="pool")[position]
            record_decision(
                session,
                project_id=self.id,
                sample_id=sample.id,
                annotator_id=get_or_create_annotator(session, project_id=self.id, name="ann"),
                action=action,
                class_index=class_index,
                request_id=f"r{position}",
            )


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path)
    yield made
    made.database.close()


def test_a_new_project_has_no_rounds_and_no_trainer_and_says_what_to_do(opened: Opened) -> None:
    found = project_status(opened.database, opened.project)
    assert found.pop("advice")["verdict"] == "too early"
    certificate = found.pop("certificate")
    assert certificate.pop("sentence").startswith("Nothing is proven yet")
    assert certificate == {"proven": 0.0, "confidence": 0.95, "audits": 0, "needed": {"0.95": None}}
    assert found == {
        "project": "pets",
        "rounds": [],
        "labels": 0,
        "imported": 0,
        "skips": 0,
        "pool": 4,
        "accuracies": {},
        "labels_saved": None,
        "beside_simplest": None,
        "trainer": {"state": "never started", "heartbeat_age_s": None},
    }
    assert "labelloop run" in status_text(project_status(opened.database, opened.project))


def test_labels_and_skips_leave_the_pool(opened: Opened) -> None:
    opened.decide("label", 1, position=0)
    opened.decide("label", 0, position=1)
    opened.decide("skip", None, position=2)
    found = project_status(opened.database, opened.project)
    assert (found["labels"], found["skips"], found["pool"]) == (2, 1, 1)


def test_accuracy_is_null_then_the_audits_then_the_test_sets_where_there_is_one(opened: Opened) -> None:
    audit = NewMetric("accuracy_audit", 0.5, low=0.25, high=0.75, n=8)
    test = NewMetric("accuracy_test", 0.875, low=0.8, high=0.95, n=400)
    opened.run_round(labels=0, metrics=[])
    opened.run_round(labels=10, metrics=[audit])
    opened.run_round(labels=20, metrics=[audit, test])
    assert project_status(opened.database, opened.project)["rounds"] == [
        {"number": 0, "state": "closed", "labels": 0, "accuracy": None, "low": None, "high": None},
        {"number": 1, "state": "closed", "labels": 10, "accuracy": 0.5, "low": 0.25, "high": 0.75},
        {"number": 2, "state": "open", "labels": 20, "accuracy": 0.875, "low": 0.8, "high": 0.95},
    ]


def test_a_person_reads_a_table_with_the_interval(opened: Opened) -> None:
    opened.run_round(labels=0, metrics=[])
    opened.run_round(labels=10, metrics=[NewMetric("accuracy_test", 0.875, low=0.8, high=0.95, n=400)])
    lines = status_text(project_status(opened.database, opened.project)).splitlines()
    assert lines[0] == "pets: 0 labels, 0 skips, 4 left in the pool"
    assert lines[1].startswith("Trainer: idle, last heard of ")
    assert lines[2].startswith("Too early to say when to stop. Too few rounds to forecast (1 of 4")
    assert [line.split() for line in lines[4:]] == [
        ["round", "state", "labels", "accuracy", "95", "%", "interval"],
        ["0", "closed", "0", "-", "-"],
        ["1", "open", "10", "87.5", "%", "80.0", "-", "95.0", "%"],
    ]


def test_four_flat_rounds_that_agree_may_stop_and_say_so_to_programs_and_people(opened: Opened) -> None:
    kappa = NewMetric("prediction_kappa", 0.995, n=400)
    for labels in (10, 20, 40, 80):
        audit = NewMetric("accuracy_audit", 0.5, low=0.0, high=1.0, n=4)  # the test set is the surer one
        opened.run_round(labels=labels, metrics=[NewMetric("accuracy_test", 0.9, 0.88, 0.92, n=900), audit, kappa])
    found = project_status(opened.database, opened.project)
    assert found["advice"]["verdict"] == "stop"
    assert (found["advice"]["kappa"], found["advice"]["next_labels"]) == (0.995, 50)
    assert "You may stop: the next 50 labels" in status_text(found)


def test_every_accuracy_says_what_it_may_be_believed_for_and_labels_saved_has_its_band(opened: Opened) -> None:
    names = ("audit", "cross_validated", "lure")
    kinds = [NewMetric(f"accuracy_{name}", 0.5, low=0.25, high=0.75, n=8) for name in names]
    shadows = [NewMetric("labels_random", 300.4, 150.2, None, n=40), NewMetric("gain_at_equal_labels", 0.1, 0, 0.2, 16)]
    shadows.append(NewMetric("gain_over_simplest", 0.1, 0.05, 0.15, 16))
    opened.run_round(labels=100, metrics=[*kinds, *shadows])
    found = project_status(opened.database, opened.project)
    assert set(found["accuracies"]) == set(names)
    assert found["accuracies"]["cross_validated"]["meaning"].startswith("biased")
    assert found["accuracies"]["lure"]["n"] == 8
    saved = found["labels_saved"]
    assert (saved["labels"], saved["random"], saved["low"], saved["high"], saved["audited"]) == (
        100,
        300,
        150,
        None,
        40,
    )
    assert saved["equal"] == {"labels": 16, "gain": 0.1, "low": 0.0, "high": 0.2}
    assert "at least 50 labels saved" in status_text(found)
    assert found["beside_simplest"]["low"] == 0.05
    assert "Better than the simplest thing: with 16 labels each" in status_text(found)


@pytest.mark.parametrize(
    ("passed", "age", "said"),
    [
        (timedelta(seconds=3), 3.0, "idle, last heard of 3 s ago"),
        (timedelta(seconds=60), 60.0, "idle, last heard of 60 s ago, silent: it is not running"),
        (timedelta(minutes=20), 1_200.0, "idle, last heard of 20 min ago, silent: it is not running"),
        (timedelta(hours=3), 10_800.0, "idle, last heard of 3 h ago, silent: it is not running"),
        (timedelta(days=3), 259_200.0, "idle, last heard of 3 days ago, silent: it is not running"),
        (timedelta(days=-1), 0.0, "idle, last heard of 0 s ago"),
    ],
)
def test_silence_is_told_and_a_clock_set_back_is_none(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, passed: timedelta, age: float, said: str
) -> None:
    opened.run_round(labels=0, metrics=[])
    with opened.database.read() as session:
        beat_at = status_module.get_heartbeat(session, project_id=opened.id).beat_at

    class Clock:
        @staticmethod
        def now(zone: timezone) -> datetime:
            return beat_at.astimezone(zone) + passed

    monkeypatch.setattr(status_module, "datetime", Clock)
    found = project_status(opened.database, opened.project)
    assert (found["trainer"]["state"], found["trainer"]["heartbeat_age_s"]) == ("idle", age)
    assert f"Trainer: {said}\n" in status_text(found)


@pytest.mark.parametrize(
    ("eta_s", "left"), [(None, ""), (0.4, ""), (45.0, ", about 45 s left"), (600.0, ", about 10 min left")]
)
def test_how_far_the_images_are_looked_at_is_told_with_the_time_left(
    opened: Opened, eta_s: float | None, left: str
) -> None:
    opened.run_round(labels=0, metrics=[])
    said = "Looking at the images: 300 of 5,000"
    with opened.database.write() as session:
        beat(session, project_id=opened.id, generation=1, message=said, done=300, total=5_000, eta_s=eta_s)
    found = project_status(opened.database, opened.project)
    assert (found["trainer"]["done"], found["trainer"]["total"], found["trainer"]["eta_s"]) == (300, 5_000, eta_s)
    assert f". {said}{left}\n" in status_text(found)


def test_the_details_of_what_answers_stand_beside_the_sentence(opened: Opened) -> None:
    opened.run_round(labels=0, metrics=[])
    with opened.database.write() as session:
        beat(session, project_id=opened.id, generation=1, state="idle", message="Right on 71.\nThe graph answers.")
    trainer = project_status(opened.database, opened.project)["trainer"]
    assert (trainer["message"], trainer["details"]) == ("Right on 71.", "The graph answers.")
