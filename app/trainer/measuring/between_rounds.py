"""What the trainer does while people label: cross-validate the labels there are, and measure what they saved."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from app.trainer.measuring.cross_validation import cross_validate, due_round
from app.trainer.measuring.shadow import measure_shadows
from app.trainer.measuring.simplest import measure_simplest
from app.trainer.measuring.stability import measure_stability
from app.trainer.triggers import work_is_waiting
from app.trainer.workbench import Workbench
from loops.errors import TrainingInterruptedError
from storage.trainer import record_error

ROUND_LOOK_S = 0.5  # between two looks for a finished round

logger = logging.getLogger(__name__)


@dataclass
class BetweenRounds:
    """Work that nobody waits for: it gives way to a round at the next batch, and its failure stops no round.

    Args:
        bench: The project as it is now.
    """

    bench: Workbench
    given_up: set[str] = field(default_factory=set)  # steps that failed, until the next round
    measured: set[str] = field(default_factory=set)  # steps that are done for this round
    round_looked_at: float = 0.0

    def work(self) -> None:
        """What is due of the measurements."""
        self._try("measuring stability", lambda: measure_stability(self.bench))
        self._try("cross-validating", self._cross_validate)
        self._try("measuring", lambda: self._once("labels saved", measure_shadows))
        self._try("comparing", lambda: self._once("simplest", measure_simplest))

    def _cross_validate(self) -> None:
        round_info = due_round(self.bench)
        if round_info is not None:
            cross_validate(self.bench, round_info, self._tick)

    def _once(self, name: str, measure: Callable[[Workbench, Callable[[], None]], None]) -> None:
        if name not in self.measured:
            measure(self.bench, self._tick)
            self.measured.add(name)

    def _tick(self) -> None:
        """Between two batches of a fit: a finished round goes first."""
        self.bench.heartbeat.check(0, 0)
        if time.monotonic() - self.round_looked_at >= ROUND_LOOK_S:
            self.round_looked_at = time.monotonic()
            self._give_way()

    def _give_way(self) -> None:
        bench = self.bench
        if work_is_waiting(bench.database, bench.project_id, bench.project.settings(), after_failure=False):
            raise TrainingInterruptedError(steps=0, wanted=0)

    def _try(self, step: str, work: Callable[[], object]) -> None:
        if step in self.given_up:
            return
        try:
            work()
        except TrainingInterruptedError:
            logger.info("%s gives way", step)
        except Exception as error:  # the border: recorded, shown, and not tried again before the next round
            logger.exception("%s failed", step)
            self.given_up.add(step)
            self._record(step, error)

    def _record(self, step: str, error: Exception) -> None:
        with self.bench.database.write() as session:
            record_error(
                session,
                project_id=self.bench.project_id,
                round_number=None,
                step=step,
                message=str(error) or type(error).__name__,
                traceback=traceback.format_exc(),
            )
