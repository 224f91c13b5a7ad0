"""The moment at which a simulated run may say that its target is proven, and whether that was true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from loops.certificate.auditor import Auditor, labels_of
from loops.certificate.candidate import Candidate
from loops.certificate.chain import certificate_of, follow, take_draws
from loops.certificate.evidence import Evidence
from loops.oracle import Answers


@dataclass
class ClaimWatch:
    """Looks after every audit label, which costs nothing in validity.

    Args:
        auditor: Whose candidates they are.
        truth: Sample id -> class index, of the whole pool; it only judges what was claimed.
    """

    auditor: Auditor
    truth: dict[int, int]
    claimed: dict[str, Any] | None = None
    _evidence: Evidence | None = field(default=None)

    def looks(self, answers: Answers) -> bool:
        """Whether the target is proven; notes the first time."""
        labels = labels_of(answers)
        evidence = self._current(labels)
        if evidence is None:
            return False
        take_draws(evidence, labels)
        certificate = certificate_of(evidence, labels)
        if certificate.proven < self.auditor.target:
            return False
        self.claimed = {
            "labels": len(answers.labels) + len(answers.audit),
            "audits": len(answers.audit),
            "proven": certificate.proven,
            "true_accuracy": _accuracy(evidence.candidate, labels, self.truth),
        }
        return True

    def _current(self, labels: dict[int, int]) -> Evidence | None:
        chain = self.auditor.chain
        if chain and (self._evidence is None or self._evidence.candidate is not chain[-1]):
            self._evidence = follow(chain, labels, self.auditor.target)
        return self._evidence


def _accuracy(candidate: Candidate, labels: dict[int, int], truth: dict[int, int]) -> float:
    """Of the candidate's answers for what nobody has labeled."""
    left = [(row, truth[i]) for i, row in candidate.row_of.items() if i not in labels]
    return 1.0 if not left else sum(not candidate.is_wrong(row, label) for row, label in left) / len(left)
