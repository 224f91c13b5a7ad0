from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from app.errors import ExportError
from app.formats.copies import safe_names
from app.formats.export import EVENT_COLUMNS
from app.formats.registry import writable_formats
from app.project.exporting import export
from app.project.project import create_project
from app.project.settings import ProjectSettings
from storage.classes import rename_class
from storage.errors import NoMomentError
from storage.labels import record_decision, undo
from storage.projects import get_or_create_annotator
from storage.samples import NewSample, add_samples, list_samples


class Labeled:
    """Five images: two cats of one file name, one skip, one undone label, one flagged dog."""

    def __init__(self, folder: Path) -> None:
        self.images = [folder / "images" / name for name in ("1/a.png", "2/A.png", "3.png", "4.png", "5.png")]
        project = create_project(folder / "project", settings=ProjectSettings(name="p"), classes=["=cat", "dog"])
        self.database = project.open_database()
        self.project_id = project.project_id(self.database)
        self._add_images()
        self._decide()

    def _add_images(self) -> None:
        for index, image in enumerate(self.images):
            image.parent.mkdir(parents=True, exist_ok=True)
            image.write_bytes(bytes([index]))
        rows = [
            NewSample(str(image), hashlib.sha256(image.read_bytes()).hexdigest(), 8, 8, "pool", None)
            for image in self.images
        ]
        with self.database.write() as session:
            add_samples(session, project_id=self.project_id, samples=rows)
            self.samples = list_samples(session, project_id=self.project_id, split="pool")

    def _decide(self) -> None:
        decisions = [("label", 0), ("label", 0), ("skip", None), ("label", 1), ("flag", None), ("label", 1)]
        samples = [*self.samples[:5], self.samples[4]]
        with self.database.write() as session:
            annotator = get_or_create_annotator(session, project_id=self.project_id, name="@ann")
            events = [
                record_decision(
                    session,
                    project_id=self.project_id,
                    sample_id=sample.id,
                    annotator_id=annotator,
                    action=action,
                    class_index=class_index,
                    request_id=f"r{number}",
                )
                for number, (sample, (action, class_index)) in enumerate(zip(samples, decisions, strict=True))
            ]
            undo(session, project_id=self.project_id, event_id=events[3].id, annotator_id=annotator)


@pytest.fixture
def labeled(tmp_path: Path) -> Iterator[Labeled]:
    made = Labeled(tmp_path)
    yield made
    made.database.close()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_holds_what_is_current_and_every_event(labeled: Labeled, tmp_path: Path) -> None:
    written = export(labeled.database, labeled.project_id, "csv", tmp_path / "out")
    current, events = _rows(tmp_path / "out" / "labels.csv"), _rows(tmp_path / "out" / "events.csv")
    assert (written.labels, written.events) == (3, 7)
    assert [row["uri"] for row in current] == [str(labeled.images[index]) for index in (0, 1, 4)]
    assert [row["label"] for row in current] == ["=cat", "=cat", "dog"]
    assert tuple(events[0]) == EVENT_COLUMNS
    assert [row["action"] for row in events] == ["label", "label", "skip", "label", "flag", "label", "undo"]
    assert [row["label"] for row in events] == ["=cat", "=cat", "", "dog", "", "dog", ""]
    assert events[6]["supersedes"] == "4"
    assert {row["annotator"] for row in events} == {"@ann"}
    assert events[0]["created_at"].endswith("+00:00")


def test_json_lines_hold_the_same_with_types_and_nothing_prefixed(labeled: Labeled, tmp_path: Path) -> None:
    export(labeled.database, labeled.project_id, "jsonl", tmp_path / "out")
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    current = [json.loads(line) for line in (tmp_path / "out" / "labels.jsonl").read_text().splitlines()]
    assert (current[0]["uri"], current[0]["label"]) == (str(labeled.images[0]), "=cat")
    assert [row["flagged"] for row in current] == [False, False, True]
    assert tuple(events[0]) == EVENT_COLUMNS
    assert (events[0]["label"], events[0]["suggestion_shown"], events[0]["supersedes"]) == ("=cat", False, None)
    assert events[2]["label"] is None


def test_folders_hold_a_copy_per_current_label_and_lose_none_of_equal_name(labeled: Labeled, tmp_path: Path) -> None:
    written = export(labeled.database, labeled.project_id, "folders", tmp_path / "out")
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert written.labels == 3
    assert files == [f"=cat/A-{labeled.samples[1].id}.png", "=cat/a.png", "dog/5.png"]
    assert (tmp_path / "out" / "=cat" / "a.png").read_bytes() == b"\x00"
    assert (tmp_path / "out" / "dog" / "5.png").read_bytes() == b"\x04"


def test_an_image_that_is_gone_is_left_out_by_name_and_the_others_are_copied(labeled: Labeled, tmp_path: Path) -> None:
    labeled.images[4].unlink()
    written = export(labeled.database, labeled.project_id, "folders", tmp_path / "out")
    assert written.labels == 2
    assert written.left_out == ((str(labeled.images[4]), "cannot be read: No such file or directory"),)


def test_the_rest_of_the_pool_goes_to_another_tool_before_there_is_a_model(labeled: Labeled, tmp_path: Path) -> None:
    def tasks(name: str, rounds_dir: Path | None) -> list[dict[str, object]]:
        export(labeled.database, labeled.project_id, "label-studio", tmp_path / name, rounds_dir=rounds_dir)
        return json.loads((tmp_path / name / "tasks.json").read_text())

    decided = tasks("decided", None)
    everything = tasks("everything", tmp_path / "rounds")
    assert len(everything) == len(labeled.images) > len(decided)
    assert [one["predictions"] for one in everything] == [[]] * len(labeled.images)


@pytest.mark.parametrize("format_", ["csv", "jsonl", "folders"])
def test_nothing_is_ever_overwritten(labeled: Labeled, tmp_path: Path, format_: str) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportError, match="nothing is overwritten"):
        export(labeled.database, labeled.project_id, format_, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_failed_export_leaves_nothing_behind(
    labeled: Labeled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = set(tmp_path.iterdir())
    monkeypatch.setattr("app.formats.csv_file.os.fsync", fail)
    with pytest.raises(ExportError, match="No space left on device; nothing was left there"):
        export(labeled.database, labeled.project_id, "csv", tmp_path / "out")
    assert set(tmp_path.iterdir()) == before


def test_class_names_become_folders_that_differ_and_stay_inside() -> None:
    hostile = ["..", "a/b", "a_b", "A_B", "../../etc", "con", "-rf", "Müller", "x" * 300, "\u2028"]
    names = safe_names(hostile)
    assert names[0] == "class-0"
    assert names[7] == "Müller"
    assert len({name.casefold() for name in names}) == len(hostile)
    assert all(Path(name).name == name and name not in {".", ".."} and len(name.encode()) <= 255 for name in names)
    assert not {"con", "-rf"} & set(names)


@pytest.mark.parametrize(("event", "labels"), [(1, 1), (2, 2), (3, 2), (4, 3), (6, 4), (7, 3)])
def test_an_export_holds_what_stood_right_after_an_event(
    labeled: Labeled, tmp_path: Path, event: int, labels: int
) -> None:
    written = export(labeled.database, labeled.project_id, "csv", tmp_path / "out", at=f"#{event}")
    assert (written.labels, written.events) == (labels, event)


@pytest.mark.parametrize("name", sorted(writable_formats()))
def test_every_format_takes_a_moment(labeled: Labeled, tmp_path: Path, name: str) -> None:
    assert export(labeled.database, labeled.project_id, name, tmp_path / "out", at="#2").labels == 2


def test_a_class_has_the_name_that_it_had(labeled: Labeled, tmp_path: Path) -> None:
    with labeled.database.write() as session:
        rename_class(session, project_id=labeled.project_id, name="dog", new_name="hound", who="ann")
    export(labeled.database, labeled.project_id, "csv", tmp_path / "then", at="#7")
    export(labeled.database, labeled.project_id, "csv", tmp_path / "now")
    said = [[row["label"] for row in _rows(tmp_path / folder / "labels.csv")] for folder in ("then", "now")]
    assert said == [["=cat", "=cat", "dog"], ["=cat", "=cat", "hound"]]


def test_today_is_all_that_was_labeled_until_now(labeled: Labeled, tmp_path: Path) -> None:
    today = datetime.now().astimezone().date().isoformat()
    assert export(labeled.database, labeled.project_id, "csv", tmp_path / "out", at=today).events == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("1999-12-31", "Nothing was labeled by 1999-12-31 23:59:59"),
        ("1999-12-31T10:00Z", "Nothing was labeled by"),
        ("2999-01-01", "is in the future"),
        ("2999-01-01T10:00+02", "is in the future"),
        ("9999-12-31", "is in the future"),
        ("last Monday", "'last Monday' is no moment: wanted a day"),
        ("#8", "no label event #8; its last one is #7"),
        ("#0", "no label event #0"),
    ],
)
def test_what_is_no_moment_is_refused_with_a_sentence(labeled: Labeled, tmp_path: Path, words: str, said: str) -> None:
    with pytest.raises((ExportError, NoMomentError), match=re.escape(said)):
        export(labeled.database, labeled.project_id, "csv", tmp_path / "out", at=words)
    assert not (tmp_path / "out").exists()


def test_an_answer_that_was_kept_aside_does_not_stand_in_an_export(labeled: Labeled, tmp_path: Path) -> None:
    with labeled.database.write() as session:
        bob = get_or_create_annotator(session, project_id=labeled.project_id, name="bob")
        late = record_decision(
            session,
            project_id=labeled.project_id,
            sample_id=labeled.samples[0].id,
            annotator_id=bob,
            action="label",
            class_index=1,
            request_id="late",
            blind=True,
        )
    assert late.aside
    export(labeled.database, labeled.project_id, "csv", tmp_path / "out")
    assert [row["label"] for row in _rows(tmp_path / "out" / "labels.csv")] == ["=cat", "=cat", "dog"]
