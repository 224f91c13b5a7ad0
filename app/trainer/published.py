"""The predictor of a project as its newest published round left it, for whoever asks it from outside the trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.errors import NoModelError
from app.project.project import Project
from app.trainer.resuming import with_checkpoint
from app.trainer.workbench import Workbench, at_rest
from loops.checkpoint import read_checkpoint
from loops.embeddings.new_samples import WithNewSamples
from loops.errors import CheckpointDamagedError, CheckpointMismatchError
from loops.predictors.predictor import Predictor
from storage.engine import Database
from storage.metrics import MetricInfo, list_metrics
from storage.projects import kind_of_samples, list_classes
from storage.rounds import PUBLISHED, RoundInfo, list_rounds

_MEASURED_ON = {  # the first that was measured counts, as on every screen
    "accuracy_test": "the labeled test set",
    "accuracy_audit": "audit samples, drawn at random and never trained on",
}


@dataclass(frozen=True)
class Published:
    """A predictor, and what is known of it."""

    project: Project
    bench: Workbench  # its store takes new samples, too
    predictor: Predictor
    round_info: RoundInfo
    kind: str  # of the samples
    classes: tuple[str, ...]  # that it knows; the project may have more since
    metrics: Sequence[MetricInfo]  # of this round

    @property
    def store(self) -> WithNewSamples:
        """The rows of the pool, and of whatever else is asked."""
        assert isinstance(self.bench.store, WithNewSamples)
        return self.bench.store

    @property
    def version(self) -> str:
        """What tells its answers from those of other rounds."""
        return f"round-{self.round_info.number}"

    @property
    def accuracy(self) -> dict[str, object] | None:
        """As it was measured, with its interval: value, low, high, n, measured_on."""
        of_name = {metric.name: metric for metric in self.metrics if metric.class_index is None}
        for name, measured_on in _MEASURED_ON.items():
            if name in of_name:
                found = of_name[name]
                bounds: dict[str, object] = {"value": found.value, "low": found.low, "high": found.high}
                return bounds | {"n": found.n, "measured_on": measured_on}
        return None


def newest_round(database: Database, project_id: int) -> RoundInfo:
    """The newest round that was published with a model.

    Raises:
        NoModelError: There is none.
    """
    with database.read() as session:
        rounds = with_checkpoint(list_rounds(session, project_id=project_id))
    newest = next((info for info in rounds if info.state in PUBLISHED), None)
    if newest is None:
        raise NoModelError("No round of this project was trained yet; there is no model.")
    return newest


def newest_published(project: Project, database: Database) -> Published:
    """Loads the predictor of the newest published round, whoever it is.

    Raises:
        NoModelError: There is none, or it is damaged or of other settings.
    """
    project_id = project.project_id(database)
    newest = newest_round(database, project_id)
    path = project.folder / str(newest.checkpoint)
    sums = {"sha256": str(newest.checkpoint_sha256), "size": newest.checkpoint_bytes or 0}
    try:
        known = read_checkpoint(path, **sums)["learner"]["num_classes"]  # type: ignore[arg-type]
        bench = at_rest(project, database)
        bench = replace(
            bench, classes=bench.classes[:known], store=WithNewSamples(bench.store.folder, bench.store.backbone)
        )
        predictor = bench.predictor()
        predictor.load(path, **sums)  # type: ignore[arg-type]
    except (CheckpointDamagedError, CheckpointMismatchError, KeyError) as error:
        said = f"{error}" if not isinstance(error, KeyError) else "the checkpoint holds no model of ours"
        raise NoModelError(
            f"The model of round {newest.number} cannot be used: {said}; the next round writes a new one."
        ) from error
    with database.read() as session:
        metrics = [m for m in list_metrics(session, project_id=project_id) if m.round_number == newest.number]
        names = tuple(entry.name for entry in list_classes(session, project_id=project_id))
        kind = kind_of_samples(session, project_id=project_id)
    return Published(project, bench, predictor, newest, kind, names[:known], metrics)
