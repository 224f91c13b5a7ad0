"""The supervisor of one project: it keeps two children, screens and trainer, running, and ends both.

It does nothing else. The database is the only channel between the children; the supervisor writes into it only how a
trainer ended that was not asked to.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

import typer

from app.errors import AlreadyRunningError, SupervisorError, TrainerRunningError
from app.project.lock import trainer_lock
from app.project.project import Project
from app.running.address import announced
from app.running.child import Child, end_all
from app.running.deaths import Deaths
from app.running.opening import follow_note
from app.running.web_server import choose_port, is_healthy, streamlit_command, streamlit_environment, url_of

TRAINER_NICENESS = 5  # its fits, as many again
START_PATIENCE = 120.0  # seconds the screens get to answer for the first time; a cold disk takes a while
END_PATIENCE = 30.0  # seconds a child gets to end by itself
PORT_ATTEMPTS = 3
PAUSE = 0.2  # seconds between two looks at the children
SCREENS_ARE_HEALTHY_AFTER = 5.0  # seconds; a person waits for them, and starting them costs a second
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def supervise(project: Project, *, port: int | None = None, browser: bool = True) -> int:
    """Run the screens and the trainer of a project until SIGINT or SIGTERM.

    Args:
        project: the project to serve.
        port: the port of the screens; None: the first free one from 8501 up.
        browser: open a page once the screens answer.

    Returns:
        The exit code, 0.

    Raises:
        AlreadyRunningError: When another supervisor holds the project.
        PortTakenError: When the port asked for is in use.
        SupervisorError: When the screens do not come up.
        DatabaseError: When its database cannot be used, which would end each child as soon as it begins.
    """
    with held(project), _signals() as asked:
        _refuse_what_cannot_be_used(project)
        children: list[Child] = []
        project.note_path.unlink(missing_ok=True)  # of an earlier life: nobody waits for it any more
        try:
            served_on = _start(project, port, children, asked)
            with announced(project, url_of(served_on)):
                if not asked.to_end:
                    _announce(url_of(served_on), browser=browser)
                _watch(project, children, asked)
        finally:
            end_all(children, patience=END_PATIENCE, hurry=lambda: asked.times > 1)
    return 0


def _refuse_what_cannot_be_used(project: Project) -> None:
    """Open the database once, before two children try: of an older release it is upgraded, of a newer one refused.

    A server's that is away for a while is waited for by the children.
    """
    if not project.is_on_server and project.database_path.is_file():
        project.open_database().close()


@dataclass
class Asked:
    """How often the supervisor was asked to end."""

    times: int = 0

    @property
    def to_end(self) -> bool:
        """Whether it was asked at all; asked twice, it stops being patient."""
        return self.times > 0


@contextlib.contextmanager
def _signals() -> Iterator[Asked]:
    asked = Asked()

    def note(_signal: int, _frame: FrameType | None) -> None:
        asked.times += 1

    wanted = [signal.SIGINT, signal.SIGTERM]
    # Under nohup a closed terminal ends nothing; Windows has no such signal.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in wanted}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held(project: Project) -> Iterator[None]:
    """Hold the project's ``supervisor.lock``; the kernel lets go of it however this process ends.

    Raises:
        AlreadyRunningError: When another process holds it.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(trainer_lock(project.supervisor_lock_path))
        except TrainerRunningError as error:
            raise AlreadyRunningError(project.folder) from error
        yield


def trainer_child(project: Project) -> Child:
    """Return the trainer: at low priority, and leaving a core to the screens when there is one."""
    threads = str(max(1, usable_cores() - 1))
    # Passive: OpenMP threads that spin at a barrier took 154 s for a fit of 5 s when the cores were busy.
    deaths = Deaths(project)
    variables = {**dict.fromkeys(_THREAD_VARIABLES, threads), "OMP_WAIT_POLICY": "passive"}
    return Child(
        name="trainer",
        command=[sys.executable, "-m", "app.trainer.process", str(project.folder)],
        log=project.logs_dir / "trainer.log",
        environment={name: os.environ.get(name, wanted) for name, wanted in variables.items()},
        niceness=TRAINER_NICENESS,
        # In a new folder too: it loads its libraries while the person is still on Setup. Not where the folder was moved
        # away: its log would make another one in that place.
        ready=lambda: project.folder.is_dir() and deaths.may_start(),
        died=deaths.note,
        recovered=deaths.over,
    )


def usable_cores() -> int:
    """Return the number of cores this process may run on, which in a container is fewer than the machine has."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def screens_child(project: Project, port: int) -> Child:
    """Return the Streamlit server."""
    return Child(
        name="screens",
        command=streamlit_command(port),
        log=project.logs_dir / "screens.log",
        environment=streamlit_environment(project),
        healthy_after=SCREENS_ARE_HEALTHY_AFTER,
    )


def _start(project: Project, wanted: int | None, children: list[Child], asked: Asked) -> int:
    """Start both children, wait until the screens answer, and return their port.

    ``children`` is filled on the way, so that the caller ends what was started even when this fails.
    """
    port = choose_port(wanted)  # refused before anything is started
    children.append(trainer_child(project))
    _look_after(children)
    for _attempt in range(1 if wanted is not None else PORT_ATTEMPTS):
        children[1:] = [screens_child(project, port)]
        children[1].start()
        if _wait_for_health(children, port, asked):
            return port
        children[1].kill()
        port = choose_port(wanted)  # a port that was free may be gone a moment later
    raise SupervisorError(f"The screens did not start; the reason is at the end of {project.logs_dir / 'screens.log'}.")


def _wait_for_health(children: list[Child], port: int, asked: Asked) -> bool:
    """Return whether the screens answer, or a signal ended the wait; False when they died or stay mute."""
    trainer, screens = children
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline and not asked.to_end:
        _look_after([trainer])
        if screens.process is None or screens.process.poll() is not None:
            return False
        if is_healthy(port):
            return True
        time.sleep(PAUSE)
    return asked.to_end


def _announce(url: str, *, browser: bool) -> None:
    typer.echo(f"LabelLoop is at {url} - press Ctrl+C to end it.")
    if browser and _has_display():
        # A thread: some browsers' launchers do not return until the window is closed.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _has_display() -> bool:
    """Without one Python would open a text browser inside this very terminal."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _watch(project: Project, children: list[Child], asked: Asked) -> None:
    while not asked.to_end:
        follow_note(project, children)
        _look_after(children)
        time.sleep(PAUSE)


def _look_after(children: list[Child]) -> None:
    for child in children:
        status = child.check()
        if status is not None:
            _report_death(child, status)
        child.rotate()


def _report_death(child: Child, status: int) -> None:
    how = f"was killed by signal {-status}" if status < 0 else f"ended with exit code {status}"
    if not child.starts_again:
        typer.echo(f"The {child.name} process {how}. Its log: {child.log}", err=True)
        return
    seconds = max(0.0, child.start_again_at - child.clock())
    when = f"in {seconds:.0f} s" if seconds else "at once"
    typer.echo(f"The {child.name} process {how}; starting again {when}. Its log: {child.log}", err=True)
