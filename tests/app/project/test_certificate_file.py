from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.command.main import commands
from app.project.certificates import read_proof, sentence, write_candidate
from app.project.project import Project, create_project
from app.project.settings import ProjectSettings
from app.project.status import project_status
from loops.certificate.candidate import Candidate, PoolAnswers, make_candidate
from loops.seeding import seed_of
from storage.engine import Database
from storage.labels import record_decision
from storage.projects import get_or_create_annotator
from storage.samples import NewSample, add_samples, list_samples

SAMPLES = 400


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create_project(tmp_path / "pets", settings=ProjectSettings(name="pets", seed=7), classes=["cat", "dog"])


@pytest.fixture
def database(project: Project) -> Iterator[Database]:
    opened = project.open_database()
    samples = [NewSample(f"/{index}.png", f"{index:064x}", 8, 8, "pool", None) for index in range(SAMPLES)]
    with opened.write() as session:
        add_samples(session, project_id=project.project_id(opened), samples=samples)
    yield opened
    opened.close()


@pytest.fixture
def candidate(project: Project, database: Database) -> Candidate:
    """Round 3 answers "cat" for everything."""
    with database.read() as session:
        ids = [s.id for s in list_samples(session, project_id=project.project_id(database), split="pool")]
    answered = PoolAnswers(np.array(ids), np.zeros(SAMPLES, np.int64), np.linspace(0.0, 0.5, SAMPLES))
    made = make_candidate(answered, round_number=3, seed=seed_of(7, "audit draws", 3), target=0.95)
    write_candidate(project, made)
    return made


def label_draws(project: Project, database: Database, candidate: Candidate, draws: range) -> None:
    project_id = project.project_id(database)
    with database.write() as session:
        annotator = get_or_create_annotator(session, project_id=project_id, name="me")
        for row in candidate.order[draws.start : draws.stop].tolist():
            record_decision(
                session,
                project_id=project_id,
                sample_id=int(candidate.sample_ids[row]),
                annotator_id=annotator,
                action="label",
                class_index=0,
                request_id=f"draw-{row}",
            )


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [str(argument) for argument in arguments])


@pytest.fixture
def certified(project: Project, database: Database, candidate: Candidate, tmp_path: Path) -> Path:
    label_draws(project, database, candidate, range(120))
    out = tmp_path / "certificate.json"
    said = run("certificate", project.folder, out)
    assert said.exit_code == 0, said.output
    assert said.output.startswith("Proven: at least 9")
    return out


def test_without_a_candidate_there_is_nothing_to_certify(project: Project, database: Database, tmp_path: Path) -> None:
    with database.read() as session:
        proof = read_proof(session, project, project.project_id(database))
    assert sentence(proof).startswith("Nothing is proven yet")
    said = run("certificate", project.folder, tmp_path / "certificate.json")
    assert said.exit_code == 1
    assert not (tmp_path / "certificate.json").exists()


def test_status_says_what_is_proven_and_what_it_would_take(
    project: Project, database: Database, candidate: Candidate
) -> None:
    label_draws(project, database, candidate, range(20))
    found = project_status(database, project)["certificate"]
    assert 0.5 < found["proven"] < 0.95  # 20 right answers in a row refute 0.86 and less
    assert 20 < found["needed"]["0.95"] < 200


def test_a_certificate_holds_also_after_later_labels(
    project: Project, database: Database, candidate: Candidate, certified: Path
) -> None:
    label_draws(project, database, candidate, range(120, 125))
    said = run("verify", certified, project.folder)
    assert said.exit_code == 0, said.output
    assert "5 label events came after it" in said.output


def change_claim(content: dict[str, Any]) -> None:
    content["claim"]["proven"] = 0.999


def change_label(content: dict[str, Any]) -> None:
    content["labels"][0][2] = 1


def drop_label(content: dict[str, Any]) -> None:
    content["labels"].pop()


def change_seed(content: dict[str, Any]) -> None:
    content["candidates"][0]["seed"] += 1


def change_answer(content: dict[str, Any]) -> None:
    content["candidates"][0]["predicted"][5] = 1


def change_chance(content: dict[str, Any]) -> None:
    content["draws"][3]["probability"] *= 2


def change_sentence(content: dict[str, Any]) -> None:
    content["sentence"] = "Proven: all of it."


def change_moment(content: dict[str, Any]) -> None:
    content["through_event_id"] += 1000


@pytest.mark.parametrize(
    "forge",
    [
        change_claim, change_label, drop_label, change_seed, change_answer, change_chance, change_sentence,
        change_moment,
    ],
)  # fmt: skip
def test_a_forged_one_is_refused_with_a_sentence(project: Project, certified: Path, forge: Any) -> None:
    content = json.loads(certified.read_text())
    forge(content)
    certified.write_text(json.dumps(content))
    said = run("verify", certified, project.folder)
    assert said.exit_code == 1
    assert isinstance(said.exception, Exception)


def test_what_is_no_certificate_is_refused(project: Project, database: Database, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("[]")
    assert run("verify", tmp_path / "other.json", project.folder).exit_code == 1
    assert run("verify", tmp_path / "missing.json", project.folder).exit_code == 1
