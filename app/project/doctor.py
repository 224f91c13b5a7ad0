"""``labelloop doctor``: looks at what LabelLoop stands on, and says in a sentence what is wrong with it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from app.errors import TrainerRunningError, is_refusal
from app.kinds.kind import kind_named
from app.project.endings import TRAINER, ending_words
from app.project.lock import trainer_lock
from app.project.own_code import check_own_code
from app.project.project import Project
from app.project.status import SILENT_AFTER, heartbeat_age
from storage import journal
from storage.backup import FOLDER, check_integrity, list_backups, time_of
from storage.endings import list_endings
from storage.engine import Database
from storage.errors import DatabaseDamagedError, NoDatabaseError, StorageError
from storage.filesystem import find_mount, is_network
from storage.library import choose_library
from storage.projects import kind_of_samples
from storage.refusals import list_broken
from storage.rounds import latest_round
from storage.samples import SampleInfo, list_samples
from storage.settling import compare
from storage.trainer import get_heartbeat, list_errors

LEAST_DISK = 500_000_000  # bytes; a round of a large pool writes that much
SAMPLES_AT_ONCE = 10_000  # looked at
GREATEST_DIFFERENCE = 1e-6  # of our acquisition functions from BaaL's
_PACKAGES = ("labelloop", "torch", "pytorch-lightning", "lightning-flash", "baal", "streamlit", "sqlalchemy", "pillow")


@dataclass(frozen=True)
class Finding:
    """What one look found."""

    what: str
    found: str
    good: bool = True


def examine(project: Project | None) -> Iterator[Finding]:
    """Look at the program, and at a project when one is given; a look that fails is a finding like another."""
    for look in (versions, sqlite_library, accelerator, acquisition_functions):
        yield _guarded(look)
    if project is not None:
        yield from _examine_project(project)


def _guarded(look: Callable[..., Finding], *subjects: object) -> Finding:
    try:
        return look(*subjects)
    except Exception as error:  # noqa: BLE001 - whatever is broken, the other looks are what helps to find out why
        sentence = str(error) if is_refusal(error) else f"{type(error).__name__}: {error}"
        return Finding(look.__name__.replace("_", " "), sentence, good=False)


def versions() -> Finding:
    """Name what is installed; a package that is not there is wrong."""
    found = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, version in found.items() if not version]
    if missing:
        return Finding("versions", f"{', '.join(missing)} not installed; install LabelLoop again.", good=False)
    listed = ", ".join(f"{name} {version}" for name, version in found.items())
    return Finding("versions", f"Python {platform.python_version()}, {listed}")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def sqlite_library() -> Finding:
    """Name the linked SQLite and the journal mode that is safe with it."""
    library = choose_library()
    why = "" if library.journal_mode == "wal" else "; slower, because WAL can corrupt the database in this version"
    return Finding("SQLite", f"{library.title}, journal mode {library.journal_mode}{why}")


def accelerator() -> Finding:
    """Name the device training will run on."""
    import torch  # takes seconds; nothing else here needs it

    if torch.cuda.is_available():
        return Finding("GPU", f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})")
    if torch.backends.mps.is_available():
        return Finding("GPU", "Apple GPU (MPS)")
    return Finding("GPU", f"none; training runs on {torch.get_num_threads()} CPU threads")


def acquisition_functions() -> Finding:
    """Compare our acquisition functions with BaaL's on random predictions."""
    import numpy as np

    from loops.acquisition.catalog import CATALOG
    from loops.acquisition.catalog import names as catalog_names
    from loops.acquisition.choosing import scorer
    from loops.acquisition.own import scores_of_heuristic
    from loops.frozen import yardstick

    probs_N_C_K = np.random.default_rng(0).dirichlet(np.ones(5), size=(64, 20)).transpose(0, 2, 1).astype(np.float32)
    compared = [function for function in CATALOG.values() if function.yardstick]
    apart = [
        scorer(function)(probs_N_C_K) - scores_of_heuristic(yardstick(function.yardstick), probs_N_C_K)
        for function in compared
    ]
    greatest = max(float(np.ptp(difference)) for difference in apart)  # some of BaaL's are ours less a constant
    good = greatest <= GREATEST_DIFFERENCE
    names = ", ".join(function.name for function in compared)
    found = f"{names} differ from BaaL's by at most {greatest:.1e}; known are {', '.join(catalog_names())}"
    return Finding("acquisition functions", found if good else f"{found}; {GREATEST_DIFFERENCE:.0e} is allowed", good)


def _examine_project(project: Project) -> Iterator[Finding]:
    yield _guarded(file_system, project)
    yield _guarded(disk_space, project)
    yield _guarded(backups, project)
    yield _guarded(settings, project)
    try:
        with project.opened_to_read(settle=False) as database:  # a look changes nothing
            checked = _guarded(integrity, project, database)
            yield checked
            looks = (label_journal, samples, trainer, trainer_deaths, latest_training, failures)
            for look in looks if checked.good else ():
                yield _guarded(look, project, database)
    except StorageError as error:
        what = "integrity" if isinstance(error, (DatabaseDamagedError, NoDatabaseError)) else "database"
        yield Finding(what, str(error), good=False)


def file_system(project: Project) -> Finding:
    """Name what the project lies on; the locks of a network file system cannot be trusted."""
    mount = find_mount(project.folder)
    if mount is None:
        return Finding("file system", "not known on this system")
    if is_network(mount.kind) and not project.is_on_server:
        return Finding("file system", f"{mount.kind} is a network file system, where SQLite loses data", good=False)
    return Finding("file system", f"{mount.kind} at {mount.point}")


def disk_space(project: Project) -> Finding:
    """Tell the room left where the project lies."""
    free = shutil.disk_usage(project.folder).free
    found = f"{free / 1e9:,.1f} GB free"
    if free < LEAST_DISK:
        return Finding("disk space", f"{found}; less than {LEAST_DISK / 1e9} GB may stop the trainer", good=False)
    return Finding("disk space", found)


def backups(project: Project) -> Finding:
    """Tell the newest backup, and how many labels the journal could add to one."""
    if project.is_on_server:
        return Finding("backups", "the database server's own")
    folder = project.database_path.parent / FOLDER
    made = list_backups(folder)
    newest = f"newest from {time_of(made[0]):%Y-%m-%d %H:%M} UTC" if made else "the trainer makes one every hour"
    entries = journal.read(project.database_path.with_name(journal.NAME)).entries
    count = sum("event" in entry for entry in entries)
    return Finding("backups", f"{len(made)} in {folder.name}, {newest}; {count:,} label events in {journal.NAME}")


def settings(project: Project) -> Finding:
    """Import what the settings name of somebody's own, as the trainer would."""
    named = check_own_code(project.settings())
    return Finding("settings", f"{', '.join(named)} can be imported" if named else "name no code of your own")


def integrity(project: Project, database: Database) -> Finding:  # noqa: ARG001 - as the other looks are called
    """Check the database file, before anything would write to it."""
    problems = check_integrity(database)
    if problems:
        return Finding("integrity", str(DatabaseDamagedError(problems[0])), good=False)
    return Finding("integrity", f"{database.library}, journal mode {database.journal_mode}: no damage found")


def label_journal(project: Project, database: Database) -> Finding:
    """Compare the database with the label journal, which is the record."""
    if project.is_on_server:
        return Finding("label journal", "the database server's own")
    found = compare(database)
    said = [f"the database lacks {found.sentence} of it; the next opening to write puts them in"] if found.lacks else []
    if found.damaged:
        said.append(f"{found.damaged:,} damaged lines")
    if said:
        return Finding("label journal", "; ".join(said), good=False)
    rest = f"; {found.only_database:,} label events are still to be written there" if found.only_database else ""
    return Finding("label journal", f"the database has all of it{rest}")


def samples(project: Project, database: Database) -> Finding:
    """Count the samples that have gone, or could not be read, since they were imported."""
    project_id = project.project_id(database)
    with database.read() as session:
        broken = list_broken(session, project_id=project_id)
        kind = kind_named(kind_of_samples(session, project_id=project_id))
    counted, missing = 0, list[str]()
    for page in chain.from_iterable(_pages(database, project_id, split) for split in ("pool", "test")):
        counted += len(page)
        missing += [sample.uri for sample in page if not kind.is_there(sample)]
    said = [f"{len(missing):,} of {counted:,} are gone, such as {missing[0]}"] if missing else []
    if broken:
        first = f"such as {broken[0].uri}: {broken[0].reason}"
        said.append(f"{len(broken):,} could not be read and are not asked any more, {first}")
    if said:
        return Finding(kind.NOUNS, "; ".join(said), good=False)
    return Finding(kind.NOUNS, f"{counted:,}, all there")


def _pages(database: Database, project_id: int, split: str) -> Iterator[list[SampleInfo]]:
    """All samples of a split, so many at a time that a million of them fit."""
    last = 0
    while True:
        with database.read() as session:
            page = list_samples(session, project_id=project_id, split=split, after_id=last, limit=SAMPLES_AT_ONCE)
        if not page:
            return
        yield page
        last = page[-1].id


def trainer(project: Project, database: Database) -> Finding:
    """Tell the trainer's last heartbeat; one that runs and is silent is wrong, one that does not run is not."""
    project_id = project.project_id(database)
    with database.read() as session:
        heartbeat = get_heartbeat(session, project_id=project_id)
    if heartbeat is None:
        return Finding("trainer", "never started")
    age = heartbeat_age(heartbeat)
    if not _is_locked(project.lock_path):
        return Finding("trainer", f"not running; last heard of {age:,.0f} s ago ({heartbeat.state})")
    if age > SILENT_AFTER:
        return Finding("trainer", f"runs (process {heartbeat.pid}) but is silent for {age:,.0f} s", good=False)
    return Finding("trainer", f"{heartbeat.state}, last heard of {age:,.0f} s ago")


def trainer_deaths(project: Project, database: Database) -> Finding:
    """Tell how the trainer ended lately; several deaths in a row are wrong."""
    with database.read() as session:
        deaths = list_endings(session, project_id=project.project_id(database), child=TRAINER)
    if not deaths:
        return Finding("trainer's deaths", "none")
    return Finding("trainer's deaths", ending_words(deaths), good=False)


def _is_locked(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with trainer_lock(path):
            return False
    except TrainerRunningError:
        return True


def latest_training(project: Project, database: Database) -> Finding:
    """Tell the state of the latest round; one that failed is wrong."""
    project_id = project.project_id(database)
    with database.read() as session:
        info = latest_round(session, project_id=project_id)
    if info is None:
        return Finding("latest round", "none yet")
    if info.state == "failed":
        return Finding("latest round", f"round {info.number} failed: {info.reason}", good=False)
    return Finding("latest round", f"round {info.number} is {info.state}")


def failures(project: Project, database: Database) -> Finding:
    """Tell the trainer's latest failure; it may be over, as a full disk that was cleared is, so it is not wrong."""
    project_id = project.project_id(database)
    with database.read() as session:
        found = list_errors(session, project_id=project_id, limit=1)
    if not found:
        return Finding("failures", "none")
    error = found[0]
    where = error.step if error.round_number is None else f"{error.step}, round {error.round_number}"
    return Finding("failures", f"the latest at {error.created_at:%Y-%m-%d %H:%M} UTC ({where}): {error.message}")
