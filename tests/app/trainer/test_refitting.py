"""A round fitted again, from its labels and the seed, comes to what it noted; where it does not, that is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from app.project.class_changes import Kind, change_class, take_back
from app.project.measured import measured_path
from app.project.project import Project
from app.project.scores import scores_path
from app.project.settings import save_settings
from app.trainer.refitting import RefittedRound, refitted_rounds
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from storage.current import CurrentLabel, current_labels
from storage.engine import Database
from storage.models import Metric, Query
from tests.app.trainer.conftest import QUERY_SIZE, Annotator


@pytest.fixture
def four_rounds(quick_predictor: None, make_bench: Callable[[], Workbench], annotator: Annotator) -> None:
    """Round 0, and three that were trained, each after a skip and four labels."""
    run_rounds(make_bench())
    for _ in range(3):
        annotator.decide("skip")
        annotator.label(QUERY_SIZE)
        run_rounds(make_bench())


def differences(project: Project, database: Database) -> dict[int, tuple[str, ...]]:
    return {one.number: one.differences for one in refitted_rounds(project, database)}


@pytest.mark.usefixtures("four_rounds")
def test_every_round_comes_to_the_same_and_nothing_of_the_project_changes(project: Project, database: Database) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.rounds_dir.rglob("*")}
    found = list(refitted_rounds(project, database))
    assert found == [RefittedRound(number, ()) for number in range(4)]
    assert {path: path.stat().st_mtime_ns for path in project.rounds_dir.rglob("*")} == before


@pytest.mark.usefixtures("four_rounds")
def test_what_differs_is_said_in_its_round(project: Project, database: Database) -> None:
    with database.write() as session:
        metric = session.query(Metric).filter_by(name="accuracy_test").order_by(Metric.id).first()
        assert metric is not None
        metric.value = 2.0
        lines = session.query(Query).filter_by(round_id=3).order_by(Query.rank).limit(2).all()
        first, second = (line.sample_id for line in lines)
        for rank, line in ((-1, lines[0]), (0, lines[1]), (1, lines[0])):
            line.rank = rank
            session.flush()
    first_scored, second_scored = (scores_path(project.rounds_dir, number) for number in (2, 3))
    second_scored.write_bytes(first_scored.read_bytes())
    found = differences(project, database)
    assert found[0] == ()
    assert len(found[1]) == 1
    assert found[1][0].startswith("accuracy_test was 2, and is ")
    assert found[2][0].startswith(f"question 1 was sample {second}, and is sample {first}")
    assert any("decided otherwise" in one for one in found[3])


@pytest.mark.usefixtures("four_rounds")
def test_a_second_look_asked_for_after_a_round_was_scored_is_not_scored_with_it(
    project: Project, database: Database
) -> None:
    with database.write() as session:
        labeled_before = session.query(Query).filter_by(round_id=1).order_by(Query.rank).first()
        assert labeled_before is not None
        session.add(Query(round_id=4, sample_id=labeled_before.sample_id, rank=900, purpose="recheck"))
        in_pool = session.query(Query).filter_by(round_id=4).order_by(Query.rank.desc()).offset(1).first()
        assert in_pool is not None
        in_pool.purpose = "recheck"  # as of a sample whose label was taken back since
    found = differences(project, database)
    assert not [one for one in found[3] if "scored" in one or "looked at" in one]


@pytest.mark.usefixtures("four_rounds")
def test_a_second_look_that_moved_on_to_the_next_round_was_scored_in_both(project: Project, database: Database) -> None:
    path = scores_path(project.rounds_dir, 2)
    with database.write() as session:
        looked_at = session.query(Query).filter_by(round_id=1).order_by(Query.rank).first()
        assert looked_at is not None
        session.add(Query(round_id=4, sample_id=looked_at.sample_id, rank=900, purpose="recheck"))
        rows = pq.read_table(path)
        row = rows.slice(0, 1).set_column(0, rows.field(0), pa.array([looked_at.sample_id], rows.field(0).type))
    pq.write_table(pa.concat_tables([rows, row]), path)
    assert not [one for one in differences(project, database)[2] if "scored" in one or "looked at" in one]


@pytest.mark.usefixtures("four_rounds")
def test_a_round_is_measured_on_the_test_samples_that_were_embedded_then(project: Project, database: Database) -> None:
    """Of a round noted as measured on nothing but what it had right all is right again."""
    path = measured_path(project.rounds_dir, 2)
    rows = pq.read_table(path)
    pq.write_table(rows.filter(pc.equal(rows["label"], rows["predicted"])), path)
    found = differences(project, database)
    assert next(one for one in found[2] if one.startswith("accuracy_test")).endswith("and is 1 fitted again")
    assert found[3] == ()


@pytest.mark.usefixtures("four_rounds")
def test_a_round_of_other_settings_is_not_fitted_and_that_is_said(project: Project, database: Database) -> None:
    save_settings(project.settings_path, replace(project.settings(), acquisition="margin"))
    for one in refitted_rounds(project, database):
        assert one.differences == ()
        assert "cnn and bald, and the settings of now say cnn and margin" in one.notes[0]


def labels_of(database: Database, annotator: Annotator) -> list[CurrentLabel]:
    with database.read() as session:
        return current_labels(session, project_id=annotator.project_id)


@pytest.mark.usefixtures("quick_predictor")
def test_a_merge_that_was_taken_back_and_a_split_are_not_differences(
    make_bench: Callable[[], Workbench], annotator: Annotator, project: Project, database: Database
) -> None:
    def change(kind: Kind, name: str, value: str) -> None:
        with database.write() as session:
            change_class(session, project_id=annotator.project_id, kind=kind, name=name, value=value, who="me")

    def labeled_round() -> None:
        annotator.label(QUERY_SIZE)
        run_rounds(make_bench())

    run_rounds(make_bench())
    labeled_round()
    change("merge", "7", "1")
    labeled_round()
    with database.write() as session:
        take_back(session, project_id=annotator.project_id, number="1", who="me")
    labeled_round()
    common = Counter(one.class_index for one in labels_of(database, annotator)).most_common(1)[0][0]
    change("split", str(common), f"{common}a,{common}b")
    annotator.class_of = {name: 10 if index == common else index for name, index in annotator.class_of.items()}
    labeled_round()
    found = list(refitted_rounds(project, database))
    assert [one.differences for one in found] == [()] * 5
    assert any("samples of a class that was split" in note for one in found for note in one.notes)
