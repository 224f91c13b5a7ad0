"""What the parts may import, as DESIGN.md draws it; and that nothing a person waits for loads torch."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SCREENS = sorted((REPOSITORY / "app" / "screens").rglob("*.py"))
PAGES = [path for path in SCREENS if path.parent.name == "screens" and path.name != "__init__.py"]
HEAVY = "{'torch', 'pytorch_lightning', 'flash', 'baal', 'sklearn', 'app.trainer'}"


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_import_contracts_hold():
    lint_imports = Path(sys.executable).parent / "lint-imports"
    command = str(lint_imports) if lint_imports.exists() else shutil.which("lint-imports")
    assert command is not None
    checked = subprocess.run([command], cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)
    assert checked.returncode == 0, checked.stdout


def imports_of(path: Path) -> str:
    """The import statements of a file, those inside functions too, to be run without the rest of it."""
    tree = ast.parse(path.read_text())
    kept = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__")
    ]
    return "\n".join(ast.unparse(node) for node in kept)


def test_there_are_screens_to_look_at():
    assert {page.stem for page in PAGES} >= {"main", "setup", "label", "progress", "uncertainty", "review"}


def test_no_import_of_any_screen_or_component_loads_torch():
    everything = "\n".join(imports_of(path) for path in SCREENS)
    answer = run_python(f"import sys\n{everything}\nsys.exit(str(sorted({HEAVY} & set(sys.modules))))")
    assert answer.stderr.strip().endswith("[]"), answer.stderr


def test_the_check_for_torch_sees_torch():
    answer = run_python(f"import sys, torch\nsys.exit(str(sorted({HEAVY} & set(sys.modules))))")
    assert "['torch']" in answer.stderr


def test_the_command_lines_help_loads_no_torch_and_no_screens():
    code = (
        "import sys\nsys.argv = ['labelloop', '--help']\nfrom app.command.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
        f"sys.exit(str((code, sorted(({HEAVY} | {{'streamlit', 'sqlalchemy'}}) & set(sys.modules)))))"
    )
    answer = run_python(code)
    assert "Usage" in answer.stdout
    assert answer.stderr.strip().endswith("(0, [])"), answer.stderr


@pytest.mark.parametrize("command", ["run", "init", "import", "simulate", "train", "status", "export", "doctor"])
def test_every_command_has_help(command):
    answer = run_python(
        f"import sys\nsys.argv = ['labelloop', {command!r}, '--help']\nfrom app.command.main import main\nmain()"
    )
    assert answer.returncode == 0
    assert "Usage" in answer.stdout


ONE_READER = {
    "scores.parquet": "app/project/scores.py",
    "map.parquet": "app/project/pool_map.py",
    "ids.bin": "loops/embeddings/stored_rows.py loops/embeddings/features.py",
    "meta.json": "loops/embeddings/stored_rows.py",
}


@pytest.mark.parametrize("name", ONE_READER)
def test_a_file_that_screens_and_trainer_share_is_named_in_one_place(name):
    naming = [path for path in sources() if any(text.endswith(name) for text in strings_of(path))]
    assert naming
    assert {str(path.relative_to(REPOSITORY)) for path in naming} <= set(ONE_READER[name].split())


def test_nobody_asks_a_predictor_what_it_is():
    """What is different about a predictor, it says itself; whoever asks by type has to be found for each new one."""
    names = predictors()
    assert {"Network", "GraphPredictor", "Committee", "Champion"} <= names
    asked = [asking for path in outside("loops/predictors") for asking in types_asked_for(path, names)]
    assert not asked, "\n".join(asked)


def test_an_acquisition_function_is_named_in_the_catalog_alone():
    """The list stood in seven places; one line too few, and the loop died."""
    names = acquisition_functions()
    assert {"bald", "margin", "batch_bald", "badge"} <= names
    named = [
        f"{path.relative_to(REPOSITORY)}: {text!r}"
        for path in outside("loops/acquisition")
        for text in strings_of(path)
        if text in names
    ]
    assert not named, "\n".join(named)


def acquisition_functions() -> set[str]:
    """Their names, but of the words that mean something else as well."""
    from loops.acquisition.catalog import CATALOG, DEFAULT, RANDOM

    return set(CATALOG) - {DEFAULT, RANDOM}


def predictors() -> set[str]:
    """Names of the classes that answer: all that have a method `predict`, the protocol too."""
    classes = (
        node
        for path in (REPOSITORY / "loops" / "predictors").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    return {node.name for node in classes if "predict" in {getattr(one, "name", None) for one in node.body}}


def types_asked_for(path: Path, names: set[str]) -> list[str]:
    """Where a file asks by `isinstance`, `issubclass` or a `match` whether something is one of these classes."""
    asked = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.MatchClass):
            asked.append(node.cls)
        elif isinstance(node, ast.Call) and names_in(node.func) & {"isinstance", "issubclass"}:
            asked += node.args[1:]
    return [f"{path}:{one.lineno}: {ast.unparse(one)}" for one in asked if names & names_in(one)]


def names_in(node: ast.AST) -> set[str]:
    """All names of an expression, `module.Name` too."""
    inside = list(ast.walk(node))
    return {one.id for one in inside if isinstance(one, ast.Name)} | {
        one.attr for one in inside if isinstance(one, ast.Attribute)
    }


def test_the_two_checks_see_what_they_are_for(tmp_path):
    path = tmp_path / "asking.py"
    path.write_text(
        """
        def asking(one):
            'bald'
            match one:
                case Network():
                    return isinstance(one, (int, committee.Committee))
            return name == 'bald', isinstance(one, int)
    """.replace("\n        ", "\n")
    )
    assert [line.split(": ")[1] for line in types_asked_for(path, {"Committee", "Network"})] == [
        "Network",
        "(int, committee.Committee)",
    ]
    assert strings_of(path) == ["bald"]


def outside(folder: str) -> list[Path]:
    """Every file of the loops and the app but those of a folder."""
    return [
        path
        for path in sources()
        if not path.is_relative_to(REPOSITORY / folder) and not path.is_relative_to(REPOSITORY / "storage")
    ]


def sources() -> list[Path]:
    """Every file of the product."""
    return sorted(path for part in ("app", "loops", "storage") for path in (REPOSITORY / part).rglob("*.py"))


def strings_of(path: Path) -> list[str]:
    """The string constants of a file; of a docstring nobody is asked for, for it stands alone."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in alone)
    return [node.value for node in texts if isinstance(node.value, str)]


def test_nothing_but_its_own_files_asks_what_kind_a_sample_is():
    asked = re.compile(r"""[!=]==?\s*["'](image|text|table)["']""")
    files = [path for part in ("app", "loops", "storage") for path in (REPOSITORY / part).rglob("*.[pj][ys]")]
    assert len(files) > 200
    assert [str(path.relative_to(REPOSITORY)) for path in files if asked.search(path.read_text("utf-8"))] == []
