"""What to audit next: whose answers are to be proven, and whether another ten labels serve learning or proving more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from loops.certificate.candidate import SKIPPED, Candidate, Known, PoolAnswers, make_candidate, ranks_among
from loops.certificate.chain import TARGET, Certificate, Follower, certificate_of, succeeded
from loops.certificate.evidence import FIRST, Evidence
from loops.oracle import Answers, PoolScores, RankedSample
from loops.seeding import seed_of

if TYPE_CHECKING:
    from loops.predictors.predictor import Predictor

MOST_PUBLISHED = 300  # draws in one query
WORTH_A_CHANGE = 0.7  # of the draws that the candidate still needs; a change leaves most of its evidence behind
REMEMBERED = 40  # labels to train on; older ones speak of weaker predictors
Answer = Callable[[list[int]], PoolAnswers]
LEAST_SHARE = 0.1  # of what is asked, once there is a candidate: what is believed of its errors must not grow old
MOST_SHARE = 0.75  # a proof takes a third more labels than with all of them, and learning never stands still


@dataclass(frozen=True)
class AuditPlan:
    """The next draws, and the share of what people see that they should be."""

    draws: tuple[RankedSample, ...] = ()
    share: float = 0.0
    certificate: Certificate | None = None  # as it stands now
    needed: int | None = None  # audit labels that the new predictor would need, whether or not it is the candidate


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
        last: What the predictor of the round before answered for the pool.
        on_candidate: Told of a new candidate before any of its draws is shown.
    """

    target: float = TARGET
    seed: int = 0
    query_size: int = 10
    chain: list[Candidate] = field(default_factory=list)
    needed_before: int | None = None
    asked: list[tuple[float, bool]] = field(default_factory=list)  # rank of the doubt, and whether the answer was wrong
    on_candidate: Callable[[Candidate], None] = lambda _candidate: None
    last: PoolAnswers | None = None  # of the round before

    def __post_init__(self) -> None:
        """Nothing was followed yet."""
        self._follower = Follower(self.target)

    def plan(self, answers: Answers, answered: PoolAnswers, answer: Answer) -> AuditPlan:
        """The draws of the next query; none while the target is out of reach.

        Args:
            answers: All labels.
            answered: What the new predictor answers for what is left.
            answer: What it answers for samples with older audit labels, of which it is given the ids.
        """
        labels = labels_of(answers)
        self.chain = [candidate for candidate in self.chain if candidate.round_number < answers.round_number]
        self._note_asked({i: label for i, label in answers.labels.items() if i not in answers.unseen})
        evidence = self._follower.evidence(self.chain, labels)
        fresh = make_candidate(
            answered,
            round_number=answers.round_number,
            seed=seed_of(self.seed, "audit draws", answers.round_number),
            target=self.target,
            known=self._known(answers.audit, answered, answer),
            draws_before=0 if evidence is None else evidence.draws,
        )
        self.last = answered
        begun = Evidence(fresh, FIRST, self.target) if evidence is None else succeeded(evidence, fresh, labels)
        needed, before = certificate_of(begun, labels).needed, self.needed_before
        self.needed_before = needed
        kept = None if evidence is None else certificate_of(evidence, labels)
        is_stuck = evidence is not None and _next_is_unseen(evidence, answers.unseen)
        if kept is not None and not is_stuck and (needed is None or _fewer(kept.needed, needed)):
            return self._draws(kept, labels, self._share(kept.needed, kept.needed), answers.unseen)
        share = self._share(needed, before)
        if kept is None and share <= LEAST_SHARE:
            return AuditPlan(needed=needed)
        self.chain.append(fresh)
        self._follower.begin(begun, len(self.chain), labels)
        self.on_candidate(fresh)
        return self._draws(certificate_of(begun, labels), labels, share, answers.unseen)

    def certificate(self, answers: Answers) -> Certificate | None:
        """What is proven with these labels; None before there is a candidate."""
        labels = labels_of(answers)
        evidence = self._follower.evidence(self.chain, labels)
        return None if evidence is None else certificate_of(evidence, labels)

    def _note_asked(self, labels: Mapping[int, int]) -> None:
        if self.last is None:
            return
        rows = np.flatnonzero(np.isin(self.last.sample_ids, list(labels)))
        given_M = np.array([labels[i] for i in self.last.sample_ids[rows].tolist()], np.int64)
        ranks = ranks_among(self.last.doubt_N[rows], self.last.doubt_N)
        self.asked += zip(ranks.tolist(), (self.last.predicted_N[rows] != given_M).tolist(), strict=True)
        self.asked = self.asked[-REMEMBERED:]

    def _known(self, audit: Mapping[int, int], answered: PoolAnswers, answer: Answer) -> Known:
        """The new predictor's answers for old audit samples, and what was answered before for those asked lately."""
        rank_M, wrong_M = np.array([rank for rank, _ in self.asked]), np.array([w for _, w in self.asked], np.bool_)
        if not audit:
            return Known(rank_M, wrong_M)
        old = answer(list(audit))
        wrong = old.predicted_N != np.array([audit[i] for i in old.sample_ids.tolist()], np.int64)
        ranks = ranks_among(old.doubt_N, answered.doubt_N)
        return Known(np.concatenate([rank_M, ranks]), np.concatenate([wrong_M, wrong]))

    def _share(self, needed: int | None, before: int | None) -> float:
        """Of the next labels; few while learning saves more audit labels than it costs."""
        if needed is None or (needed > self.query_size and (before is None or before - needed > self.query_size)):
            return LEAST_SHARE
        return min(MOST_SHARE, needed / (needed + self.query_size))

    def _draws(
        self, certificate: Certificate, labels: Mapping[int, int], share: float, unseen: Collection[int]
    ) -> AuditPlan:
        draws = next_draws(self.chain[-1], labels, MOST_PUBLISHED)
        draws = tuple(takewhile(lambda sample: sample.sample_id not in unseen, draws))
        return AuditPlan(draws, max(share, LEAST_SHARE), certificate, self.needed_before)


def next_draws(candidate: Candidate, labels: Mapping[int, int], count: int) -> tuple[RankedSample, ...]:
    """The next samples in the order of the draws that have no label, each with its chance given those before it."""
    draws: list[RankedSample] = []
    for row, chance in zip(candidate.order, candidate.chances, strict=True):
        sample_id = int(candidate.sample_ids[row])
        if sample_id not in labels:
            draws.append(RankedSample(sample_id, "audit", 0.0, float(chance)))
            if len(draws) == count:
                break
    return tuple(draws)


def uniform_audits(audit: Mapping[int, int], chain: Sequence[Candidate]) -> dict[int, int]:
    """The audit labels that were drawn uniformly: those from before the first candidate."""
    drawn = chain[0].row_of if chain else {}
    return {sample_id: label for sample_id, label in audit.items() if sample_id not in drawn}


def audit_weights(audit: Mapping[int, int], chain: Sequence[Candidate]) -> dict[int, float]:
    """How much each audit label counts where all together stand for the pool: the inverse of its chance, by draw.

    Those drawn uniformly count 1 each. Those drawn for a candidate count 1 in the mean: all of them together as much as
    so many uniform ones.
    """
    weights = dict.fromkeys(uniform_audits(audit, chain), 1.0)
    for place, candidate in enumerate(chain):
        later = chain[place + 1].row_of if place + 1 < len(chain) else {}
        drawn = [sample_id for sample_id in audit if sample_id in candidate.row_of and sample_id not in later]
        inverse_n = 1.0 / candidate.weight_B[candidate.bin_N[[candidate.row_of[sample_id] for sample_id in drawn]]]
        if drawn:
            weights |= dict(zip(drawn, (inverse_n / inverse_n.mean()).tolist(), strict=True))
    return weights


def labels_of(answers: Answers) -> dict[int, int]:
    """What people have decided, sample id -> class index, or `SKIPPED`; what nobody has looked at proves nothing."""
    seen = {sample_id: label for sample_id, label in answers.labels.items() if sample_id not in answers.unseen}
    return {**dict.fromkeys(answers.skipped.tolist(), SKIPPED), **seen, **answers.audit}


def _next_is_unseen(evidence: Evidence, unseen: Collection[int]) -> bool:
    """Whether the next draw was labeled with a group: nobody will be asked about it, so the draws go no further."""
    candidate = evidence.candidate
    next_rows = candidate.order[evidence.draws : evidence.draws + 1]
    return any(sample_id in unseen for sample_id in candidate.sample_ids[next_rows].tolist())


def _fewer(kept: int | None, fresh: int | None) -> bool:
    return kept is not None and (fresh is None or WORTH_A_CHANGE * kept <= fresh)


def plan_of_round(
    auditor: Auditor | None, answers: Answers, pool_scores: PoolScores | None, predictor: Predictor
) -> AuditPlan:
    """The auditor's plan, from what a predictor said of the pool; an empty one where either is missing."""
    if auditor is None or pool_scores is None:
        return AuditPlan()
    of_left = np.isin(pool_scores.sample_ids, np.concatenate([answers.pool, answers.audit_pool]))
    return auditor.plan(
        answers,
        PoolAnswers.of(pool_scores.sample_ids[of_left], pool_scores.probs_N_C[of_left]),
        lambda ids: PoolAnswers.of(np.array(ids, np.int64), predictor.predict(ids)),
    )
