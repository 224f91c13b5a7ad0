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
from storage.rounds import latest_round, mark_scoring


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
    )
    restore(loop, predictor, bench)
    loop.run()
    prune(bench)
    return review_embedding(bench, predictor)


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
