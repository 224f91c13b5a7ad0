"""What is proven of a project: the candidates' files, ``certificate/NNNN.npz``, and what the labels say of them.

The trainer writes a candidate before any of its draws is on a screen, and never again. What is proven follows from
these files and the label events alone, so it is worked out wherever it is shown.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.project.project import Project
from app.project.settings import write_atomically
from loops.certificate.candidate import SKIPPED, Candidate, Known
from loops.certificate.chain import TARGET, Certificate, Follower, certificate_of
from loops.certificate.evidence import Evidence
from storage.engine import Session
from storage.labels import current_labels

NEEDED = "audits_needed"  # metric of a round: audit labels for a proof of its predictor
_ARRAYS = ("sample_ids", "predicted_N", "bin_N", "weight_B")
_NUMBERS = ("round_number", "seed", "draws_before")


@dataclass(frozen=True)
class Proof:
    """What is known now."""

    chain: tuple[Candidate, ...]
    labels: dict[int, int]  # sample id -> class index, or SKIPPED
    evidence: Evidence | None  # about the last candidate; None before there is one
    audits: int  # audit labels that stand, whether or not they prove something
    target: float

    @property
    def certificate(self) -> Certificate | None:
        """What is claimed; None before there is a candidate."""
        return None if self.evidence is None else certificate_of(self.evidence, self.labels)

    def of_first(self, count: int) -> Proof:
        """The proof as it would stand with only the first candidates."""
        chain = self.chain[:count]
        return replace(self, chain=chain, evidence=Follower(self.target).evidence(chain, self.labels))


def target_of(project: Project) -> float:
    """The share that is to be proven: the project's target accuracy, or 95 %."""
    return project.settings().target_accuracy or TARGET


def read_proof(
    session: Session,
    project: Project,
    project_id: int,
    *,
    through_event_id: int | None = None,
    target: float | None = None,
) -> Proof:
    """Works out what the labels prove, as they stand now or as they stood right after an event.

    Args:
        session: A session.
        project: The project's folder.
        project_id: In the database.
        through_event_id: None: now.
        target: None: the project's.
    """
    current = current_labels(session, project_id=project_id, through_event_id=through_event_id)
    # What was labeled with the rest of a group nobody has looked at: it proves nothing, and is left.
    seen = [row for row in current if not row.unseen]
    labels = {row.sample_id: SKIPPED if row.class_index is None else row.class_index for row in seen}
    chain, target = read_chain(project), target_of(project) if target is None else target
    return Proof(
        tuple(chain),
        labels,
        Follower(target).evidence(chain, labels),
        sum(row.purpose == "audit" and row.class_index is not None for row in current),
        target,
    )


def candidate_path(project: Project, round_number: int) -> Path:
    """Where the candidate of a round lies, if the round made one."""
    return project.folder / "certificate" / f"{round_number:04d}.npz"


def read_chain(project: Project) -> list[Candidate]:
    """All candidates, in the order in which they were made."""
    return [_read(path) for path in sorted((project.folder / "certificate").glob("[0-9]*.npz"))]


def write_candidate(project: Project, candidate: Candidate) -> None:
    """Writes a candidate; a reader sees all of it or none."""
    path = candidate_path(project, candidate.round_number)
    path.parent.mkdir(exist_ok=True)
    stored: dict[str, Any] = {name: getattr(candidate, name) for name in (*_ARRAYS, *_NUMBERS)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **stored, rank_M=candidate.known.rank_M, wrong_M=candidate.known.wrong_M)
    write_atomically(path, buffer.getvalue())


def _read(path: Path) -> Candidate:
    with np.load(path) as stored:
        fields: dict[str, Any] = {name: int(stored[name]) for name in _NUMBERS}
        fields.update((name, stored[name]) for name in _ARRAYS)
        return Candidate(**fields, known=Known(stored["rank_M"], stored["wrong_M"]))


def status_of(proof: Proof) -> dict[str, Any]:
    """What is proven, as ``labelloop status --json`` says it."""
    certificate = proof.certificate
    needed = {f"{share:.2f}": _needed(proof, share) for share in sorted({TARGET, proof.target})}
    return {
        "proven": 0.0 if certificate is None else certificate.proven,
        "confidence": 0.95,
        "audits": proof.audits,
        "needed": needed,
        "sentence": sentence(proof),
    }


def _needed(proof: Proof, share: float) -> int | None:
    if proof.evidence is None:
        return None
    return certificate_of(proof.evidence, proof.labels, share).needed


def sentence(proof: Proof) -> str:
    """What is proven, and what more would take, for a person."""
    certificate, goal = proof.certificate, f"{100 * proof.target:.4g} %"
    if certificate is None:
        return f"Nothing is proven yet: the model is still learning more from a label than a proof of {goal} would."
    rest = f"of the remaining {certificate.left:,} are right"
    if certificate.proven >= proof.target:
        return f"Proven: at least {_percent(certificate.proven)} {rest}. That is the target of {goal}."
    said = (
        f"Proven: at least {_percent(certificate.proven)} {rest}" if certificate.proven > 0 else "Nothing is proven yet"
    )
    if certificate.needed is None:
        return f"{said}; {goal} is out of reach until the model has learned more."
    more = "1 more audit label" if certificate.needed == 1 else f"{certificate.needed:,} more audit labels"
    return f"{said}; about {more} would prove {goal}."


def _percent(share: float) -> str:
    """Rounded down: a claim is never rounded up."""
    return f"{np.floor(1000 * share) / 10:.1f} %"
