from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from app.errors import SettingsError
from app.project.creation import add_to_pool
from app.project.project import Project
from app.project.settings import save_settings
from app.trainer import workbench
from app.trainer.rounds import run_rounds
from app.trainer.triggers import trigger_of_round, waiting_reason, work_is_waiting
from app.trainer.workbench import Workbench
from loops.predictors.network import Network
from loops.stopping import MeasuredRound
from storage.engine import Database
from storage.labels import record_decision, undo
from storage.metrics import list_metrics
from storage.projects import ClassInfo, get_or_create_annotator
from storage.refusals import list_broken
from storage.rounds import RoundInfo, list_queries, list_rounds
from storage.samples import NewSample, add_samples, list_samples
from storage.trainer import list_errors, request_training
from tests.app.trainer.conftest import QUERY_SIZE, Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")


class Trainer:
    """What the trainer process does between two looks, without the process."""

    def __init__(
        self, project: Project, database: Database, project_id: int, make_bench: Callable[[], Workbench]
    ) -> None:
        self.project, self.database, self.project_id = project, database, project_id
        self.bench = make_bench

    def is_waiting(self, after_failure: bool = False) -> bool:
        settings = self.project.settings()
        return work_is_waiting(self.database, self.project_id, settings, after_failure=after_failure)

    def run(self) -> list[RoundInfo]:
        run_rounds(self.bench())
        return self.rounds()

    def rounds(self) -> list[RoundInfo]:
        with self.database.read() as session:
            return list_rounds(session, project_id=self.project_id)

    def change(self, **settings: Any) -> None:
        save_settings(self.project.settings_path, replace(self.project.settings(), **settings))


@pytest.fixture
def trainer(project: Project, database: Database, project_id: int, make_bench: Callable[[], Workbench]) -> Trainer:
    return Trainer(project, database, project_id, make_bench)


def test_the_first_round_is_a_cold_start_that_people_can_label(trainer: Trainer, annotator: Annotator) -> None:
    assert trainer.is_waiting()
    (cold_start,) = trainer.run()
    assert (cold_start.number, cold_start.state, cold_start.trigger, cold_start.labels) == (0, "open", "cold start", 0)
    assert not trainer.is_waiting()
    assert annotator.decide() is not None
    with trainer.database.read() as session:
        ranking = list_queries(session, round_id=cold_start.id)
        audit_keys = {s.id: s.audit_key for s in list_samples(session, project_id=trainer.project_id, split="pool")}
    assert {query.purpose for query in ranking} == {"train", "audit"}
    assert all((audit_keys[query.sample_id] < 0.2) == (query.purpose == "audit") for query in ranking)


def test_a_round_is_trained_when_as_many_labels_changed_as_it_holds(trainer: Trainer, annotator: Annotator) -> None:
    trainer.run()
    events = annotator.label(QUERY_SIZE - 1)
    assert not trainer.is_waiting()
    with trainer.database.write() as session:
        me = get_or_create_annotator(session, project_id=trainer.project_id, name="me")
        undo(session, project_id=trainer.project_id, event_id=events[-1].id, annotator_id=me)
    annotator.label(QUERY_SIZE)  # two more than a round counted from the undo: no exact multiple is waited for
    assert trainer.is_waiting()
    before, after = trainer.run()
    assert (before.state, after.state) == ("closed", "open")
    assert after.labels == QUERY_SIZE + QUERY_SIZE - 2
    assert after.trigger == f"{after.labels} labels changed"


def test_audit_labels_are_reported_on_and_never_trained_on(trainer: Trainer, annotator: Annotator) -> None:
    trainer.run()
    events = annotator.label(3 * QUERY_SIZE)
    audited = sum(event.purpose == "audit" for event in events)
    assert audited > 0
    *_, latest = trainer.run()
    assert latest.labels == 3 * QUERY_SIZE
    with trainer.database.read() as session:
        metrics = list_metrics(session, project_id=trainer.project_id)
    n_of = {metric.name: metric.n for metric in metrics if metric.name.startswith("accuracy_")}
    assert n_of == {"accuracy_audit": audited, "accuracy_test": 10}
    assert all(metric.low <= metric.value <= metric.high for metric in metrics if metric.low is not None)


def test_the_scores_of_the_whole_pool_are_on_disk_when_a_ranking_is_published(
    trainer: Trainer, annotator: Annotator
) -> None:
    trainer.run()
    events = annotator.label(QUERY_SIZE)
    *_, latest = trainer.run()
    table = pq.read_table(trainer.project.rounds_dir / "0001" / "scores.parquet").to_pandas()
    assert len(table) == 60 - len(events)
    assert len(table["probs"][0]) == 10
    assert len(table["draws"][0]) == 30  # 10 classes x 3 MC iterations
    score_of = dict(zip(table["sample_id"], table["score"], strict=True))
    with trainer.database.read() as session:
        ranking = list_queries(session, round_id=latest.id)
    asked = [query for query in ranking if query.purpose == "train"]
    assert [query.score for query in asked] == pytest.approx([score_of[query.sample_id] for query in asked])
    assert asked[0].score == pytest.approx(max(query.score for query in asked if query.score is not None))
    assert all(query.suggestion is not None for query in ranking)


def test_who_is_compared_is_shown_by_the_part_of_the_labels_that_trains_it(
    trainer: Trainer, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loops.predictors.champion.COMMITTEE_FROM", 10)
    trainer.change(acquisition="auto", query_size=21)  # of ten classes: one has more labels than two
    trainer.run()
    annotator.label(21)
    bench, shown = trainer.bench(), list[tuple[str, int | None, int | None]]()
    show = bench.heartbeat.show

    def note(state: str, message: str = "", **fields: Any) -> None:
        shown.append((state, fields.get("round_number"), fields.get("done")))
        show(state, message, **fields)

    monkeypatch.setattr(bench.heartbeat, "show", note)
    run_rounds(bench)
    assert [entry for entry in shown if entry[0] == "training"] == [
        ("training", 1, None),
        *(("training", 1, part) for part in (1, 2, 3)),
    ]


def test_train_now_trains_with_what_there_is(trainer: Trainer, annotator: Annotator, project_id: int) -> None:
    trainer.run()
    annotator.label(2)
    with trainer.database.write() as session:
        request_training(session, project_id=project_id, kind="train")
    assert trainer.is_waiting()
    *_, latest = trainer.run()
    assert (latest.trigger, latest.labels) == ("Train now", 2)
    assert not trainer.is_waiting()


def test_skipped_samples_leave_the_pool(trainer: Trainer, annotator: Annotator) -> None:
    trainer.run()
    skipped = annotator.decide("skip")
    assert skipped is not None
    annotator.label(QUERY_SIZE)
    *_, latest = trainer.run()
    with trainer.database.read() as session:
        asked = {query.sample_id for query in list_queries(session, round_id=latest.id)}
    assert skipped.sample_id not in asked


def test_the_budget_ends_the_asking_until_it_is_raised(trainer: Trainer, annotator: Annotator) -> None:
    trainer.change(labeling_budget=8, audit_share=0.0)
    trainer.run()
    annotator.label(8)
    *_, latest = trainer.run()
    assert latest.labels == 8
    annotator.label(QUERY_SIZE)
    assert not trainer.is_waiting()
    settings = trainer.project.settings()
    reason = waiting_reason(trainer.database, trainer.project_id, settings)
    assert reason == "Training rests: the labeling budget of 8 labels is used up."
    trainer.change(labeling_budget=100)
    assert trainer.is_waiting()
    assert trainer.run()[-1].labels == 12


def test_a_stopping_criterion_ends_the_asking_over_several_starts_until_it_is_removed(
    trainer: Trainer, annotator: Annotator
) -> None:
    trainer.change(stop="tests.app.trainer.test_rounds:third_model", audit_share=0.0)
    for models in range(3):
        trainer.run()  # each with a loop of its own, as after a kill
        assert not trainer.is_waiting()
        annotator.label(QUERY_SIZE)
        assert trainer.is_waiting(), models
    trainer.run()
    annotator.label(QUERY_SIZE)
    assert not trainer.is_waiting()
    reason = waiting_reason(trainer.database, trainer.project_id, trainer.project.settings())
    assert reason == "Training rests: the stopping criterion tests.app.trainer.test_rounds:third_model is met."
    trainer.change(stop="")
    assert trainer.is_waiting()


def third_model(rounds: Sequence[MeasuredRound]) -> bool:
    return [one.uncertainty is None for one in rounds] == [True, False, False, False]


def test_a_stopping_criterion_that_cannot_be_used_is_said_when_the_round_begins(trainer: Trainer) -> None:
    trainer.change(stop="nowhere:enough")
    with pytest.raises(SettingsError, match=r"settings.toml, stop: .*nowhere cannot be imported"):
        trainer.run()


def test_a_used_up_pool_that_grows_is_asked_on(trainer: Trainer, annotator: Annotator, tmp_path: Path) -> None:
    trainer.change(query_size=20, audit_share=0.0)
    while trainer.is_waiting():
        trainer.run()
        while annotator.decide() is not None:
            pass
    with trainer.database.read() as session:
        known = {sample.id for sample in list_samples(session, project_id=trainer.project_id, split="pool")}
    (tmp_path / "more").mkdir()
    Image.new("L", (8, 8), 77).save(tmp_path / "more" / "another.png")
    add_to_pool(trainer.project, tmp_path / "more")
    assert trainer.is_waiting()
    latest = trainer.run()[-1]
    assert latest.trigger == "samples were added"
    with trainer.database.read() as session:
        asked = {query.sample_id for query in list_queries(session, round_id=latest.id)}
    assert len(asked - known) == 1
    assert not trainer.is_waiting()


def test_the_last_labels_of_a_budget_are_trained_on_though_they_are_no_whole_round(
    trainer: Trainer, annotator: Annotator
) -> None:
    trainer.change(labeling_budget=6, audit_share=0.0)
    trainer.run()
    annotator.label(QUERY_SIZE)
    trainer.run()
    annotator.label(1)
    assert not trainer.is_waiting()
    annotator.label(1)
    assert trainer.is_waiting()
    latest = trainer.run()[-1]
    assert (latest.labels, latest.trigger) == (6, "the labeling budget is used up")
    assert not trainer.is_waiting()


def test_the_last_labels_of_the_pool_are_trained_on_too_and_so_is_a_second_thought(
    trainer: Trainer, annotator: Annotator
) -> None:
    trainer.change(query_size=20, audit_share=0.0)
    while trainer.is_waiting():
        trainer.run()
        while (event := annotator.decide()) is not None:
            last = event
    assert trainer.rounds()[-1].labels == 60
    settings = trainer.project.settings()
    reason = waiting_reason(trainer.database, trainer.project_id, settings)
    assert reason == "Training rests: every sample of the pool is labeled or skipped."
    with trainer.database.write() as session:
        me = get_or_create_annotator(session, project_id=trainer.project_id, name="me")
        corrected = record_decision(
            session,
            project_id=trainer.project_id,
            sample_id=last.sample_id,
            annotator_id=me,
            action="label",
            class_index=7,
            request_id="again",
        )
    assert trainer.is_waiting(), "every label is trained on"
    assert trainer.run()[-1].snapshot_event_id == corrected.id
    assert not trainer.is_waiting()


def test_an_unreadable_file_is_left_out_and_stops_no_round(
    trainer: Trainer, annotator: Annotator, tmp_path: Path
) -> None:
    victim = sorted((tmp_path / "pool").iterdir())[0]
    victim.write_bytes(b"gone bad after the import")
    trainer.run()
    annotator.label(QUERY_SIZE)
    assert trainer.run()[-1].state == "open"
    with trainer.database.read() as session:
        broken = list_broken(session, project_id=trainer.project_id)
    assert [Path(sample.uri).name for sample in broken] == [victim.name]


def test_a_damaged_checkpoint_is_set_aside_and_the_round_goes_on(trainer: Trainer, annotator: Annotator) -> None:
    trainer.run()
    annotator.label(QUERY_SIZE)
    *_, latest = trainer.run()
    checkpoint = trainer.project.folder / str(latest.checkpoint)
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content)
    annotator.label(QUERY_SIZE)
    assert trainer.run()[-1].labels == 2 * QUERY_SIZE
    assert checkpoint.with_name("model.ckpt.damaged").exists()
    with trainer.database.read() as session:
        (error,) = list_errors(session, project_id=trainer.project_id)
    assert "model.ckpt" in error.message


def test_another_number_of_classes_starts_with_a_fresh_model(
    trainer: Trainer, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.run()
    annotator.label(QUERY_SIZE)
    trainer.run()
    listed = workbench.list_classes

    def with_one_more(*args: Any, **named: Any) -> list[ClassInfo]:
        classes = listed(*args, **named)
        return [*classes, replace(classes[-1], index=len(classes), name="one more")]

    monkeypatch.setattr(workbench, "list_classes", with_one_more)
    annotator.label(QUERY_SIZE)
    assert trainer.run()[-1].labels == 2 * QUERY_SIZE
    assert (trainer.project.rounds_dir / "0001" / "model.ckpt").exists()


def test_only_the_newest_checkpoints_are_kept(trainer: Trainer, annotator: Annotator) -> None:
    trainer.run()
    for _ in range(5):
        annotator.label(QUERY_SIZE)
        trainer.run()
    kept = sorted(path.parent.name for path in trainer.project.rounds_dir.glob("*/model.ckpt"))
    assert kept == ["0003", "0004", "0005"]
    assert len(list(trainer.project.rounds_dir.glob("*/scores.parquet"))) == 5


def test_labels_given_while_it_trains_belong_to_the_next_round(
    trainer: Trainer, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.run()
    annotator.label(QUERY_SIZE)
    fit = Network.fit
    given = []

    def label_meanwhile(predictor: Any, labels: dict[int, int], **named: Any) -> None:
        if not given:
            given.extend(annotator.label(QUERY_SIZE))
        fit(predictor, labels, **named)

    monkeypatch.setattr(Network, "fit", label_meanwhile)
    _, first, second = trainer.run()
    assert (first.labels, second.labels) == (QUERY_SIZE, 2 * QUERY_SIZE)


def test_a_lightning_module_of_ones_own_asks_and_goes_on_from_its_checkpoint(
    trainer: Trainer, annotator: Annotator
) -> None:
    trainer.change(predictor="tests.app.trainer.small_module:make")
    trainer.run()
    annotator.label(QUERY_SIZE)
    second = trainer.run()[1]
    assert (second.state, second.labels) == ("open", QUERY_SIZE)
    assert second.checkpoint is not None
    scores = pq.read_table(trainer.project.rounds_dir / "0001" / "scores.parquet")
    assert scores.num_rows > 0
    annotator.label(QUERY_SIZE)
    assert trainer.run()[2].labels == 2 * QUERY_SIZE


def test_a_test_set_that_is_added_later_is_measured_at_once(trainer: Trainer, annotator: Annotator) -> None:
    trainer.run()
    annotator.label(QUERY_SIZE)
    trainer.run()
    assert not trainer.is_waiting()
    another = NewSample(uri="later.png", sha256="f" * 64, width=8, height=8, split="test", class_index=0)
    with trainer.database.write() as session:
        add_samples(session, project_id=trainer.project_id, samples=[another])
    with trainer.database.read() as session:
        trigger = trigger_of_round(session, trainer.project_id, trainer.project.settings())
    assert trigger == "a test set was added"
    assert trainer.is_waiting()
