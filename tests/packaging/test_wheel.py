"""The wheel in an environment of its own, outside the repository: what a person gets who installs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from app.running.web_server import is_healthy
from tests.end_to_end.conftest import free_port

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: a build leaves its traces where it is made."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    tracked = ["app", "labelloop", "loops", "storage", "sample_data", "pyproject.toml", "README.md", "LICENSE"]
    subprocess.run(["cp", "-r", *(str(repository / name) for name in tracked), str(copy)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(out), str(copy)], check=True)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that has the wheel, and sees what it depends on."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    # Plain folders: no .pth file in them is read, so an editable install of the repository stays out.
    theirs = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "dependencies.pth").write_text("\n".join(theirs))
    install = [sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet", "--no-index"]
    subprocess.run([*install, "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return environment / "bin"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LABELLOOP"))}
    return {**kept, "LABELLOOP_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def run(installed: Path, environment: dict[str, str], tmp_path: Path):
    def run(*command: object) -> str:
        words = [str(installed / str(command[0])), *map(str, command[1:])]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_wheel_holds_what_is_not_python_too(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in (
        "labeler/labeler.js",
        "screens/.streamlit/config.toml",
        "script.py.mako",
        "digits/test.csv",
        "py.typed",
    ):
        assert any(name.endswith(part) for name in names), part


def test_the_packages_are_those_of_the_environment_and_not_of_the_repository(run, installed: Path) -> None:
    script = (
        "import labelloop, app, loops, storage; print(labelloop.Project.__module__, app.__file__, storage.__file__)"
    )
    module, *files = run("python", "-c", script).split()
    assert module == "app.client"
    assert all(Path(file).is_relative_to(installed.parent) for file in files)


def test_a_project_is_made_and_looked_at(run, tmp_path: Path) -> None:
    assert "Usage: labelloop" in run("labelloop", "--help")
    (tmp_path / "images").mkdir()
    for shade in range(4):
        Image.new("L", (8, 8), shade).save(tmp_path / "images" / f"{shade}.png")
    said = run("labelloop", "init", "pets", "--images", "images", "--classes", "cat,dog")
    assert said == "4 samples added, 0 refused, 0 duplicates.\n"
    assert json.loads(run("labelloop", "status", "pets", "--json"))["pool"] == 4
    assert run("labelloop", "classes", "pets", "rename", "cat", "kitten").startswith("Change 1")
    assert run("labelloop", "projects").startswith(f"{tmp_path / 'pets'}: pets: 4 samples (image)")


def test_every_command_is_there(run) -> None:
    script = """
import typer
from typer.testing import CliRunner
from app.command.main import commands
names = list(typer.main.get_command(commands).commands)
print(len(names), sum(CliRunner().invoke(commands, [name, "--help"]).exit_code for name in names))
"""
    count, wrong = run("python", "-c", script).split()
    assert int(count) > 15
    assert wrong == "0"


def test_the_demo_is_served(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    command = [str(installed / "labelloop"), "run", "--no-browser", "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        try:
            assert demo.stdout is not None
            assert demo.stdout.readline().startswith(f"LabelLoop is at http://127.0.0.1:{port}")
            assert is_healthy(port)
        finally:
            demo.terminate()
        assert demo.wait(120) == 0
    assert (tmp_path / "home/demo/settings.toml").is_file()
