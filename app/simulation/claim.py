"""The moment at which a simulated run may say that its target is proven, and whether that was true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loops.certificate.auditor import Auditor, labels_of
from loops.certificate.candidate import Candidate
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

    def looks(self, answers: Answers) -> bool:
        """Whether the target is proven; notes the first time."""
        certificate = self.auditor.certificate(answers)
        if certificate is None or certificate.proven < self.auditor.target:
            return False
        self.claimed = {
            "labels": len(answers.labels) + len(answers.audit),
            "audits": len(answers.audit),
            "proven": certificate.proven,
            "true_accuracy": _accuracy(self.auditor.chain[-1], labels_of(answers), self.truth),
        }
        return True


def _accuracy(candidate: Candidate, labels: dict[int, int], truth: dict[int, int]) -> float:
    """The share of the candidate's answers that are right, of what nobody has labeled."""
    left = [(row, truth[i]) for i, row in candidate.row_of.items() if i not in labels]
    return 1.0 if not left else sum(not candidate.is_wrong(row, label) for row, label in left) / len(left)
