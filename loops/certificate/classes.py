"""The same claim for each class by itself: how much of its answers is right, and how much of the class is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loops.certificate.candidate import SKIPPED, Candidate
from loops.certificate.chain import Certificate, certificate_of, take_draws
from loops.certificate.evidence import FIRST, INVESTED, Evidence, Start

Light = Literal["proven", "likely", "unknown"]

FEWEST = 5  # draws, for an estimate to be called likely
HALF = Start(lambda errors_M: np.full_like(errors_M, 0.5), 0.5 * (1.0 - INVESTED))  # of what a claim alone begins with


@dataclass(frozen=True)
class ClassProof:
    """Of the samples left that are answered with one class; valid for this class by itself, not for all at once."""

    class_index: int
    left: int
    draws: int
    proven: float  # at least this share is right, 0..1
    estimate: float | None
    light: Light


def class_proofs(candidate: Candidate, labels: Mapping[int, int], target: float) -> list[ClassProof]:
    """One for each class that the candidate answers with; draws that fall on a class are draws of it alone."""
    return [_proof(candidate, labels, target, index) for index in np.unique(candidate.predicted_N).tolist()]


def _proof(candidate: Candidate, labels: Mapping[int, int], target: float, class_index: int) -> ClassProof:
    evidence = Evidence(candidate.restricted(candidate.predicted_N == class_index), FIRST, target)
    take_draws(evidence, labels)
    found = certificate_of(evidence, labels)
    light: Light = "unknown"
    if found.proven >= target:
        light = "proven"
    elif found.estimate is not None and found.draws >= FEWEST and found.estimate >= target:
        light = "likely"
    return ClassProof(class_index, found.left, found.draws, found.proven, found.estimate, light)


@dataclass(frozen=True)
class ClassRecall:
    """Of the samples left that are of one class; valid for this class by itself, not for all at once."""

    class_index: int
    proven: float  # at least this share of them is answered so, 0..1
    estimate: float | None


def class_recalls(candidate: Candidate, labels: Mapping[int, int], target: float) -> list[ClassRecall]:
    """One for each class that the candidate answers with or a label names.

    What is right of the answers with the class is bounded from below, what is missed among all other answers from
    above; each bound begins with half the wealth, so that both hold together as often as one claim alone does.
    """
    indices = {*candidate.predicted_N.tolist(), *(label for label in labels.values() if label != SKIPPED)}
    return [_recall(candidate, labels, target, index) for index in sorted(indices)]


def _recall(candidate: Candidate, labels: Mapping[int, int], target: float, class_index: int) -> ClassRecall:
    is_answer_N = candidate.predicted_N == class_index
    answered, others = candidate.restricted(is_answer_N), candidate.restricted(~is_answer_N)
    right = _bounded(answered, labels, target)
    rows = {sample_id: row for sample_id, row in others.row_of.items() if sample_id in labels}
    # An answer of another class is a miss only where the label is this one; a skip is none.
    missed_labels = {
        sample_id: class_index if labels[sample_id] == class_index else int(others.predicted_N[row])
        for sample_id, row in rows.items()
    }
    tolerated = (1.0 - target) * len(answered) / max(1, len(others))
    missed = _bounded(others, missed_labels, max(0.0, 1.0 - tolerated))
    sure, most = right.proven * right.left, (1.0 - missed.proven) * missed.left
    if right.estimate is None or missed.estimate is None:
        return ClassRecall(class_index, _share(sure, most) or 0.0, None)
    likely, rest = right.estimate * right.left, (1.0 - missed.estimate) * missed.left
    return ClassRecall(class_index, _share(sure, most) or 0.0, _share(likely, rest))


def _bounded(candidate: Candidate, labels: Mapping[int, int], target: float) -> Certificate:
    evidence = Evidence(candidate, HALF, target)
    take_draws(evidence, labels)
    return certificate_of(evidence, labels)


def _share(part: float, rest: float) -> float | None:
    return part / (part + rest) if part + rest > 0 else None
