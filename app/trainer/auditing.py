"""The certificate's side of the trainer: its candidates on disk, and what the round before answered."""

from __future__ import annotations

from app.errors import UnreadableScoresError
from app.project.certificates import NEEDED, read_chain, target_of, write_candidate
from app.project.scores import read_scores, scores_path
from app.trainer.workbench import Workbench
from loops.certificate.auditor import Auditor
from loops.certificate.candidate import PoolAnswers
from storage.metrics import list_metrics
from storage.rounds import PUBLISHED, list_rounds


def auditor_of(bench: Workbench) -> Auditor | None:
    """Draws what is to be proven, as the database and the candidates' files have it; None: the project has no audit."""
    if bench.settings.audit_share == 0.0:
        return None
    with bench.database.read() as session:
        numbers = [info.number for info in list_rounds(session, project_id=bench.project_id) if info.state in PUBLISHED]
        needed = {m.round_number: m.value for m in list_metrics(session, project_id=bench.project_id, name=NEEDED)}
    latest = max(numbers, default=-1)
    return Auditor(
        target=target_of(bench.project),
        seed=bench.settings.seed,
        query_size=bench.settings.query_size,
        chain=read_chain(bench.project),
        needed_before=round(needed[latest]) if latest in needed else None,
        last=answered_in(bench, latest),
        on_candidate=lambda candidate: write_candidate(bench.project, candidate),
    )


def answered_in(bench: Workbench, round_number: int) -> PoolAnswers | None:
    """What a round's predictor answered for the pool; None where it had none, or the file is damaged."""
    path = scores_path(bench.project.rounds_dir, round_number)
    if not path.exists():
        return None
    try:
        scores = read_scores(path)
    except UnreadableScoresError:  # its answers only sharpen what is believed; Uncertainty says that it is damaged
        return None
    return PoolAnswers(scores.sample_ids, scores.predicted_N, 1.0 - scores.confidence_N)
