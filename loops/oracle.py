"""The border between the loop and whoever answers: queries go out, answers come back.

An oracle has one method. `KnownLabels` answers at once from labels it was given (benchmarks, simulation); the one over
the database publishes the query for people and answers when their labeling round is finished.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from loops.class_indices import class_indices
from loops.errors import AttachError, NotEnoughSamplesError

if TYPE_CHECKING:
    from loops.certificate.chain import Certificate

Purpose = Literal["train", "audit", "recheck"]
Dataset = Literal["test", "audit"]


@dataclass(frozen=True)
class Answers:
    """All that is known when a labeling round is finished, by sample id.

    A snapshot: it does not change while the round that it starts is running, however much is labeled meanwhile.
    """

    round_number: int  # the round that these answers start
    labels: Mapping[int, int]  # sample id -> class index, to train on
    pool: NDArray[np.int64]  # `[N]` samples that may still be asked about and trained on, ascending
    audit_pool: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # `[M]`, in drawing order
    audit: Mapping[int, int] = field(default_factory=dict)  # labeled, drawn with known chances, never trained on
    skipped: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # nobody could or would say
    test: Mapping[int, int] = field(default_factory=dict)
    unseen: frozenset[int] = frozenset()  # of `labels`: given to the rest of a group, that nobody has looked at
    suspects: Mapping[int, float] = field(default_factory=dict)  # labeled, likely wrong: sample id -> suspicion 0..1

    @property
    def can_be_learned(self) -> bool:
        """Whether there is something to tell apart: with labels of a single class the cold start goes on."""
        return len(set(self.labels.values())) > 1


@dataclass(frozen=True)
class PoolScores:
    """What MC dropout said of every sample of the pool. N samples, C classes, K MC iterations."""

    sample_ids: NDArray[np.int64]  # `[N]`
    scores: dict[str, NDArray[np.float32]]  # name -> scores_N; entropies in nats; higher is asked first
    probs_N_C: NDArray[np.float32]  # the answer: the mean over the MC iterations, or what is known better of it
    draws_N_C_K: NDArray[np.float16] | None = None  # None where the pool is too large to keep them
    of_answer: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)  # scores of the draws around the answer

    @property
    def shown(self) -> dict[str, NDArray[np.float32]]:
        """The scores as people see them beside answer and draws, which they must not contradict: name -> scores_N."""
        return {**self.scores, **self.of_answer}


@dataclass(frozen=True)
class MeasuredAnswers:
    """What was answered for each sample that an accuracy was measured on."""

    sample_ids: NDArray[np.int64]  # `[N]`
    labels_N: NDArray[np.int64]  # class index, as it was labeled then
    predicted_N: NDArray[np.int64]  # class index
    confidence_N: NDArray[np.float32]  # probability of the predicted class


@dataclass(frozen=True)
class Evaluation:
    """Accuracy with its 95 % Wilson interval, and the confusion matrix it came from."""

    dataset: Dataset
    accuracy: float
    low: float
    high: float
    n: int
    confusion_C_C: NDArray[np.int64]  # true class x predicted class
    answers: MeasuredAnswers | None = None  # None where samples have no ids


@dataclass(frozen=True)
class RankedSample:
    """One sample of a query, in the order in which it is asked."""

    sample_id: int
    purpose: Purpose
    score: float
    acquisition_probability: float  # of being drawn next, given what was drawn before; 1: nothing else could have come


@dataclass(frozen=True)
class AskedBy:
    """Who asks: a predictor, its version, and the labels it had seen."""

    predictor: str  # its name
    version: str  # the round whose fit it is
    labels: int


@dataclass(frozen=True)
class Query:
    """What one round publishes: a ranked list longer than the round, and how the round went."""

    round_number: int
    ranking: tuple[RankedSample, ...]
    acquisition: str
    labels: int = 0  # how many were trained on
    pool_scores: PoolScores | None = None  # None in round 0, which has no model
    evaluations: tuple[Evaluation, ...] = ()
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    asked_by: AskedBy | None = None  # None: by no predictor
    certificate: Certificate | None = None  # what is proven; None: nothing
    audits_needed: int | None = None  # labels for a proof of this round's predictor; None: out of reach
    criterion: str = ""  # the stopping criterion that is met, by its name
    last: bool = False  # nothing is asked after it: budget, target or pool is used up

    def evaluation(self, dataset: Dataset) -> Evaluation | None:
        """Returns the evaluation on that data set, if there was one."""
        return next((e for e in self.evaluations if e.dataset == dataset), None)


class Oracle(Protocol):
    """Somebody who knows labels: people, or a table."""

    def answer(self, query: Query | None) -> Answers | None:
        """Asks `query` if it is new, and answers when its labeling round is finished.

        Asking the same round's query again changes nothing, so a killed trainer may repeat itself.

        Args:
            query: What to ask; None asks nothing and only looks whether answers are waiting.

        Returns:
            The answers that start the next round (or the one that was interrupted); None while people are labeling.
        """
        ...


@runtime_checkable
class Remembering(Protocol):
    """An oracle whose answers are part of a loop's checkpoint."""

    def state_dict(self) -> dict[str, Any]:
        """Plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over, or compares with, what a checkpoint knows."""
        ...


@runtime_checkable
class Opened(Protocol):
    """An oracle that holds something open while a loop runs."""

    def open(self, predictor: Any) -> None:  # noqa: ANN401 - a Predictor, whose module would load torch for the screens
        """Before the first question; who asks is told."""
        ...

    def close(self) -> None:
        """When the loop has ended, however it did."""
        ...


class AskedLabels:
    """An oracle of a script: a function is asked for the labels of samples, and what it said is kept.

    What was answered, in the order of the questions, is its state: a restored one does not ask again.

    Args:
        ask: From a list of ids to as many class indices; None skips a sample, which is not asked about again.
        sample_ids: `[N]`, the pool.
        query_size: How many samples of each ranking are asked about.
        test: Sample id -> class index of the test set.
        num_classes: C; None: not known.
    """

    def __init__(
        self,
        ask: Callable[[list[int]], Sequence[int | None]],
        sample_ids: NDArray[np.int64],
        *,
        query_size: int,
        test: Mapping[int, int],
        num_classes: int | None = None,
    ) -> None:
        self.answered: dict[int, int | None] = {}
        self._rounds = 0  # that were answered
        self._ask, self._sample_ids, self._query_size, self._test = ask, sample_ids, query_size, test
        self._num_classes = num_classes

    def answer(self, query: Query | None) -> Answers | None:
        """Asks for the labels of the first `query_size` samples of the ranking; see `Oracle`.

        Raises:
            AttachError: If it says something else than class indices.
            NotEnoughSamplesError: If it does not say as many labels as it was asked for.
        """
        if query is not None and query.last:
            return None
        if query is not None and query.round_number == self._rounds:
            ids = [ranked.sample_id for ranked in query.ranking[: self._query_size]]
            labels = class_indices(self._ask(ids), self._num_classes)
            if len(labels) != len(ids):
                raise NotEnoughSamplesError(wanted=len(ids), found=len(labels))
            self.answered.update(zip(ids, labels, strict=True))
            self._rounds += 1
        left = self._sample_ids[~np.isin(self._sample_ids, list(self.answered))]
        labels_given = {i: label for i, label in self.answered.items() if label is not None}
        return Answers(self._rounds, labels_given, left, test=self._test)

    def state_dict(self) -> dict[str, Any]:
        """What was answered; plain values."""
        return {"rounds": self._rounds, "answered": list(self.answered.items())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over what was answered before.

        Raises:
            AttachError: If it was answered of samples that are not in this pool.
        """
        others = set(dict(state["answered"])).difference(self._sample_ids.tolist())
        if others:
            raise AttachError(
                f"the checkpoint is of another dataset: it knows sample {min(others)}, here are {len(self._sample_ids)}"
            )
        self._rounds, self.answered = state["rounds"], dict(state["answered"])


ReRank = Callable[[Answers, Sequence[RankedSample]], Sequence[RankedSample]]


class KnownLabels:
    """An oracle that knows every label and answers at once: for benchmarks, simulation and tests.

    Args:
        labels: Sample id -> class index, of the whole pool.
        query_size: How many samples of each ranking are answered.
        test: Sample id -> class index of the test set; the loop evaluates on it, never more.
        audit_reserve: Ids among `labels`, in drawing order, that measure and are never trained on. Those that come on
            the way to `query_size` answers are answered too.
        on_query: Told of each new query, before it is answered.
        re_rank: What happens between rounds: after each label to train on it is given all that is known, and what is
            left of the ranking, and gives what is asked instead. As it stands by default.
        is_enough: Asked after each audit label; when it says so, nothing more is answered and no round follows.

    Raises:
        NotEnoughSamplesError: If the pool is empty.
    """

    def __init__(
        self,
        labels: Mapping[int, int],
        *,
        query_size: int,
        test: Mapping[int, int] | None = None,
        audit_reserve: Sequence[int] = (),
        on_query: Callable[[Query], None] = lambda _query: None,
        re_rank: ReRank = lambda _answers, waiting: waiting,
        is_enough: Callable[[Answers], bool] = lambda _answers: False,
    ) -> None:
        if not labels:
            raise NotEnoughSamplesError(wanted=1, found=0)
        self.queries: list[Query] = []
        self.asked: list[RankedSample] = []  # and answered, in that order
        self._labels = dict(labels)
        self._query_size = query_size
        self._test = dict(test or {})
        self.audit_reserve = tuple(audit_reserve)
        self._on_query = on_query
        self._re_rank = re_rank
        self._is_enough = is_enough
        self._answered: dict[int, int] = {}
        self._audited: set[int] = set()  # of them

    def answer(self, query: Query | None) -> Answers | None:
        """Answers the first `query_size` samples of the ranking; see `Oracle`. None when it is enough."""
        if query is not None and query.round_number == len(self.queries):
            self.queries.append(query)
            self._on_query(query)
            if self._answer(query.ranking):
                return None
        return self.known()

    def known(self) -> Answers:
        """What was answered so far."""
        left = self._labels.keys() - self._answered.keys()
        return Answers(
            round_number=len(self.queries),
            labels={i: label for i, label in self._answered.items() if i not in self._audited},
            pool=np.array(sorted(left.difference(self.audit_reserve)), dtype=np.int64),
            audit_pool=np.array([i for i in self.audit_reserve if i in left], dtype=np.int64),
            audit={i: label for i, label in self._answered.items() if i in self._audited},
            test=self._test,
        )

    def _answer(self, ranking: Sequence[RankedSample]) -> bool:
        """Whether it was enough."""
        missing, waiting = self._query_size, deque(ranking)
        while missing and waiting:
            ranked = waiting.popleft()
            self._answered[ranked.sample_id] = self._labels[ranked.sample_id]
            self.asked.append(ranked)
            if ranked.purpose != "audit":
                missing -= 1
                waiting = deque(self._re_rank(self.known(), waiting)) if missing else waiting
                continue
            self._audited.add(ranked.sample_id)
            if self._is_enough(self.known()):
                return True
        return False
