"""The supervisor under test is a real process with real children: small scripts, and once the real screens."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.errors import AlreadyRunningError, PortTakenError
from app.project.project import Project, create_project
from app.project.settings import ProjectSettings
from app.running import child as child_module
from app.running import supervisor, web_server
from app.running.child import Child, end_all
from app.running.supervisor import held, trainer_child
from app.running.web_server import GUARDS, choose_port, streamlit_command, streamlit_environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

PATIENCE = 60.0  # seconds a condition gets to come true on a busy machine

# Stands in for Streamlit: answers the health question, and ends on SIGTERM.
SCREENS = """
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/_stcore/health" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""

# Stands in for the trainer: says on which signal it ended.
TRAINER = """
import pathlib, signal, sys, time
def end(number, frame):
    pathlib.Path(sys.argv[1], "ended_by").write_text(str(number))
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path(sys.argv[1], "trainer_ready").touch()
while True:
    time.sleep(0.05)
"""

# `labelloop run` with those two in place; settings of the supervisor may be changed through argv.
SUPERVISOR = """
import json, sys
from app.running import supervisor
from app.project.project import Project
from pathlib import Path
folder, screens, trainer, port, changes = sys.argv[1:]
supervisor.streamlit_command = lambda port: [sys.executable, "-c", screens, str(port)]
real = supervisor.trainer_child
def trainer_child(project):
    child = real(project)
    child.command = [sys.executable, "-c", trainer, str(project.folder)]
    return child
supervisor.trainer_child = trainer_child
for name, value in json.loads(changes).items():
    setattr(supervisor, name, value)
sys.exit(supervisor.supervise(Project(Path(folder)), port=int(port) or None, browser=False))
"""


def _until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "settings.toml").write_text('name = "p"\n')
    return Project(tmp_path)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, port: int, *, screens: str, trainer: str, **changes: object) -> None:
        self.folder = folder
        command = [sys.executable, "-c", SUPERVISOR, str(folder), screens, trainer, str(port), json.dumps(changes)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def first_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def children(self) -> dict[str, psutil.Process]:
        names = {"serve_forever": "screens", "ended_by": "trainer"}
        found = {}
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                command = " ".join(process.cmdline())
                if "supervise(" not in command:  # between fork and exec it still looks like its parent
                    found.update({name: process for mark, name in names.items() if mark in command})
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(project: Project, port: int) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def _start(*, screens: str = SCREENS, trainer: str = TRAINER, **changes: object) -> Running:
        started.append(Running(project.folder, port, screens=screens, trainer=trainer, **changes))
        return started[-1]

    yield _start
    for running in started:
        running.process.kill()
        running.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_waited_for_and_exits_with_0(
    start: Callable[..., Running], project: Project, port: int, number: int
) -> None:
    running = start()
    assert f"http://127.0.0.1:{port}" in running.first_line()
    _until((project.folder / "trainer_ready").exists, "the trainer runs")
    children = running.children()
    assert set(children) == {"screens", "trainer"}
    assert running.end(number) == 0
    assert (project.folder / "ended_by").read_text() == str(int(signal.SIGTERM))
    assert not any(process.is_running() for process in children.values())


def test_a_child_that_does_not_end_in_time_is_killed(start: Callable[..., Running], project: Project) -> None:
    deaf = TRAINER.replace("sys.exit(0)", "pass")
    running = start(trainer=deaf, END_PATIENCE=0.5)
    running.first_line()
    _until((project.folder / "trainer_ready").exists, "the trainer runs")
    trainer = running.children()["trainer"]
    assert running.end() == 0
    assert (project.folder / "ended_by").exists()
    assert not trainer.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_a_killed_supervisor_leaves_no_orphan_and_no_lock(start: Callable[..., Running], project: Project) -> None:
    running = start()
    running.first_line()
    children = running.children()
    assert set(children) == {"screens", "trainer"}
    running.end(signal.SIGKILL)
    _until(lambda: not any(_lives(process) for process in children.values()), "both children are gone")
    with held(project):
        pass


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("name", ["screens", "trainer"])
def test_a_child_that_dies_is_started_again(start: Callable[..., Running], name: str) -> None:
    running = start()
    running.first_line()
    first = running.children()[name]
    first.kill()
    _until(lambda: running.children().get(name, first).pid != first.pid, f"the {name} runs again")
    assert running.end() == 0
    assert running.process.stderr is not None
    assert f"The {name} process was killed by signal 9; starting again at once." in running.process.stderr.read()


def test_screens_that_never_come_up_are_a_sentence_and_the_trainer_is_ended(
    start: Callable[..., Running], project: Project
) -> None:
    running = start(screens="raise SystemExit('no such theme')")
    _output, errors = running.process.communicate(timeout=PATIENCE)
    assert "SupervisorError: The screens did not start" in errors
    assert "no such theme" in (project.logs_dir / "screens.log").read_text()
    assert running.process.returncode == 1


def test_a_project_has_one_supervisor(start: Callable[..., Running], project: Project) -> None:
    start().first_line()
    with pytest.raises(AlreadyRunningError, match="already running"):
        supervisor.supervise(project)


def test_a_taken_port_is_refused_before_anything_is_started(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"Port {number} is taken"):
            supervisor.supervise(project, port=number)
    assert not project.logs_dir.exists()


def test_without_a_wish_the_first_free_port_from_8501_up_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_is_free", lambda port: port >= 8503)
    assert choose_port(None) == 8503


def test_the_trainer_loads_its_libraries_before_the_folder_is_a_project(
    start: Callable[..., Running], project: Project
) -> None:
    project.settings_path.unlink()
    running = start()
    running.first_line()
    assert set(running.children()) == {"screens", "trainer"}


def test_no_trainer_is_started_where_the_folder_was_moved_away(tmp_path: Path) -> None:
    child = trainer_child(Project(tmp_path / "p"))
    assert not child.ready()
    (tmp_path / "p").mkdir()
    assert child.ready()


def test_the_trainer_has_low_priority_and_leaves_a_core_to_the_screens(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start()
    running.first_line()
    own = psutil.Process().nice()
    assert running.children()["trainer"].nice() == min(19, own + 5)
    assert running.children()["screens"].nice() == own
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for cores, threads in [(1, "1"), (2, "1"), (8, "7")]:
        monkeypatch.setattr(supervisor, "usable_cores", lambda cores=cores: cores)
        assert trainer_child(Project(Path("/p"))).environment["OMP_NUM_THREADS"] == threads


def test_a_persons_own_number_of_threads_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    environment = trainer_child(Project(Path("/p"))).environment
    assert (environment["OMP_NUM_THREADS"], environment["OMP_WAIT_POLICY"]) == ("3", "passive")


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _die(child: Child, clock: Clock, *, after: float) -> float:
    """Let a child live for some seconds, die, and be started again; return how long that took to begin."""
    assert child.process is not None
    child.process.wait()
    clock.now += after
    assert child.check() == 0
    wait = child.start_again_at - clock.now
    if wait:
        clock.now += wait - 0.5
        child.check()
        assert child.process is None
        clock.now += 0.5
    child.check()
    return wait


def test_the_first_restart_is_at_once_then_the_back_off_doubles_and_starts_over_after_a_healthy_life(
    tmp_path: Path,
) -> None:
    clock = Clock()
    child = Child("trainer", [sys.executable, "-c", ""], tmp_path / "log", clock=clock, healthy_after=60.0)
    child.start()
    assert [_die(child, clock, after=0.0) for _ in range(9)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert _die(child, clock, after=59.0) == 60
    assert _die(child, clock, after=60.0) == 0
    child.kill()


def test_asked_twice_the_supervisor_stops_being_patient(tmp_path: Path) -> None:
    child = Child(
        "trainer", [sys.executable, "-c", TRAINER.replace("sys.exit(0)", "pass"), str(tmp_path)], tmp_path / "l"
    )
    child.start()
    _until((tmp_path / "trainer_ready").exists, "the trainer runs")
    end_all([child], patience=1e9, hurry=lambda: (tmp_path / "ended_by").exists())
    assert child.process is None


def test_helpers_of_a_dead_child_are_swept_away(tmp_path: Path) -> None:
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    child = Child("trainer", [sys.executable, "-c", script], tmp_path / "log")
    child.start()
    assert child.process is not None
    child.process.wait()
    helper = psutil.Process(int((tmp_path / "log").read_text()))
    assert child.check() == 0
    _until(lambda: not _lives(helper), "the helper is gone")


def test_a_log_that_grew_too_large_moves_aside_while_the_child_goes_on_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "LARGEST_LOG", 5)
    log = tmp_path / "log"
    child = Child("trainer", [sys.executable, "-c", "print('123456'); print(open(0).read())"], log)
    with log.open("ab") as writer:
        writer.write(b"123456")
        writer.flush()
        child.rotate()
        writer.write(b"7")
    assert (tmp_path / "log.1").read_bytes() == b"123456"
    assert log.read_bytes() == b"7"


def test_every_guard_is_an_option_of_the_installed_streamlit() -> None:
    from streamlit import config

    known = config.get_config_options()
    assert set(GUARDS) <= set(known)
    assert {known["server.allowedHosts"].env_var} <= set(streamlit_environment(Project(Path("/p"))))
    assert all(f"--{name}={value}" in streamlit_command(8501) for name, value in GUARDS.items())


def _upgrade(port: int, host: str) -> int:
    """Knock at the WebSocket as a browser does and return the status: 101 in, 403 out."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {
        "Host": host,
        "Origin": f"http://{host}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }
    connection.request("GET", "/_stcore/stream", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_labelloop_run_serves_the_real_screens_to_this_machine_alone_and_ends_them(tmp_path: Path, port: int) -> None:
    project = create_project(tmp_path / "p", settings=ProjectSettings(name="p"), classes=["cat", "dog"])
    command = [
        sys.executable,
        "-m",
        "app.command.main",
        "run",
        str(project.folder),
        "--port",
        str(port),
        "--no-browser",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert f"http://127.0.0.1:{port}" in line, (project.logs_dir / "screens.log").read_text()
            children = psutil.Process(process.pid).children(recursive=True)
            listening = [c for child in children for c in child.net_connections("inet") if c.status == "LISTEN"]
            assert {(c.laddr.ip, c.laddr.port) for c in listening} == {("127.0.0.1", port)}
            assert _upgrade(port, f"127.0.0.1:{port}") == 101
            assert _upgrade(port, f"evil.example:{port}") == 403
        finally:
            process.terminate()
        assert process.wait(PATIENCE) == 0
    assert children
    assert not any(_lives(child) for child in children)


def test_a_child_of_a_supervisor_that_died_before_it_was_ready_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: -1)  # what the child will compare its parent with
    prepare = child_module._prepare(0)
    monkeypatch.undo()
    assert prepare is not None
    status = subprocess.run([sys.executable, "-c", "print('ran')"], preexec_fn=prepare, stdout=subprocess.PIPE)
    assert (status.returncode, status.stdout) == (1, b"")


def test_a_database_of_a_newer_release_is_refused_before_anything_is_started(tmp_path: Path, port: int) -> None:
    project = create_project(tmp_path / "project", settings=ProjectSettings(name="p"), classes=["a", "b"])
    with contextlib.closing(sqlite3.connect(project.database_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    running = Running(project.folder, port, screens=SCREENS, trainer=TRAINER)
    said = running.process.communicate(timeout=PATIENCE)
    assert running.process.returncode != 0
    assert "This project was opened by a newer LabelLoop (schema 9999;" in said[1]
    assert not (project.logs_dir / "trainer.log").exists()
