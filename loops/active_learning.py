"""The heart: answer -> fit -> evaluate -> score the pool -> ask; again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pytorch_lightning.loops.loop import Loop

from loops.acquisition import catalog
from loops.acquisition.catalog import AcquisitionFunction
from loops.acquisition.ranking import ranking_of_round, second_looks, with_others_mixed_in
from loops.attached_rounds import AttachedRounds
from loops.certificate.auditor import Auditor, AuditPlan, plan_of_round, uniform_audits
from loops.checkpoint import SavedCheckpoint
from loops.errors import AttachError
from loops.evaluation.estimates import evaluate
from loops.lightning_private import WrappingLoop
from loops.oracle import (
    Answers,
    AskedBy,
    Dataset,
    Evaluation,
    Opened,
    Oracle,
    PoolScores,
    Query,
    RankedSample,
)
from loops.predictors.lightning import LightningPredictor
from loops.predictors.logits import LogitsOf
from loops.predictors.predictor import Predictor
from loops.progress import ResumableProgress
from loops.protocol import no_silent_end
from loops.settings import LoopSettings
from loops.several_processes import as_the_first_has_it
from loops.stopping import MeasuredRound, StoppingCriterion, name_if_met, reason_to_stop

_log = logging.getLogger(__name__)

S = TypeVar("S")
Asked = tuple[Answers | None, str | None, list[tuple[int, float]], list[MeasuredRound]]  # what a round came to


def _nothing_to_do(_round: int, _saved: SavedCheckpoint) -> None:
    """A lambda would keep Lightning from sending the loop to another process, with a sentence about pickles."""


class ActiveLearningLoop(WrappingLoop[None]):
    """answer -> fit -> evaluate -> score the pool -> ask; again.

        done     no finished round is waiting, or budget / target / pool is used up
        reset    first run: round 0. Restarted: after the last completed round
        advance  one round

    It never waits: when the query is asked and nobody has answered yet it is `done`, and is run again when somebody
    has. Its state is saved inside the model checkpoint of each round; `processed` is ahead of `completed` there,
    because the model was fitted and nothing was asked yet. A loop restarted from it does not fit that round again.

    Attached to a Trainer it wraps the Trainer's own fit loop, and asks for the data's samples:

        trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=20)
        trainer.fit(module, ActiveLearningDataModule(dataset, oracle=labels, test=held_out))
        trainer.fit_loop.curve  # [(labels, accuracy), ...]

    Its state is then in the Trainer's checkpoints, in the middle of a fit too: what was answered, in the order of the
    questions, the curve, the seed and who asks.

    Args:
        predictor: Fits, predicts and scores by sample id; attached, the Trainer's module.
        oracle: Answers queries; attached, the data's.
        settings: How to ask and when to stop; attached, they are made of the data and what follows.
        rounds_folder: Where each round's checkpoint goes, `NNNN/model.ckpt`; None saves none.
        on_checkpoint: Called after a round's checkpoint is on disk, before anything is asked.
        wrapping: The Trainer's fit loop, or a `KFoldLoop` that wraps it.
        rounds: Fits in all; 0: until the pool is used up. Nothing is asked after the last.
        reset_weights: Whether each round starts from the weights that the module had at first.
        logits: Where they are in what the module's `forward` returns; see `loops.predictors.logits.Logits`.
        mc_iterations: K, of the draws.
        auditor: Draws audit samples so that they prove something; None: they are drawn uniformly, from the reserve.
        stop: Asked before each question; see `loops.stopping`. When it is met, that round was the last.

    Raises:
        AttachError: If it is given neither a fit loop to wrap nor predictor, oracle and settings, or numbers too small.
    """

    place = 2

    def __init__(
        self,
        *,
        predictor: Predictor | None = None,
        oracle: Oracle | None = None,
        settings: LoopSettings | None = None,
        rounds_folder: Path | None = None,
        on_checkpoint: Callable[[int, SavedCheckpoint], None] = _nothing_to_do,
        wrapping: Loop[Any] | None = None,
        rounds: int = 0,
        reset_weights: bool = True,
        logits: LogitsOf = None,
        mc_iterations: int = 20,
        auditor: Auditor | None = None,
        stop: StoppingCriterion | None = None,
    ) -> None:
        super().__init__(wrapping)
        if rounds < 0 or mc_iterations < 2:
            raise AttachError(f"rounds is 0 or more and mc_iterations 2 or more, found {rounds} and {mc_iterations}")
        self.progress = ResumableProgress()
        self.answers: Answers | None = None
        self.stop_reason: str | None = None
        self.curve: list[tuple[int, float]] = []  # labels trained on, accuracy on the test set
        self.measured: list[MeasuredRound] = []  # one a round, for the stopping criterion
        self._auditor, self._stop = auditor, stop
        self._rounds_folder = rounds_folder
        self._on_checkpoint = on_checkpoint
        self._started_at = 0.0
        self._rounds, self._reset_weights = rounds, reset_weights
        self._logits, self._mc_iterations = logits, mc_iterations
        self._attached: AttachedRounds | None = None
        self._restored: dict[str, Any] = {}  # what a checkpoint knew
        self._oracle = oracle  # None: attached and not begun yet, or in a process that asks nobody
        if wrapping is None:
            if predictor is None or oracle is None or settings is None:
                raise AttachError("a loop needs wrapping=trainer.fit_loop, or predictor=, oracle= and settings=")
            self._predictor, self._settings = predictor, settings

    @property
    def done(self) -> bool:
        """No finished round is waiting, or there is a reason to stop."""
        return self.answers is None or self.stop_reason is not None

    def reset(self) -> None:
        """Looks what is waiting, and agrees with the oracle on the rounds that were asked before."""
        self.stop_reason = None
        if self.wrapped is not None:
            self._attach()
        self.answers = self._shared(lambda: self._answer_of_oracle(None))
        if self.answers is not None:
            self._agree_on_completed(self.answers.round_number)

    @no_silent_end
    def advance(self) -> None:
        """One round."""
        answers = self.answers
        assert answers is not None, "advance() is called only while not done"
        self.progress.increment_started()
        self.fit(answers)
        found = self._shared(lambda: self._ask_anew(answers))
        self.answers, self.stop_reason, self.curve, self.measured = found

    def _ask_anew(self, answers: Answers) -> Asked:
        evaluations = self.evaluate(answers)
        pool_scores = self.score_pool(answers)
        self.ask(answers, evaluations, pool_scores)
        return self.answers, self.stop_reason, self.curve, self.measured

    def fit(self, answers: Answers) -> None:
        """Fits the predictor on all labels, unless this round's fit was restored from its checkpoint."""
        if self.progress.is_fitted:  # its model came with the checkpoint
            return
        folder = self._round_folder(answers.round_number)
        if self._can_answer(answers):
            if not answers.labels:  # what is known without labels is known of the pool
                self._predictor.review(answers.labels, pool=answers.pool, begins=True)
            self._predictor.fit(answers.labels, round_number=answers.round_number, checkpoint_dir=folder)
        self.progress.increment_processed()
        if self._can_answer(answers) and folder is not None:
            saved = self._predictor.save(folder / "model.ckpt", self.state_dict())
            self._on_checkpoint(answers.round_number, saved)
        self._fit_seconds = time.perf_counter() - self._started_at

    def evaluate(self, answers: Answers) -> tuple[Evaluation, ...]:
        """Measures accuracy on the test set and on the audit labels, neither of which is trained on."""
        if not self._can_answer(answers):
            return ()
        chain = [] if self._auditor is None else self._auditor.chain
        known: dict[Dataset, Mapping[int, int]] = {"test": answers.test, "audit": uniform_audits(answers.audit, chain)}
        evaluations = tuple(
            evaluate(dataset, self._predictor.predict(list(labels)), list(labels.values()), list(labels))
            for dataset, labels in known.items()
            if labels
        )
        earlier = self.measured[: answers.round_number]
        if len(earlier) == answers.round_number:  # of a run that had ended, this round is measured already
            del self.curve[sum(one.accuracy is not None for one in earlier) :]
        self.curve += [(len(answers.labels), e.accuracy) for e in evaluations if e.dataset == "test"]
        return evaluations

    def score_pool(self, answers: Answers) -> PoolScores | None:
        """Scores every sample that may be asked about; None before there is a model or when none is left."""
        rechecks = [ranked.sample_id for ranked in second_looks(answers, self._settings.ranking_size)]
        sample_ids = [*answers.pool.tolist(), *answers.audit_pool.tolist(), *rechecks]
        if not self._can_answer(answers) or not sample_ids:
            return None
        self._predictor.review(answers.labels, pool=np.array(sample_ids, np.int64), begins=False)
        return self._predictor.score(sample_ids, round_number=answers.round_number)

    def ask(self, answers: Answers, evaluations: tuple[Evaluation, ...], pool_scores: PoolScores | None) -> None:
        """Publishes the ranking, and takes the answers if somebody already has them."""
        settings = self._settings
        plan = plan_of_round(self._auditor, answers, pool_scores, self._predictor)
        del self.measured[answers.round_number :]  # of a run that was killed before it asked
        self.measured.append(MeasuredRound.of(answers, evaluations, pool_scores))
        criterion = name_if_met(self._stop, self.measured)
        self.stop_reason = self._reason_to_stop(answers, evaluations, plan, criterion)
        query = Query(
            round_number=answers.round_number,
            ranking=self._ranking(answers, pool_scores, plan),
            acquisition=self._acquisition.name if pool_scores is not None else f"cold_start_{settings.cold_start}",
            labels=len(answers.labels),
            asked_by=self._asked_by(answers),
            pool_scores=pool_scores,
            evaluations=evaluations,
            fit_seconds=self._fit_seconds,
            score_seconds=time.perf_counter() - self._started_at - self._fit_seconds,
            criterion=criterion,
            last=self.stop_reason is not None,
            certificate=plan.certificate,
            audits_needed=plan.needed,
        )
        self.answers = self._answer_of_oracle(query)

    def _ranking(self, answers: Answers, pool_scores: PoolScores | None, plan: AuditPlan) -> tuple[RankedSample, ...]:
        """What the acquisition function asks about, with audit samples mixed in."""
        ranking = ranking_of_round(answers, pool_scores, self._settings, self._predictor)
        audit_share = plan.share if plan.draws else self._settings.audit_share
        return with_others_mixed_in(ranking, answers, audit_share, self._settings.seed, plan.draws)

    def _reason_to_stop(
        self, answers: Answers, evaluations: tuple[Evaluation, ...], plan: AuditPlan, criterion: str
    ) -> str | None:
        settings = self._settings
        return reason_to_stop(
            labeling_budget=settings.labeling_budget,
            target_accuracy=settings.target_accuracy,
            labels=len(answers.labels) + len(answers.audit),
            lowest_accuracy=min((evaluation.low for evaluation in evaluations), default=0.0),
            left=len(answers.pool) + len(answers.audit_pool),
            rounds_left=settings.rounds - answers.round_number if settings.rounds else None,
            proven=0.0 if plan.certificate is None else plan.certificate.proven,
            criterion=criterion,
        )

    def _can_answer(self, answers: Answers) -> bool:
        """Whether there is a model: something was learned, or is known without labels."""
        return answers.can_be_learned or self._predictor.answers_without_labels

    def _asked_by(self, answers: Answers) -> AskedBy | None:
        """Who asks; nobody before there is a model."""
        if not self._can_answer(answers):
            return None
        return AskedBy(self._predictor.describe().name, f"round {answers.round_number}", len(answers.labels))

    @property
    def _acquisition(self) -> AcquisitionFunction:
        return catalog.find(self._settings.acquisition)

    def _answer_of_oracle(self, query: Query | None) -> Answers | None:
        assert self._oracle is not None, "of several processes only the first one asks"
        return self._oracle.answer(query)

    def run(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Runs until it is done; an oracle that holds something open is closed then, or when something broke it off."""
        try:
            return super().run(*args, **kwargs)
        finally:
            if isinstance(self._oracle, Opened):
                self._oracle.close()

    def _shared(self, find: Callable[[], S]) -> S:
        """Of several processes the first one finds it: scores of another may differ, and would ask for others."""
        return find() if self.wrapped is None else as_the_first_has_it(self.trainer, find)

    def on_advance_start(self) -> None:
        """Counts the round as ready and starts its clock."""
        self.progress.increment_ready()
        self._started_at = time.perf_counter()
        self._fit_seconds = 0.0

    def on_advance_end(self) -> None:
        """Counts the round as completed: its query was asked."""
        self.progress.increment_completed()

    def on_save_checkpoint(self) -> dict[str, Any]:
        """The seed goes with the progress: a round is a function of both and of the labels."""
        if self.wrapped is not None and self._attached is None:
            return {}  # not begun yet
        state: dict[str, Any] = {"seed": self._settings.seed, "curve": list(self.curve)}
        state["measured"] = [asdict(one) for one in self.measured]
        return state if self._attached is None else state | self._attached.state_dict()

    def on_load_checkpoint(self, state_dict: dict[str, Any]) -> None:
        """Takes over what the interrupted run knew; the settings of now count, and it is said where they differ."""
        self._restored = state_dict
        self.curve = [(labels, accuracy) for labels, accuracy in state_dict.get("curve", [])]
        self.measured = [MeasuredRound(**one) for one in state_dict.get("measured", [])]
        seed = state_dict.get("seed")
        if self.wrapped is None and seed not in (None, self._settings.seed):
            _log.warning("the checkpoint was drawn from seed %d; the settings say %d", seed, self._settings.seed)

    def _attach(self) -> None:
        """Takes predictor, oracle and settings from the Trainer's module and data; restarted: as they were."""
        restored = self._restored if self.restarting else {}
        if not restored:
            self.progress.reset()
            self.curve, self.measured = [], []
        self._attached = attached = AttachedRounds(
            self,
            restored,
            rounds=self._rounds,
            reset_weights=self._reset_weights,
            logits=self._logits,
            mc_iterations=self._mc_iterations,
        )
        self._settings, self._predictor, self._oracle = attached.settings, attached.predictor, attached.oracle
        attached.open_oracle()

    def _agree_on_completed(self, rounds: int) -> None:
        """The oracle knows which rounds were asked; attached, the fit of a checkpoint goes on in the wrapped loop."""
        if self.restarting and isinstance(self._predictor, LightningPredictor):
            self._predictor.interrupted = self.progress.is_interrupted and self.progress.current.completed == rounds
        self.progress.agree_on_completed(rounds, keeps_fit=self.wrapped is None)

    def _round_folder(self, round_number: int) -> Path | None:
        if self._rounds_folder is None:
            return None
        folder = self._rounds_folder / f"{round_number:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
