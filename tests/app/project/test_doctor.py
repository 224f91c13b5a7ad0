from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from app.project import doctor
from app.project.doctor import Finding, examine
from app.project.lock import trainer_lock
from app.project.project import Project, create_project
from app.project.settings import ProjectSettings
from storage.filesystem import Mount
from storage.library import choose_library
from storage.refusals import mark_broken
from storage.rounds import begin_round, fail_round
from storage.samples import NewSample, add_samples, list_samples
from storage.trainer import record_error, start_generation
from tests.loops.acquisition.entry_points import install

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create_project(tmp_path / "pets", settings=ProjectSettings(name="pets"), classes=["cat", "dog"])


def _project_findings(project: Project) -> dict[str, Finding]:
    return {finding.what: finding for finding in doctor._examine_project(project)}


def _wrong(findings: dict[str, Finding]) -> list[str]:
    return [what for what, finding in findings.items() if not finding.good]


def _trainer_starts(project: Project) -> tuple[int, int]:
    database = project.open_database()
    project_id = project.project_id(database)
    with database.write() as session:
        generation = start_generation(session, project_id=project_id, pid=os.getpid())
    database.close()
    return project_id, generation


def test_all_is_well_on_this_machine_and_our_acquisition_functions_are_baals(project: Project) -> None:
    findings = {finding.what: finding for finding in examine(project)}
    assert _wrong(findings) == []
    assert {"versions", "SQLite", "GPU", "acquisition functions", "disk space", "integrity", "trainer"} <= set(findings)
    for name in ("bald", "predictive_entropy", "margin", "variation_ratios"):
        assert name in findings["acquisition functions"].found


def test_what_installed_packages_add_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    finding = doctor.acquisition_functions()
    assert finding.good
    assert finding.found.endswith("random, least_first_class")


def test_an_acquisition_function_that_differs_from_baals_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    from loops.acquisition import functions

    margin = functions.margin

    def wrong_of_the_first(probs_N_C_K: Any) -> Any:
        scores_N = margin(probs_N_C_K)
        scores_N[0] += 1
        return scores_N

    monkeypatch.setattr(functions, "margin", wrong_of_the_first)
    finding = doctor.acquisition_functions()
    assert not finding.good
    assert "by at most 1.0e+00" in finding.found


def test_a_missing_package_is_wrong_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PACKAGES", ("labelloop", "no-such-package"))
    assert doctor.versions() == Finding(
        "versions", "no-such-package not installed; install LabelLoop again.", good=False
    )


def test_a_look_that_fails_is_a_finding_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def accelerator() -> Finding:
        raise RuntimeError("driver too old")

    monkeypatch.setattr(doctor, "accelerator", accelerator)
    findings = list(examine(None))
    assert Finding("accelerator", "RuntimeError: driver too old", good=False) in findings
    assert len(findings) == 4


def test_a_nearly_full_disk_is_wrong(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: Usage(10**12, 10**12 - 10**8, 10**8))
    findings = _project_findings(project)
    assert _wrong(findings) == ["disk space"]
    assert findings["disk space"].found.startswith("0.1 GB free")


def test_a_network_file_system_is_wrong(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_mount", lambda _path: Mount(Path("/home"), "nfs4"))
    assert not doctor.file_system(project).good


def test_a_damaged_database_is_told_and_not_written_to(project: Project) -> None:
    content = bytearray(project.database_path.read_bytes())
    for start in range(4096, len(content), 4096):  # the first 8 bytes of each page after the first: its header
        content[start : start + 8] = b"\xff" * 8
    project.database_path.write_bytes(content)
    findings = _project_findings(project)
    assert _wrong(findings) == ["integrity"]
    assert "trainer" not in findings
    assert project.database_path.read_bytes() == content


def test_a_database_that_is_gone_is_told_and_not_made_anew(project: Project) -> None:
    project.database_path.unlink()
    findings = _project_findings(project)
    assert _wrong(findings) == ["integrity"]
    assert findings["integrity"].found.startswith(f"There is no database at {project.database_path}. 'labelloop")
    assert not project.database_path.exists()


def test_backups_and_the_journal_are_told(project: Project) -> None:
    assert _project_findings(project)["backups"].found.startswith("0 in backups, the trainer makes one every hour")
    (project.folder / "backups").mkdir()
    (project.folder / "backups" / "labelloop-20240101T120000_000000Z.db").touch()
    (project.folder / "labels.journal").write_bytes(b"\ntorn")
    findings = _project_findings(project)
    expected = "1 in backups, newest from 2024-01-01 12:00 UTC; 0 label events in labels.journal"
    assert findings["backups"].found == expected
    assert findings["label journal"].found == "1 damaged lines"
    assert not findings["label journal"].good


def test_images_that_have_gone_are_counted_page_by_page(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "SAMPLES_AT_ONCE", 2)
    (tmp_path / "0.png").write_bytes(b"")
    rows = [NewSample(str(tmp_path / f"{i}.png"), f"{i:064x}", 8, 8, "pool", None) for i in range(3)]
    database = project.open_database()
    with database.write() as session:
        add_samples(session, project_id=project.project_id(database), samples=rows)
    database.close()
    assert _project_findings(project)["images"] == Finding(
        "images", f"2 of 3 are gone, such as {tmp_path / '1.png'}", good=False
    )


def test_images_that_could_not_be_read_are_counted_with_the_reason(project: Project, tmp_path: Path) -> None:
    images = [tmp_path / f"{i}.png" for i in range(3)]
    rows = [NewSample(str(image), f"{i:064x}", 8, 8, "pool", None) for i, image in enumerate(images)]
    for image in images:
        image.write_bytes(b"")
    database = project.open_database()
    with database.write() as session:
        project_id = project.project_id(database)
        add_samples(session, project_id=project_id, samples=rows)
        first = list_samples(session, project_id=project_id, split="pool")[0]
        mark_broken(session, sample_id=first.id, reason="the file is gone")
    database.close()
    said = f"1 could not be read and are not asked any more, such as {images[0]}: the file is gone"
    assert _project_findings(project)["images"] == Finding("images", said, good=False)


def test_a_trainer_that_does_not_run_is_no_fault(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _trainer_starts(project)
    monkeypatch.setattr(doctor, "heartbeat_age", lambda _heartbeat: 3600.0)
    assert _project_findings(project)["trainer"].found == "not running; last heard of 3,600 s ago (starting)"


def test_a_trainer_that_runs_and_is_silent_is_wrong(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _trainer_starts(project)
    with trainer_lock(project.lock_path):
        assert _project_findings(project)["trainer"].good
        monkeypatch.setattr(doctor, "heartbeat_age", lambda _heartbeat: 16.0)
        finding = _project_findings(project)["trainer"]
    assert finding == Finding("trainer", f"runs (process {os.getpid()}) but is silent for 16 s", good=False)


def test_a_failed_round_is_wrong_with_its_reason(project: Project) -> None:
    project_id, generation = _trainer_starts(project)
    database = project.open_database()
    with database.write() as session:
        begun = begin_round(
            session,
            project_id=project_id,
            generation=generation,
            trigger="start",
            labels=0,
            predictor="cnn",
            acquisition="bald",
            snapshot_event_id=0,
        )
        fail_round(session, round_id=begun.id, generation=generation, reason="out of memory")
    database.close()
    assert _project_findings(project)["latest round"] == Finding(
        "latest round", "round 0 failed: out of memory", good=False
    )


def test_a_newer_schema_is_refused_with_a_sentence(project: Project) -> None:
    connection = choose_library().dbapi.connect(project.database_path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    findings = _project_findings(project)
    assert _wrong(findings) == ["database"]
    assert "newer LabelLoop" in findings["database"].found


def test_the_trainers_latest_failure_is_told_with_its_step(project: Project) -> None:
    assert _project_findings(project)["failures"] == Finding("failures", "none")
    database = project.open_database()
    with database.write() as session:
        for step, message in (("scoring", "earlier"), ("re-ranking", "the graph is gone")):
            record_error(
                session,
                project_id=project.project_id(database),
                round_number=3,
                step=step,
                message=message,
                traceback="Traceback",
            )
    database.close()
    finding = _project_findings(project)["failures"]
    assert finding.good
    assert finding.found.startswith("the latest at 20")
    assert finding.found.endswith("UTC (re-ranking, round 3): the graph is gone")
