"""The same claim for each class by itself: of what is answered so, how much is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loops.certificate.candidate import Candidate
from loops.certificate.chain import certificate_of, take_draws
from loops.certificate.evidence import FIRST, Evidence

Light = Literal["proven", "likely", "unknown"]

FEWEST = 5  # draws, for an estimate to be called likely


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
