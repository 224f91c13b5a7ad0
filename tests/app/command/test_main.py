from __future__ import annotations

import csv
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from app.command import main as cli
from app.errors import SupervisorError
from app.formats.errors import SourceError
from app.project.project import Project, open_project
from app.simulation.config import SimulationConfig, StudyConfig
from storage.backup import backup
from storage.projects import list_classes


@dataclass(frozen=True)
class Outcome:
    """What a person sees of a command."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def labelloop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["labelloop", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        return Outcome(int(end.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for shade in range(4):
        Image.new("L", (8, 8), shade).save(folder / f"{shade}.png")
    return folder


@pytest.fixture
def project(labelloop: Run, images: Path, tmp_path: Path) -> Path:
    assert labelloop("init", tmp_path / "pets", "--images", images, "--classes", "cat,dog").code == 0
    return tmp_path / "pets"


def _is_one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "run --help", "init --help", "simulate --help", "doctor --help"]
)
def test_help_loads_nothing_heavy(arguments: str) -> None:
    script = f"""
import sys
sys.argv = ["labelloop", *{arguments.split()!r}]
from app.command.main import main
try:
    main()
finally:
    heavy = {{"torch", "streamlit", "sqlalchemy", "pytorch_lightning", "flash", "baal", "numpy", "pandas", "PIL"}}
    print("loaded:", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ("Usage: labelloop" in done.stdout) == ("--help" in arguments)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_the_version_is_that_of_what_is_installed(labelloop: Run) -> None:
    outcome = labelloop("--version")
    assert (outcome.code, outcome.out) == (0, f"labelloop {importlib.metadata.version('labelloop')}\n")


def test_help_names_every_command(labelloop: Run) -> None:
    text = labelloop("--help").out
    for command in ("run", "init", "import", "simulate", "train", "status", "export", "restore", "doctor"):
        assert re.search(rf"\b{command}\b", text)


def test_restore_of_what_is_whole_changes_nothing(labelloop: Run, project: Path) -> None:
    content = (project / "labelloop.db").read_bytes()
    outcome = labelloop("restore", project)
    assert (outcome.code, "nothing was changed" in outcome.out) == (0, True)
    assert (project / "labelloop.db").read_bytes() == content


def test_restore_without_backup_and_journal_is_one_sentence_and_changes_nothing(labelloop: Run, project: Path) -> None:
    content = b"damaged" * 1000
    (project / "labelloop.db").write_bytes(content)
    (project / "labels.journal").unlink()
    outcome = labelloop("restore", project)
    assert outcome.code == 1
    assert _is_one_sentence(outcome.err)
    assert "no sound backup" in outcome.err
    assert (project / "labelloop.db").read_bytes() == content


def test_restore_says_what_it_did(labelloop: Run, project: Path) -> None:
    database = open_project(project).open_database()
    backup(database, folder=project / "backups")
    database.close()
    (project / "labelloop.db").write_bytes(b"damaged" * 1000)
    outcome = labelloop("restore", project)
    assert (outcome.code, outcome.err) == (0, "")
    assert "0 label events more" in outcome.out
    assert labelloop("status", project).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        "labell",
        "init",
        "init p --images x --classes a,b --predictor transformer",
        "init p --images x --classes a,b --learner transformer",
        "init p --images x --classes a,b --predictor sklearn.ensemble:Forest",
        "init p --images x --classes a,b --predictor sklearn.cluster:KMeans",
        "init p --images x --classes a,b --predictor sklearn.svm:LinearSVC",
        "init p --images x --classes a,b --acquisition entropy",
        "init p --images x --classes a,b --acquisition no_such_package:score",
        "init p --images x --classes a,b --query-size 0",
        "init p --images x --classes a,b --audit 0.9",
        "init p --images x --classes a,b --overlap 11",
        "init p --data x --kind audio",
        'init p --images x --classes a,"b',
        "run --port 70000",
        "run --port eighty",
        "export p out",
        "export p out --format xml",
        "export p out --format model --at 2026-01-01",
        "export p out --format csv --with-predictions --at 2026-01-01",
        "export p out --format csv --at=",
        "export p out --format onnx --with-predictions",
        "export p out --format doccano --for-spreadsheet",
        "status",
        "simulate",
        "simulate --out o",
        "simulate --out o --images i --test t",
        "simulate --out o --npz a.npz --labels l.csv",
        "simulate --out o --images i --labels l --test t --pool 5",
        "simulate --out o --npz a.npz --mc-iterations 1",
        "simulate --out o --npz a.npz --acquisition bold",
        "simulate --out o --npz a.npz --seeds 0",
    ],
)
def test_wrong_usage_exits_with_2(labelloop: Run, arguments: str) -> None:
    outcome = labelloop(*arguments.split())
    assert outcome.code == 2
    assert outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("status nowhere", "There is no folder"),
        ("import nowhere x", "There is no folder"),
        ("status a.npz", "is a file; a project is named by its folder"),
        ("simulate --out o --npz a.npz", "a.npz is no file that numpy.savez wrote"),
        (
            "init p --images images --classes a,b --label-column stars",
            "images holds no texts or rows, so it has no column",
        ),
        ("init p --images images --classes a,b --test empty.csv", "empty.csv holds nothing that can be imported"),
        ("train nowhere --once", "There is no folder"),
        ("export nowhere out --format csv", "There is no folder"),
        ("doctor nowhere", "There is no folder"),
        ("status .", "is no LabelLoop project"),
        ("run .", "is not empty"),
        ("init p --images nowhere --classes a,b", "no such file or folder"),
        ("init p --images images --classes a", "at least 2 classes"),
        ("init p --images images --classes a,,b", "blank"),
        ("init . --images images --classes a,b", "is not empty"),
        ("init p --images images --classes a,b --test nowhere.csv", "no such file or folder"),
        ("simulate --out o --npz nowhere.npz", "there is no file nowhere.npz"),
    ],
)
def test_what_is_refused_exits_with_1_and_one_sentence(
    labelloop: Run, images: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, said: str
) -> None:
    monkeypatch.chdir(images.parent)
    Path("a.npz").write_bytes(b"words")
    Path("empty.csv").write_text("path,label\n")
    outcome = labelloop(*arguments.split())
    assert outcome.code == 1
    assert said in outcome.err
    assert _is_one_sentence(outcome.err)
    assert not (images.parent / "p").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("import pets empty.csv", "empty.csv holds nothing that can be imported"),
        ("import pets images --text-column body", "images holds no texts or rows, so it has no column `body`"),
        ("move pets sqlite:///words", "words is a database of another program, not LabelLoop's"),
        ("import pets pets", "pets is a LabelLoop project; name the folder, list or address of its samples"),
        ("verify pets pets", "pets cannot be read: Is a directory"),
        ("verify words pets", "words is no certificate: Expecting value"),
        ("verify deep pets", "deep is no certificate: maximum recursion depth exceeded"),
        ("classes pets undo 99999999999999999999", "There is no change 99999999999999999999"),
        ("move pets sqlite:///pets/new.db", "labels.journal of another database lies there"),
    ],
)
def test_what_a_project_cannot_do_is_one_sentence(
    labelloop: Run, project: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, said: str
) -> None:
    monkeypatch.chdir(project.parent)
    Path("words").write_bytes(b"words" * 1000)
    Path("deep").write_text("[" * 100_000)
    Path("empty.csv").write_text("path,label\n")
    outcome = labelloop(*arguments.split())
    assert outcome.code == 1
    assert said in outcome.err
    assert _is_one_sentence(outcome.err)
    assert not (project / "new.db").exists()


def test_init_imports_the_good_files_and_lists_the_bad_ones_with_a_total(
    labelloop: Run, images: Path, tmp_path: Path
) -> None:
    (images / "broken.png").write_bytes(b"\x89PNG\r\n")
    (images / "copy.png").write_bytes((images / "0.png").read_bytes())
    outcome = labelloop("init", tmp_path / "p", "--images", images, "--classes", "cat,dog")
    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert [line.split(":")[0] for line in lines[:2]] == ["refused broken.png", "duplicate copy.png"]
    assert lines[2:] == ["4 samples added, 1 refused, 1 duplicates."]


def classes_of(project: Project) -> list[str]:
    database = project.open_database()
    try:
        with database.read() as session:
            return [entry.name for entry in list_classes(session, project_id=project.project_id(database))]
    finally:
        database.close()


def test_init_takes_every_option_into_the_settings_and_keeps_test_samples_out_of_the_pool(
    labelloop: Run, images: Path, tmp_path: Path
) -> None:
    (images / "test.csv").write_text("path,label\n0.png,cat\n1.png,dog\n")
    options = '--classes cat,dog,"pig,sow" --learner cnn --acquisition margin --query-size 7 --audit 0.2'
    options += " --overlap 3 --overlap-share 0.25"
    outcome = labelloop("init", tmp_path / "p", "--images", images, "--test", images / "test.csv", *options.split())
    settings = open_project(tmp_path / "p").settings()
    assert (settings.name, settings.predictor, settings.acquisition) == ("p", "cnn", "margin")
    assert (settings.query_size, settings.audit_share) == (7, 0.2)
    assert (settings.overlap, settings.overlap_share) == (3, 0.25)
    assert "2 test samples added" in outcome.out
    assert classes_of(open_project(tmp_path / "p")) == ["cat", "dog", "pig,sow"]
    status = json.loads(labelloop("status", tmp_path / "p", "--json").out)
    assert (status["project"], status["pool"]) == ("p", 2)


def test_import_adds_to_the_pool(labelloop: Run, project: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    Image.new("L", (8, 8), 200).save(tmp_path / "more" / "new.png")
    assert labelloop("import", project, tmp_path / "more").out == "1 samples added, 0 refused, 0 duplicates.\n"
    assert json.loads(labelloop("status", project, "--json").out)["pool"] == 5


def test_status_has_exactly_the_promised_keys(labelloop: Run, project: Path) -> None:
    status = json.loads(labelloop("status", project, "--json").out)
    measured = {"imported", "accuracies", "labels_saved", "advice", "certificate", "beside_simplest"}
    assert set(status) == {"project", "rounds", "labels", "skips", "pool", "trainer", *measured}
    assert {"state", "heartbeat_age_s"} <= set(status["trainer"])
    assert labelloop("status", project).out.startswith("pets: 0 labels, 0 skips, 4 left in the pool\n")


def test_export_writes_a_folder_once(labelloop: Run, project: Path, tmp_path: Path) -> None:
    assert labelloop("export", project, "--format", "csv", tmp_path / "out").code == 0
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        assert [row[:2] for row in csv.reader(file)] == [["uri", "label"]]
    again = labelloop("export", project, "--format", "csv", tmp_path / "out")
    assert (again.code, _is_one_sentence(again.err)) == (1, True)


def test_there_is_no_model_to_export_before_a_round_was_trained(labelloop: Run, project: Path, tmp_path: Path) -> None:
    outcome = labelloop("export", project, "--format", "model", tmp_path / "out")
    assert (outcome.code, _is_one_sentence(outcome.err)) == (1, True)
    assert outcome.err.startswith("No round of this project was trained yet")
    assert not (tmp_path / "out").exists()


def test_doctor_exits_with_1_and_a_sentence_when_something_is_wrong(
    labelloop: Run, project: Path, images: Path
) -> None:
    assert labelloop("doctor", project).code == 0
    (images / "0.png").unlink()
    outcome = labelloop("doctor", project)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith("WRONG images: 1 of 4 are gone")


@pytest.fixture
def fake_module(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Put a light module in the place of one that loads torch."""

    def fake(name: str, **members: object) -> ModuleType:
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return fake


def test_simulate_passes_every_option_on_and_ends_with_json(
    labelloop: Run, fake_module: Callable[..., ModuleType], tmp_path: Path
) -> None:
    npz = tmp_path / "a.npz"
    npz.write_bytes(b"")
    seen: list[SimulationConfig] = []

    def simulate_once(config: SimulationConfig) -> dict[str, object]:
        seen.append(config)
        sys.stdout.write("Epoch 1\n")
        return {"learner": "cnn", "curve": [[10, 0.5]]}

    fake_module("app.simulation.study", simulate_once=simulate_once, run_study=None)
    options = (
        "--pool 100 --test-size 50 --learner cnn --acquisition bald --query-size 5 --budget 20 --seed 3 "
        "--mc-iterations 9 --cold-start random --audit 0.2"
    )
    outcome = labelloop("simulate", "--npz", npz, *options.split(), "--out", tmp_path / "o")
    assert seen == [
        SimulationConfig(
            out=tmp_path / "o",
            npz=npz,
            pool=100,
            test_size=50,
            predictor="cnn",
            acquisition="bald",
            query_size=5,
            budget=20,
            seed=3,
            mc_iterations=9,
            cold_start="random",
            audit=0.2,
        )
    ]
    assert json.loads(outcome.out.splitlines()[-1]) == {"learner": "cnn", "curve": [[10, 0.5]]}


def test_several_acquisitions_and_seeds_are_one_study_whose_table_comes_before_the_json(
    labelloop: Run, fake_module: Callable[..., ModuleType], tmp_path: Path
) -> None:
    npz = tmp_path / "a.npz"
    npz.write_bytes(b"")
    seen: list[StudyConfig] = []

    def run_study(study: StudyConfig) -> dict[str, object]:
        seen.append(study)
        study.base.out.mkdir()
        (study.base.out / "table.md").write_text("| labels | bald | random |\n")
        return {"runs": []}

    fake_module("app.simulation.study", run_study=run_study, simulate_once=None)
    options = "--acquisition bald --acquisition random --seed 3 --seeds 2 --processes 2"
    outcome = labelloop("simulate", "--npz", npz, *options.split(), "--out", tmp_path / "o")
    assert [(run.acquisition, run.seed, run.out.name) for run in seen[0].runs()] == [
        ("bald", 3, "bald-seed-3"),
        ("random", 3, "random-seed-3"),
        ("bald", 4, "bald-seed-4"),
        ("random", 4, "random-seed-4"),
    ]
    assert seen[0].processes == 2
    assert outcome.out.splitlines()[0] == "| labels | bald | random |"
    assert json.loads(outcome.out.splitlines()[-1]) == {"runs": []}


@pytest.mark.parametrize("code", [0, 1])
def test_train_exits_with_the_trainers_code(
    labelloop: Run, fake_module: Callable[..., ModuleType], project: Path, code: int
) -> None:
    seen: list[tuple[Path, bool]] = []

    def run_trainer(opened: Project, *, once: bool) -> int:
        seen.append((opened.folder, once))
        return code

    fake_module("app.trainer.process", run_trainer=run_trainer)
    assert labelloop("train", project, "--once").code == code
    assert labelloop("train", project).code == code
    assert seen == [(project, True), (project, False)]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('predictor = "no_such:thing"', "no_such cannot be imported"),
        ('predictor = "sklearn.cluster:KMeans"', "a predictor needs predict_proba"),
        ('acquisition = "math:tau_of_none"', "math has no tau_of_none"),
        ('acquisition = "math:pi"', "wanted a function or a BaaL heuristic, found float"),
        ('embedding = "no_such:thing"', "there is no module no_such"),
        ('embedding = "no_such.npy"', "no_such.npy cannot be read: No such file or directory"),
        ('embedding = "no such"', "an embedding is given as module:function"),
        ('stop = "math:pi"', "a stopping criterion is a function"),
    ],
)
def test_code_that_the_settings_name_and_nobody_finds_is_one_sentence(
    labelloop: Run, project: Path, setting: str, said: str
) -> None:
    name = setting.split()[0]
    kept = [line for line in (project / "settings.toml").read_text().splitlines() if not line.startswith(f"{name} =")]
    (project / "settings.toml").write_text("\n".join([setting, *kept]))
    outcome = labelloop("train", project, "--once")
    assert outcome.code == 1
    assert _is_one_sentence(outcome.err)
    assert outcome.err.startswith(f"settings.toml, {name}: ")
    assert said in outcome.err
    examined = labelloop("doctor", project)
    assert examined.code == 1
    assert f"WRONG settings: settings.toml, {name}: " in examined.err


def test_a_round_that_fails_is_one_sentence_of_the_command(
    labelloop: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_embedding.py").write_text("def rows(images):\n    raise OverflowError('no rows today')\n")
    changed = (
        (project / "settings.toml")
        .read_text()
        .replace('embedding = ""', f'embedding = "{tmp_path}/own_embedding.py:rows"')
    )
    (project / "settings.toml").write_text(changed)
    monkeypatch.setattr("app.trainer.process.signal.signal", lambda *_: None)
    outcome = labelloop("train", project, "--once")
    assert (outcome.code, outcome.err) == (1, "The embedding function failed: OverflowError: no rows today\n")


def test_run_without_a_project_runs_the_demo_and_a_new_folder_starts_at_the_setup_screen(
    labelloop: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[tuple[str, int | None, bool]] = []

    def supervise(opened: Project, *, port: int | None, browser: bool) -> int:
        seen.append((opened.folder.name, port, browser))
        return 0

    monkeypatch.setattr("app.running.supervisor.supervise", supervise)
    monkeypatch.setattr("app.project.demo.open_demo", lambda progress: Project(tmp_path / "demo"))
    assert labelloop("run").code == 0
    outcome = labelloop("run", tmp_path / "new", "--port", "8600", "--no-browser")
    assert seen == [("demo", None, True), ("new", 8600, False)]
    assert "is no project yet" in outcome.err
    assert (tmp_path / "new").is_dir()


def test_a_mistyped_setting_is_refused_and_not_taken_for_a_new_project(labelloop: Run, project: Path) -> None:
    (project / "settings.toml").write_text('name = "pets"\nquery_size = 0\n')
    outcome = labelloop("run", project, "--no-browser")
    assert outcome.code == 1
    assert "query_size must be from 1" in outcome.err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SupervisorError("the screens\n  did not start."), "The screens did not start.\n"),
        (SourceError("cats.csv has no column `path`."), "cats.csv has no column `path`.\n"),
        (SourceError("cats: there is no such folder."), "cats: there is no such folder.\n"),
        (PermissionError(13, "Permission denied", "/p/labelloop.db"), "Permission denied: /p/labelloop.db\n"),
        (KeyError("x"), "LabelLoop failed in a way it should not: KeyError: 'x' "),
    ],
)
def test_whatever_happens_a_person_reads_a_sentence(
    labelloop: Run, project: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(_database: object, _project: object) -> None:
        raise error

    monkeypatch.setattr("app.project.status.project_status", fail)
    outcome = labelloop("status", project)
    assert outcome.code == 1
    assert outcome.err.startswith(said)
    assert _is_one_sentence(outcome.err)


@pytest.fixture
def by_class(tmp_path: Path) -> Path:
    folder = tmp_path / "by class"
    for shade, name in enumerate(("cat", "cat", "dog")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 50 + shade).save(folder / name / f"{shade}.png")
    return folder


def test_init_takes_classes_and_labels_from_the_source_and_import_takes_them_back(
    labelloop: Run, by_class: Path, tmp_path: Path
) -> None:
    outcome = labelloop("init", tmp_path / "p", "--images", by_class, "--labeled", "--rename", "dog=Hund")
    assert outcome.out.splitlines() == [
        "Taken over as import 1: 3 labels.",
        "3 samples added, 0 refused, 0 duplicates.",
    ]
    assert classes_of(open_project(tmp_path / "p")) == ["Hund", "cat"]
    assert json.loads(labelloop("status", tmp_path / "p", "--json").out)["imported"] == 3
    assert labelloop("status", tmp_path / "p").out.startswith("p: 3 labels (3 of them imported), 0 skips, 0 left")
    assert labelloop("import", tmp_path / "p", "--undo", 1).out.startswith("3 decisions of import 1 were taken back")
    assert json.loads(labelloop("status", tmp_path / "p", "--json").out)["imported"] == 0
    again = labelloop("import", tmp_path / "p", by_class, "--labeled", "--format", "folders", "--rename", "dog=Hund")
    assert again.out.splitlines()[-2:] == [
        "Taken over as import 2: 3 labels.",
        "0 samples added, 0 refused, 3 duplicates.",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        "init p --images images",  # names no class
        "import pets",
        "import pets images --rename dog",
        "import pets images --undo 1",
        "import pets images --format xml",
        "export pets out --format archive",  # is read only
    ],
)
def test_what_is_not_said_about_a_source_is_wrong_usage(
    labelloop: Run, project: Path, images: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.chdir(images.parent)
    outcome = labelloop(*arguments.split())
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    assert not (images.parent / "p").exists()


def test_one_line_per_kind_of_refusal_and_not_again_at_the_next_import(
    labelloop: Run, images: Path, tmp_path: Path
) -> None:
    for name in "abc":
        (images / f"{name}.txt").write_text("words")
    first = labelloop("init", tmp_path / "p", "--images", images, "--classes", "cat,dog").out.splitlines()
    assert [line for line in first if line.startswith("refused")] == [
        "refused a.txt: is not a readable PNG, JPEG, GIF, BMP, WebP, TIFF or AVIF image (and 2 more of this kind)"
    ]
    again = labelloop("import", tmp_path / "p", images)
    assert [line for line in again.out.splitlines() if "refused" in line] == [
        "3 were refused as before.",
        "0 samples added, 0 refused, 4 duplicates.",
    ]
    assert again.code == 0


def test_an_import_that_brings_nothing_says_why_and_exits_with_1(labelloop: Run, project: Path, tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("words")
    outcome = labelloop("import", project, tmp_path / "words")
    assert outcome.code == 1
    assert outcome.out.startswith("refused a.txt: is not a readable")


def test_formats_names_all_and_what_can_be_done_with_them(labelloop: Run) -> None:
    lines = labelloop("formats").out.splitlines()
    assert any(line.split()[:4] == ["csv", "read", "and", "written"] for line in lines)
    assert any(line.split()[:2] == ["archive", "read"] for line in lines)


def test_an_export_says_what_its_format_cannot_hold(labelloop: Run, by_class: Path, tmp_path: Path) -> None:
    labelloop("init", tmp_path / "p", "--images", by_class, "--labeled")
    outcome = labelloop("export", tmp_path / "p", "--format", "doccano", tmp_path / "out")
    assert outcome.out.splitlines()[0] == "This format cannot hold who labeled (1 names) and when."


def test_labeled_texts_go_to_another_tools_format_and_a_project_is_made_of_them(labelloop: Run, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text('text,label\n"good, ""so""",pos\nbad,neg\nso so,\n')
    labelloop("init", tmp_path / "p", "--data", tmp_path / "texts.csv", "--labeled")
    refused = labelloop("export", tmp_path / "p", "--format", "coco", tmp_path / "coco")
    assert refused.err == "The format coco is about images and cannot hold texts; choose another one.\n"
    assert not (tmp_path / "coco").exists()
    labelloop("export", tmp_path / "p", "--format", "prodigy", tmp_path / "out")
    made = labelloop("init", tmp_path / "again", "--data", tmp_path / "out" / "prodigy.jsonl", "--labeled")
    assert made.out.splitlines() == [
        "Taken over as import 1: 2 labels.",
        "2 samples added, 0 refused, 0 duplicates.",
    ]
    assert classes_of(open_project(tmp_path / "again")) == ["neg", "pos"]


def test_a_project_of_texts_takes_its_classes_from_the_data(labelloop: Run, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("body,stars\ngood,5\nbad,1\n")
    (tmp_path / "more.jsonl").write_text('{"text": "new"}\n')
    made = labelloop(
        "init", tmp_path / "p", "--data", tmp_path / "texts.csv", "--text-column", "body", "--label-column", "stars"
    )
    assert made.out.splitlines()[-1] == "2 samples added, 0 refused, 0 duplicates."
    assert classes_of(open_project(tmp_path / "p")) == ["1", "5"]
    assert labelloop("import", tmp_path / "p", tmp_path / "more.jsonl").out.startswith("1 samples added")
    refused = labelloop("import", tmp_path / "p", tmp_path / "more.jsonl", "--kind", "image")
    assert (refused.code, refused.err) == (1, "The samples of this project are texts; a project has one kind.\n")


def test_samples_come_from_an_address(labelloop: Run, images: Path, tmp_path: Path) -> None:
    elsewhere = MemoryFileSystem()
    elsewhere.put(str(images), "/bucket/pets", recursive=True)
    nowhere = labelloop("init", tmp_path / "p", "--data", "memory://bucket/nowhere")
    assert (nowhere.code, nowhere.err) == (1, "memory://bucket/nowhere: there is no such file or folder.\n")
    made = labelloop("init", tmp_path / "p", "--data", "memory://bucket/pets", "--classes", "cat,dog")
    assert (made.code, made.out) == (0, "4 samples added, 0 refused, 0 duplicates.\n")
    added = labelloop("import", tmp_path / "p", "memory://bucket/pets")
    assert (added.code, added.out.splitlines()[-1]) == (0, "0 samples added, 0 refused, 4 duplicates.")
    elsewhere.rm("/bucket", recursive=True)
    gone = labelloop("import", tmp_path / "p", "memory://bucket/pets")
    assert (gone.code, gone.err) == (1, "memory://bucket/pets: there is no such file or folder.\n")


@pytest.mark.parametrize("name", ["a%41b", "what?", "no#1", "100%", "größe-日本"])
def test_a_folder_may_be_called_anything(labelloop: Run, images: Path, tmp_path: Path, name: str) -> None:
    beside = tmp_path / "aAb"
    assert labelloop("init", tmp_path / name, "--images", images, "--classes", "cat,dog").code == 0
    assert labelloop("status", tmp_path / name).out.startswith(f"{name}: 0 labels, 0 skips, 4 left in the pool")
    assert (tmp_path / name / "labelloop.db").is_file()
    assert not beside.exists()


def test_letters_beyond_ascii_work_where_the_language_is_c(images: Path, tmp_path: Path) -> None:
    (images / "0.png").rename(images / "猫.png")
    project, source = tmp_path / "größe", images.rename(tmp_path / "bilder-ü")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}

    def run(*arguments: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "app.command.main", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, check=False, env={**plain, "LANG": "C", "LC_ALL": "C"})

    made = run("init", project, "--images", source, "--classes", "kätzchen,犬")
    assert (made.returncode, made.stdout.decode()) == (0, "4 samples added, 0 refused, 0 duplicates.\n"), made.stderr
    assert run("status", project).stdout.decode().startswith("größe: 0 labels")
    assert run("export", project, "--format", "csv", tmp_path / "aus-ü").returncode == 0
    gone = run("import", project, tmp_path / "weg-ü")
    assert gone.stderr.decode() == f"{tmp_path}/weg-ü: there is no such file or folder.\n"


def test_projects_are_listed_copied_deleted_and_brought_back(
    labelloop: Run, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELLOOP_HOME", str(tmp_path / "home"))
    assert labelloop("projects").out.startswith("No project was made or run here yet")
    pets, copy = tmp_path / "pets", tmp_path / "copy"
    labelloop("init", pets, "--images", images, "--classes", "cat,dog")
    assert labelloop("projects").out.startswith(f"{pets}: pets: 4 samples (image), 0 labels, used ")
    assert labelloop("projects", "copy", pets, copy).code == 0
    assert labelloop("projects", "archive", copy).code == 0
    assert labelloop("projects", "delete", pets).out.endswith(f"'labelloop projects restore {pets}' brings it back.\n")
    listed = json.loads(labelloop("projects", "--json").out)
    assert [(one["folder"], one["archived"], one["deleted"]) for one in listed] == [
        (str(copy), True, False),
        (str(pets), False, True),
    ]
    assert labelloop("projects", "restore", pets).code == 0
    assert labelloop("status", pets).code == 0
    wrong = labelloop("projects", "copy", pets)
    assert (wrong.code, wrong.err) == (2, "Say: labelloop projects copy PROJECT TO.\n")


def test_without_a_project_the_demo_says_where_ones_own_are(
    labelloop: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABELLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("app.project.demo.open_demo", lambda progress: open_project(project))
    monkeypatch.setattr("app.running.supervisor.supervise", lambda *_, **__: 0)
    assert labelloop("run").err == "", "of the demo alone nothing is said"
    labelloop("init", tmp_path / "own", "--images", tmp_path / "images", "--classes", "cat,dog")
    assert labelloop("run").err == "This is the demo; your own projects are on its page Projects.\n"


def test_a_source_is_watched_from_its_import_on(labelloop: Run, project: Path, images: Path) -> None:
    assert "Nothing is watched" in labelloop("watch", project).out
    watched = labelloop("import", project, images, "--watch")
    assert f"{images} is watched from now on" in watched.out
    assert labelloop("watch", project).out.startswith(f"{images}\n  Nothing has come in")
    assert "is watched no longer" in labelloop("watch", project, "--stop", images).out
    refused = labelloop("watch", project, "--stop", images)
    assert refused.code == 1
    assert _is_one_sentence(refused.err)


def test_rounds_are_fitted_again_on_request(labelloop: Run, project: Path) -> None:
    assert labelloop("replay", project).out == "0 differences in 0 rounds (models were not fitted again).\n"
    assert labelloop("replay", project, "--refit").out == "0 differences in 0 rounds (models were fitted again).\n"


def test_a_sentence_begins_with_a_capital_but_for_what_the_person_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["labelloop", "predict", "cats"])
    assert cli.sentence_of(SupervisorError("cats is neither")) == "cats is neither"
    assert cli.sentence_of(SupervisorError("dogs are neither")) == "Dogs are neither"
