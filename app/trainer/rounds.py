"""One resumption of the loop."""

from __future__ import annotations

from collections.abc import Callable

from app.trainer.auditing import auditor_of
from app.trainer.embedding_review import review_embedding
from app.trainer.heartbeat import ProgressCallback
from app.trainer.oracle import DatabaseOracle
from app.trainer.resuming import prune, restore
from app.trainer.workbench import Workbench
from loops.active_learning import ActiveLearningLoop
from loops.checkpoint import SavedCheckpoint
from loops.stopping import MeasuredRound, own_criterion
from storage.metrics import list_metrics
from storage.rounds import latest_round, list_rounds, mark_scoring


def run_rounds(bench: Workbench) -> bool:
    """Runs the loop until no finished round is waiting, and looks whether labels contradict the embedding in force.

    Everything comes from database, settings and checkpoint, so that resuming after a round and resuming after a kill
    are the same code.

    Args:
        bench: The project as it is now.

    Returns:
        Whether samples are to be looked at in another embedding from now on.
    """
    predictor = bench.predictor(lambda fold: [ProgressCallback(bench.heartbeat, fold)])
    loop = ActiveLearningLoop(
        predictor=predictor,
        oracle=DatabaseOracle(bench),
        settings=bench.loop_settings,
        rounds_folder=bench.project.rounds_dir,
        on_checkpoint=list_checkpoint(bench),
        auditor=auditor_of(bench),
        stop=own_criterion(bench.settings.stop) if bench.settings.stop else None,
    )
    restore(loop, predictor, bench)
    if bench.settings.stop:
        loop.measured = measured_rounds(bench)
    loop.run()
    prune(bench)
    return review_embedding(bench, predictor)


def measured_rounds(bench: Workbench) -> list[MeasuredRound]:
    """What the rounds before came to, as they were published."""
    with bench.database.read() as session:
        rounds = list_rounds(session, project_id=bench.project_id)
        metrics = list_metrics(session, project_id=bench.project_id)
    found = {(m.round_number, m.name): m.value for m in metrics if m.class_index is None}
    return [
        MeasuredRound(
            one.labels,
            found.get((one.number, "accuracy_test"), found.get((one.number, "accuracy_audit"))),
            found.get((one.number, "mean_predictive_entropy")),
        )
        for one in rounds
    ]


def list_checkpoint(bench: Workbench) -> Callable[[int, SavedCheckpoint], None]:
    """What notes a round's checkpoint in the database once it is on disk."""

    def note(round_number: int, saved: SavedCheckpoint) -> None:
        with bench.database.write() as session:
            latest = latest_round(session, project_id=bench.project_id)
            assert latest is not None
            assert latest.number == round_number
            mark_scoring(
                session,
                round_id=latest.id,
                generation=bench.generation,
                checkpoint=saved.path.relative_to(bench.project.folder).as_posix(),
                sha256=saved.sha256,
                size=saved.size,
            )

    return note
