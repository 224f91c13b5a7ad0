"""Finding the newest checkpoint that is, byte for byte, what was written, and letting old ones go."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree

from app.trainer.workbench import Workbench
from loops.active_learning import ActiveLearningLoop
from loops.errors import CheckpointDamagedError, CheckpointMismatchError
from loops.predictors.predictor import Predictor
from storage.rounds import RoundInfo, list_rounds
from storage.trainer import record_error

GENERATIONS_KEPT = 3

logger = logging.getLogger(__name__)


def restore(loop: ActiveLearningLoop, predictor: Predictor, bench: Workbench) -> None:
    """Loads the newest sound checkpoint that the database lists into predictor and loop.

    A damaged one is set aside under another name, recorded, and the one before serves; with none the round is fitted
    again, from the labels, which are all there. One of another predictor, or of fewer classes, is of no use after the
    settings changed.

    Args:
        loop: Gets the progress.
        predictor: Gets the weights.
        bench: Its database lists the checkpoints, with their SHA-256.
    """
    with bench.database.read() as session:
        rounds = list_rounds(session, project_id=bench.project_id)
    for round_info in with_checkpoint(rounds)[:GENERATIONS_KEPT]:
        try:
            path = bench.project.folder / str(round_info.checkpoint)
            loop_state = predictor.load(
                path, sha256=str(round_info.checkpoint_sha256), size=round_info.checkpoint_bytes or 0
            )
        except CheckpointMismatchError:
            return
        except CheckpointDamagedError as error:
            _set_aside(path, error, bench, round_info.number)
            continue
        loop.load_state_dict(loop_state)
        return


def restored(bench: Workbench, round_info: RoundInfo, before: Predictor | None = None) -> Predictor:
    """The predictor as a round left it; one that has learned nothing where there is no sound checkpoint.

    Args:
        bench: The project as it is now.
        round_info: The round.
        before: Of an earlier round on the same workbench, whose graph is in memory.
    """
    predictor = bench.predictor() if before is None else before
    if round_info.checkpoint is None:
        return predictor
    try:
        path = bench.project.folder / round_info.checkpoint
        predictor.load(path, sha256=str(round_info.checkpoint_sha256), size=round_info.checkpoint_bytes or 0)
    except (CheckpointDamagedError, CheckpointMismatchError) as error:
        logger.warning("%s; between rounds it answers as if it had learned nothing", error)
        return bench.predictor()  # the next round's resumption reports it
    return predictor


def with_checkpoint(rounds: Sequence[RoundInfo]) -> list[RoundInfo]:
    """The rounds that list a checkpoint, newest first."""
    return [round_info for round_info in reversed(rounds) if round_info.checkpoint is not None]


def prune(bench: Workbench) -> None:
    """Deletes the checkpoints of all but the newest rounds; their rankings, scores and metrics stay."""
    with bench.database.read() as session:
        rounds = list_rounds(session, project_id=bench.project_id)
    for round_info in with_checkpoint(rounds)[GENERATIONS_KEPT:]:
        checkpoint = bench.project.folder / str(round_info.checkpoint)
        checkpoint.unlink(missing_ok=True)
        for pattern in ("fold-*", "member-*"):  # of a committee, of a champion
            for part in checkpoint.parent.glob(pattern):
                rmtree(part, ignore_errors=True)


def _set_aside(path: Path, error: CheckpointDamagedError, bench: Workbench, round_number: int) -> None:
    logger.error("%s; the one before it serves", error)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.damaged"))
    with bench.database.write() as session:
        record_error(
            session,
            project_id=bench.project_id,
            round_number=round_number,
            step="restore",
            message=str(error),
            traceback=error.reason,
        )
