"""All candidates of a project, one after the other, and what their audit samples prove of the latest one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from loops.certificate.candidate import Candidate, changed_answers, known_errors, left_of
from loops.certificate.evidence import ALPHA, FIRST, INVESTED, Evidence, Floats, Start, target_errors

TARGET = 0.95  # share that is to be proven where nobody said otherwise


@dataclass(frozen=True)
class Certificate:
    """What is proven, and what it would take to prove more."""

    proven: float  # at least this share, 0..1, of what is left is answered rightly
    estimate: float | None  # of the same share; None before the first draw
    left: int  # samples that nobody has labeled or skipped
    draws: int  # of the latest candidate
    found: int  # errors among them
    needed: int | None  # further draws for the target, as far as can be foreseen; 0: proven; None: out of reach
    target: float
    round_number: int  # of the predictor whose answers these are

    @property
    def confidence(self) -> float:
        """How sure the claim is."""
        return 1.0 - ALPHA


def follow(chain: Sequence[Candidate], labels: Mapping[int, int], target: float) -> Evidence:
    """The evidence about the last of the candidates.

    Args:
        chain: In the order in which they were made; at least one.
        labels: Sample id -> class index, `SKIPPED` for a skip: what stands now.
        target: Share to be proven.
    """
    evidence = Evidence(chain[0], FIRST, target)
    for place, candidate in enumerate(chain):
        if place:
            evidence = succeeded(evidence, candidate, labels)
        last = place == len(chain) - 1
        take_draws(evidence, labels, None if last else chain[place + 1].draws_before)
    return evidence


def take_draws(evidence: Evidence, labels: Mapping[int, int], most: int | None = None) -> None:
    """Takes draws in their order, up to the first that has no label: a later one tells nothing before it does."""
    candidate = evidence.candidate
    rows = candidate.order[evidence.draws : most].tolist()
    for row in rows:
        label = labels.get(int(candidate.sample_ids[row]))
        if label is None:
            return
        evidence.draw(row, wrong=candidate.is_wrong(row, label))


@dataclass
class Follower:
    """Follows a growing chain and growing labels; begins anew only where a label that it has seen was changed."""

    target: float
    _evidence: Evidence | None = None
    _seen: dict[int, int] = field(default_factory=dict)
    _length: int = 0

    def evidence(self, chain: Sequence[Candidate], labels: Mapping[int, int]) -> Evidence | None:
        """About the last of the candidates; None where there is none."""
        if not chain:
            return None
        is_same = self._length == len(chain) and all(labels.get(i) == label for i, label in self._seen.items())
        if self._evidence is None or not is_same or self._evidence.candidate is not chain[-1]:
            self._evidence, self._length = follow(chain, labels, self.target), len(chain)
        take_draws(self._evidence, labels)
        self._seen = dict(labels)
        return self._evidence

    def begin(self, evidence: Evidence, length: int, labels: Mapping[int, int]) -> None:
        """A candidate was added, and this is its evidence."""
        self._evidence, self._length, self._seen = evidence, length, dict(labels)


def succeeded(before: Evidence, candidate: Candidate, labels: Mapping[int, int]) -> Evidence:
    """The evidence about a candidate that takes the place of another, before its first draw."""
    shift = moved(before.candidate, candidate, labels)
    evidence = Evidence(candidate, carried(before, shift), before.target)
    evidence.refuted = min(evidence.refuted, max(1, before.refuted + shift))
    return evidence


def carried(before: Evidence, shift: int) -> Start:
    """What a candidate begins with: the wealth that the one before had, moved by all that may have become wrong."""

    def wealth(errors_M: Floats) -> Floats:
        return before.wealth(errors_M - shift)

    return Start(wealth, before.start.cash * (1.0 - INVESTED))


def moved(old: Candidate, new: Candidate, labels: Mapping[int, int]) -> int:
    """By how much the new one may have more errors than the old one had: `D - found`."""
    gone = {sample_id: label for sample_id, label in labels.items() if sample_id not in new.row_of}
    return changed_answers(old, new) - known_errors(old, gone)


def certificate_of(evidence: Evidence, labels: Mapping[int, int], target: float | None = None) -> Certificate:
    """What is claimed now of the samples that are left, and how far a target is; by default the evidence's own."""
    candidate = evidence.candidate
    goal = evidence.target if target is None else target
    left, found = left_of(candidate, labels), known_errors(candidate, labels)
    estimate = evidence.estimate()
    return Certificate(
        proven=_share_right(evidence.refuted - 1 - found, left),
        estimate=None if estimate is None else _share_right(estimate - found, left),
        left=left,
        draws=evidence.draws,
        found=evidence.found,
        needed=evidence.needed(target_errors(goal, left, found)) if left else 0,
        target=goal,
        round_number=candidate.round_number,
    )


def _share_right(errors: float, left: int) -> float:
    return 1.0 if left == 0 else float(np.clip(1.0 - errors / left, 0.0, 1.0))
