"""One line about a project, for a list of several: what it holds, how good its model is, when it was last used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from app.errors import AppError
from app.project.library import Entry
from app.project.project import Project, open_project
from storage.errors import StorageError
from storage.metrics import UNBIASED, MetricInfo, list_metrics
from storage.projects import kind_of_samples
from storage.samples import count_samples


@dataclass(frozen=True)
class Overview:
    """What a list says of a project."""

    entry: Entry
    name: str
    last_used: datetime
    kind: str = ""
    samples: int = 0
    labels: int = 0
    accuracy: str = ""  # with its interval; empty where none was measured
    trouble: str = ""  # why nothing is known of it


def overview(entry: Entry) -> Overview:
    """Look at a project; one that cannot be read is listed with the reason."""
    used = _last_used(entry.folder)
    try:
        project = open_project(entry.folder)
        return _overview(entry, project, used)
    except (AppError, StorageError) as error:
        return Overview(entry, entry.called.name, used, trouble=str(error))


def _overview(entry: Entry, project: Project, used: datetime) -> Overview:
    with project.opened_to_read(settle=False) as database:
        project_id = project.project_id(database)
        with database.read() as session:
            counts = count_samples(session, project_id=project_id)
            metrics = list_metrics(session, project_id=project_id)
            kind = kind_of_samples(session, project_id=project_id)
    samples = counts.pool + counts.labeled + counts.skipped
    return Overview(entry, project.settings().name, used, kind, samples, counts.labeled, _accuracy(metrics))


def _accuracy(metrics: list[MetricInfo]) -> str:
    newest = {metric.name: metric for metric in metrics}
    found = next((newest[name] for name in UNBIASED if name in newest), None)
    if found is None:
        return ""
    within = "" if found.low is None or found.high is None else f" ({100 * found.low:.0f} to {100 * found.high:.0f} %)"
    return f"{100 * found.value:.0f} %{within}"


def _last_used(folder: Path) -> datetime:
    """When a label, a round or a setting was last written."""
    names = ("labelloop.db", "labelloop.db-wal", "labels.journal", "settings.toml")
    times = [path.stat().st_mtime for path in (folder / name for name in names) if path.is_file()]
    return datetime.fromtimestamp(max(times, default=0.0), timezone.utc)
