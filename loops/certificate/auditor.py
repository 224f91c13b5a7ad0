"""What to audit next: whose answers are to be proven, and whether another ten labels serve learning or proving more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loops.certificate.candidate import SKIPPED, Candidate, Known, make_candidate
from loops.certificate.chain import TARGET, Certificate, certificate_of, follow, succeeded
from loops.certificate.evidence import FIRST, Evidence
from loops.oracle import Answers, PoolScores, RankedSample
from loops.seeding import seed_of

MOST_PUBLISHED = 300  # draws in one query
REMEMBERED = 40  # labels to train on; older ones speak of weaker predictors
Predict = Callable[[list[int]], NDArray[np.float32]]
LEAST_SHARE = 0.1  # of what is asked, once there is a candidate: what is believed of its errors must not grow old


@dataclass(frozen=True)
class AuditPlan:
    """The next draws, and the share of what people see that they should be."""

    draws: tuple[RankedSample, ...] = ()
    share: float = 0.0
    certificate: Certificate | None = None  # as it stands now


@dataclass
class Auditor:
    """Keeps the chain of candidates; asked once a round, when a new predictor has answered for the pool.

    A new predictor takes the place of the candidate when it can be proven with fewer further labels; what it decides by
    was seen before, so the certificate holds whatever is decided here. Proving begins when another round of learning
    would save fewer audit labels than it costs.

    Args:
        target: Share to be proven.
        seed: Of the project.
        query_size: Labels of a round.
        chain: Candidates so far.
        needed_before: Audit labels that the round before would have needed.
        asked: Of labels to train on, what the predictor that asked for them answered.
        on_candidate: Told of a new candidate before any of its draws is shown.
    """

    target: float = TARGET
    seed: int = 0
    query_size: int = 10
    chain: list[Candidate] = field(default_factory=list)
    needed_before: int | None = None
    asked: list[tuple[float, bool]] = field(default_factory=list)  # rank of the doubt, and whether the answer was wrong
    on_candidate: Callable[[Candidate], None] = lambda _candidate: None
    _last: Candidate | None = None  # of the round before, whether or not it is in the chain

    def plan(self, answers: Answers, pool_scores: PoolScores, predict: Predict) -> AuditPlan:
        """The draws of the next query; none while the target is out of reach.

        Args:
            answers: All labels.
            pool_scores: What the new predictor answers for what is left.
            predict: It answers for samples with older audit labels: sample ids -> `probs_M_C`.
        """
        labels = labels_of(answers)
        self._note_asked(answers.labels)
        evidence = follow(self.chain, labels, self.target) if self.chain else None
        known = self._known(answers.audit, pool_scores, predict)
        fresh = self._fresh(answers, pool_scores, known, evidence)
        self._last = fresh
        begun = Evidence(fresh, FIRST, self.target) if evidence is None else succeeded(evidence, fresh, labels)
        needed = certificate_of(begun, labels).needed
        kept = None if evidence is None else certificate_of(evidence, labels)
        before, self.needed_before = self.needed_before, needed
        if kept is not None and _fewer(kept.needed, needed):
            return self._draws(kept, labels, self._share(kept.needed, kept.needed))
        share = self._share(needed, before)
        if evidence is None and share <= LEAST_SHARE:
            return AuditPlan()
        if evidence is None or needed is not None:
            self.chain.append(fresh)
            self.on_candidate(fresh)
            return self._draws(certificate_of(begun, labels), labels, share)
        assert kept is not None
        return self._draws(kept, labels, LEAST_SHARE)

    def certificate(self, answers: Answers) -> Certificate | None:
        """What is proven with these labels; None before there is a candidate."""
        labels = labels_of(answers)
        return certificate_of(follow(self.chain, labels, self.target), labels) if self.chain else None

    def _fresh(self, answers: Answers, pool_scores: PoolScores, known: Known, evidence: Evidence | None) -> Candidate:
        left = np.concatenate([answers.pool, answers.audit_pool])
        of_left = np.isin(pool_scores.sample_ids, left)
        probs_N_C = pool_scores.probs_N_C[of_left]
        return make_candidate(
            pool_scores.sample_ids[of_left],
            probs_N_C.argmax(axis=1),
            1.0 - probs_N_C.max(axis=1),
            round_number=answers.round_number,
            seed=seed_of(self.seed, "audit draws", answers.round_number),
            target=self.target,
            known=known,
            draws_before=0 if evidence is None else evidence.draws,
        )

    def _share(self, needed: int | None, before: int | None) -> float:
        """Of the next labels; few while learning saves more audit labels than it costs."""
        if needed is None or (needed > self.query_size and (before is None or before - needed > self.query_size)):
            return LEAST_SHARE
        return needed / (needed + self.query_size)

    def _draws(self, certificate: Certificate, labels: Mapping[int, int], share: float) -> AuditPlan:
        return AuditPlan(next_draws(self.chain[-1], labels, MOST_PUBLISHED), max(share, LEAST_SHARE), certificate)


def next_draws(candidate: Candidate, labels: Mapping[int, int], count: int) -> tuple[RankedSample, ...]:
    """The next samples in the order of the draws that have no label, each with its chance given those before it."""
    ordered_N = candidate.order
    weight_N = candidate.weight_B[candidate.bin_N[ordered_N]]
    rest_N = weight_N[::-1].cumsum()[::-1]
    draws: list[RankedSample] = []
    for row, weight, rest in zip(ordered_N.tolist(), weight_N.tolist(), rest_N.tolist(), strict=True):
        sample_id = int(candidate.sample_ids[row])
        if sample_id not in labels:
            draws.append(RankedSample(sample_id, "audit", 0.0, weight / rest))
            if len(draws) == count:
                break
    return tuple(draws)


def labels_of(answers: Answers) -> dict[int, int]:
    """All that is decided: sample id -> class index, or `SKIPPED`."""
    return {**dict.fromkeys(answers.skipped.tolist(), SKIPPED), **answers.labels, **answers.audit}


def _fewer(kept: int | None, fresh: int | None) -> bool:
    return kept is not None and (fresh is None or kept <= fresh)
