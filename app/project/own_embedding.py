"""An embedding of one's own, tried on the project's samples before the project is made. Loads no torch itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import ProjectError
from app.formats.places import called
from app.formats.source import Source
from app.kinds.kind import kind_named
from app.project.given_rows import named_paths, write_order
from app.project.hub import Consent, UsedNetwork, used
from app.project.project import Project
from loops.embeddings.embedder import LARGEST_NUMBER
from loops.embeddings.own_source import fingerprint, kind_of, named_network, open_rows, samples_of
from loops.errors import OwnEmbeddingError

SAMPLES_TRIED = 4
LONGEST_TRY_S = 600.0
ROWS_AT_ONCE = 4096  # of a mapped array


@dataclass(frozen=True)
class CheckedEmbedding:
    """An embedding that works on these samples."""

    source: str  # with absolute paths: the trainer may run elsewhere
    dimensions: int  # numbers per sample
    row_paths: tuple[str, ...] = ()  # of an array file: the image of each row
    network: UsedNetwork | None = None  # where it is one that a library knows by name

    def keep(self, project: Project) -> None:
        """Notes in the project which image each row belongs to, where there are rows, and which network it was."""
        if self.row_paths:
            write_order(project, self.row_paths)
        if self.network is not None:
            self.network.keep(project)


def check_embedding(
    given: str, samples: Source, test: Source | None, consent: Consent | None = None
) -> CheckedEmbedding:
    """Tries an embedding.

    Args:
        given: As the person gave it, see `loops.embeddings.own_source`.
        samples: Of the pool.
        test: Of the test set.
        consent: To the download of a network; None: nothing is downloaded.

    Raises:
        ProjectError: If it cannot be used, with the reason.
    """
    try:
        source = _absolute(given.strip())
        _check_kind(source, samples.kind)
        if kind_of(source) == "rows":
            return _check_rows(source, samples, test)
        network = named_network(source)
        if network is not None:
            return _check_network(used(network, consent), samples)
        fingerprint(source)  # refuses at once what is not there
        return CheckedEmbedding(source, _try(source, samples))
    except OwnEmbeddingError as error:
        raise ProjectError(f"The embedding {given} cannot be used: {error}.") from error


def refuse_code(given: str) -> None:
    """Refuses a function, which is code: who sees the page may not run code on the machine behind it.

    Raises:
        ProjectError: If it is one, or no embedding at all.
    """
    try:
        is_code = bool(given) and kind_of(given) == "function"
    except OwnEmbeddingError as error:
        raise ProjectError(f"The embedding {given} cannot be used: {error}.") from error
    if is_code:
        raise ProjectError("A function is given on the command line, with 'labelloop init --embedding': it runs code.")


def _absolute(source: str) -> str:
    """The same source for a process that runs in another folder."""
    kind, network = kind_of(source), named_network(source)
    if network is not None:
        return network.at(_absolute_place(network.place)) if network.place else source
    if kind != "function":
        return _resolved(source)
    module, _, name = source.rpartition(":")
    beside = Path(f"{module}.py")
    if not module.endswith(".py") and not beside.is_file():
        return source
    return f"{_resolved(module if module.endswith('.py') else str(beside))}:{name}"


def _check_kind(source: str, kind: str) -> None:
    if samples_of(source) != kind:
        wanted = kind_named(samples_of(source)).NOUNS
        raise OwnEmbeddingError(f"it is for {wanted}, these are {kind_named(kind).NOUNS}")


def _check_network(network: UsedNetwork, samples: Source) -> CheckedEmbedding:
    fingerprint(network.source)  # refuses a library that is not installed
    return CheckedEmbedding(network.source, _try(network.source, samples), network=network)


def _absolute_place(place: str) -> Path:
    """A file or folder; as it is called, for a link's target in a cache has no suffix that says what it holds."""
    found = Path(place).expanduser().absolute()
    if not found.exists():
        raise OwnEmbeddingError(f"there is no file {found}")
    return found


def _resolved(path: str) -> str:
    found = Path(path).expanduser().resolve()
    if not found.is_file():
        raise OwnEmbeddingError(f"there is no file {found}")
    return str(found)


def _check_rows(source: str, images: Source, test: Source | None) -> CheckedEmbedding:
    rows = open_rows(Path(source))
    paths = named_paths(Path(source), images, len(rows))
    _check_numbers(rows, paths)
    known = set(paths)
    for entry in (*images.entries, *(test.entries if test is not None else ())):
        if str(called(entry.path)) not in known:
            names = Path(source).with_suffix(".csv").name
            raise OwnEmbeddingError(f"it has no row for {entry.name}; {names} beside it can name them (column path)")
    return CheckedEmbedding(source, rows.shape[1], tuple(paths))


def _check_numbers(rows: NDArray[Any], paths: Sequence[str]) -> None:
    """Refuses an array with a row that cannot be used: its image would leave the pool without a word."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        usable = (np.abs(rows[start : start + ROWS_AT_ONCE]) <= LARGEST_NUMBER).all(axis=1)
        if not usable.all():
            row = start + int(np.flatnonzero(~usable)[0])
            said = f"holds a number that is not finite, or beyond {LARGEST_NUMBER:.0e}"
            raise OwnEmbeddingError(f"row {row}, of {Path(paths[row]).name}, {said}")


def _try(source: str, samples: Source) -> int:
    """Let another process try it. Its answer comes in a file: somebody's code may print and exit as it likes."""
    tried = [(str(entry.path), entry.text) for entry in samples.entries[:SAMPLES_TRIED]]
    with tempfile.TemporaryDirectory(prefix="labelloop-") as folder:
        answer, errors, given = (Path(folder) / name for name in ("answer.json", "errors.txt", "samples.json"))
        given.write_text(json.dumps({"kind": samples.kind, "samples": tried}), encoding="utf-8")
        module = [sys.executable, "-W", "ignore", "-m", "app.project.embedding_check"]
        command = [*module, str(answer), source, str(given)]
        try:
            status = _ended(command, errors)
        except subprocess.TimeoutExpired as error:
            raise OwnEmbeddingError(
                f"{len(tried)} {kind_named(samples.kind).NOUNS} took it more than {LONGEST_TRY_S:.0f} s"
            ) from error
        if not answer.is_file():
            raise OwnEmbeddingError(_death(status, errors.read_text(encoding="utf-8", errors="replace")))
        found = json.loads(answer.read_text(encoding="utf-8"))
    if "refused" in found:
        raise OwnEmbeddingError(found["refused"])
    return int(found["dimensions"])


def _ended(command: Sequence[str], errors: Path) -> int:
    """Run a process to its end, with all that it starts, and return its exit status; it waits for no input."""
    with errors.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file, cwd=Path.cwd().anchor,
            start_new_session=True,
        )  # fmt: skip
    try:
        return process.wait(LONGEST_TRY_S)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            process.kill() if sys.platform == "win32" else os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _death(status: int, errors: str) -> str:
    how = f"was ended by signal {-status}" if status < 0 else f"ended the program with exit code {status}"
    words = errors.strip().splitlines()
    return f"it {how} before it gave an answer{f' ({words[-1]})' if words else ''}"
