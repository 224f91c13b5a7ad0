"""The certificate as a file: all that it stands on, so that anybody with the project can work it out again.

It is JSON: the method in words, the claim, every candidate with its answers, weights and seed, every label with the
event it comes from, and every draw with its probability. Verifying believes none of it: candidates and labels must be
the project's own, and claim and draws must follow from them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import CertificateError
from app.project.certificates import Proof, read_proof, sentence
from app.project.project import Project
from app.project.settings import write_atomically
from loops.certificate.candidate import Candidate
from loops.certificate.chain import Certificate
from loops.certificate.evidence import ALPHA
from loops.seeding import seed_of
from storage.engine import Session
from storage.labels import current_labels, last_event_id

FORMAT = "labelloop certificate 1"
METHOD = (
    "Audit samples are drawn without replacement, with the probabilities below, from all that was left when a "
    "candidate's answers were fixed; no audit label is trained on. The claim is the lower end of a confidence sequence "
    "by betting (a nonnegative martingale, Ville's inequality), valid at every moment and through all candidates; the "
    "labels are taken as the truth."
)
_EPSILON = 1e-9


@dataclass(frozen=True)
class Verified:
    """A certificate that is what the project says."""

    sentence: str
    labels_since: int  # events that came after it


def certificate_content(session: Session, project: Project, project_id: int) -> dict[str, Any]:
    """What the file holds.

    Raises:
        CertificateError: When there is no candidate yet.
    """
    proof = read_proof(session, project, project_id)
    certificate = proof.certificate
    if certificate is None:
        raise CertificateError(f"There is nothing to certify. {sentence(proof)}")
    return {
        "format": FORMAT,
        "project": project.settings().name,
        "method": METHOD,
        "sentence": sentence(proof),
        "claim": _claim(certificate, proof),
        "through_event_id": last_event_id(session, project_id=project_id),
        "candidates": [_candidate(candidate) for candidate in proof.chain],
        "labels": _labels(session, project_id, None),
        "draws": _draws(proof),
    }


def write_certificate(session: Session, project: Project, project_id: int, out: Path) -> str:
    """Writes the certificate's file, and says what it claims.

    Raises:
        CertificateError: When there is nothing to certify, or something lies there.
    """
    if out.exists():
        raise CertificateError(f"{out} is there already; give a new file.")
    content = certificate_content(session, project, project_id)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(content, indent=1).encode())
    return str(content["sentence"])


def verify_certificate(session: Session, project: Project, project_id: int, path: Path) -> Verified:
    """Works a certificate out again from the project.

    Raises:
        CertificateError: When the file is none, or anything in it is not what the project says.
    """
    told = _read(path)
    through = told.get("through_event_id")
    latest = last_event_id(session, project_id=project_id)
    if not isinstance(through, int) or not 0 <= through <= latest:
        raise _refused(f"it goes up to label event {through}, the project has {latest}")
    proof = read_proof(session, project, project_id, through_event_id=through, target=_target(told))
    kept = [_candidate(c) for c in proof.chain if c.round_number in _rounds(told)]
    if not kept or told.get("candidates") != kept:
        raise _refused("its candidates are not those of the project")
    if any(c.seed != seed_of(project.settings().seed, "audit draws", c.round_number) for c in proof.chain):
        raise _refused("a seed is not the one that follows from the project's")
    if told.get("labels") != _labels(session, project_id, through):
        raise _refused("its labels are not those that stood in the project")
    as_of_then = proof.of_first(len(kept))
    certificate = as_of_then.certificate
    if certificate is None or not _same(told.get("claim"), _claim(certificate, as_of_then)):
        raise _refused("its claim does not follow from its labels")
    if not _same(told.get("draws"), _draws(as_of_then)) or told.get("sentence") != sentence(as_of_then):
        raise _refused("its draws do not follow from its seeds and weights")
    return Verified(sentence(as_of_then), latest - through)


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CertificateError(f"There is no file {path}.") from error
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise CertificateError(f"{path} is no certificate: {error}.") from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise CertificateError(f"{path} is no certificate of this program.")
    return told


def _target(told: Mapping[str, Any]) -> float:
    target = told["claim"].get("target") if isinstance(told.get("claim"), dict) else None
    if not isinstance(target, float) or not 0.0 < target < 1.0:
        raise _refused(f"its target is {target!r}")
    return target


def _rounds(told: Mapping[str, Any]) -> set[Any]:
    candidates = told.get("candidates")
    return {c.get("round_number") for c in candidates if isinstance(c, dict)} if isinstance(candidates, list) else set()


def _refused(why: str) -> CertificateError:
    return CertificateError(f"The certificate is refused: {why}.")


def _claim(certificate: Certificate, proof: Proof) -> dict[str, Any]:
    return {
        "proven": certificate.proven,
        "confidence": 1.0 - ALPHA,
        "target": proof.target,
        "left": certificate.left,
        "round_number": certificate.round_number,
        "draws": certificate.draws,
        "errors_found": certificate.found,
        "audits": proof.audits,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "round_number": candidate.round_number,
        "seed": candidate.seed,
        "draws_before": candidate.draws_before,
        "sample_ids": candidate.sample_ids.tolist(),
        "predicted": candidate.predicted_N.tolist(),
        "bins": candidate.bin_N.tolist(),
        "weights": candidate.weight_B.tolist(),
        "known_ranks": candidate.known.rank_M.tolist(),
        "known_wrong": candidate.known.wrong_M.tolist(),
    }


def _labels(session: Session, project_id: int, through: int | None) -> list[list[int | None]]:
    """Event, sample and class index of all that stands and that somebody has looked at; None: a skip."""
    current = current_labels(session, project_id=project_id, through_event_id=through)
    return [[row.event_id, row.sample_id, row.class_index] for row in current if not row.unseen]


def _draws(proof: Proof) -> list[dict[str, Any]]:
    """The draws of the last candidate, in their order."""
    assert proof.evidence is not None
    candidate, count = proof.evidence.candidate, proof.evidence.draws
    return [
        {
            "sample_id": (sample_id := int(candidate.sample_ids[row])),
            "probability": chance,
            "label": proof.labels[sample_id],
            "wrong": candidate.is_wrong(row, proof.labels[sample_id]),
        }
        for row, chance in zip(candidate.order[:count].tolist(), candidate.chances[:count].tolist(), strict=True)
    ]


def _same(told: object, found: object) -> bool:
    """Equal, but for the last digits of numbers that another machine works out."""
    if isinstance(found, dict):
        return isinstance(told, dict) and told.keys() == found.keys() and all(_same(told[k], found[k]) for k in found)
    if isinstance(found, Sequence) and not isinstance(found, str):
        return isinstance(told, list) and len(told) == len(found) and all(map(_same, told, found))
    if isinstance(found, float):
        return isinstance(told, (int, float)) and abs(told - found) <= _EPSILON
    return type(told) is type(found) and told == found
