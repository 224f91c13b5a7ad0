"""What the rounds of an attached loop work with: settings and oracle of the data, the Trainer's module as predictor."""

from __future__ import annotations

import logging
from typing import Any

from loops.acquisition import catalog
from loops.attachment import Attachment, data_of
from loops.data import ActiveLearningDataModule
from loops.lightning_private import WrappingLoop
from loops.oracle import Opened, Oracle, Remembering
from loops.predictors.logits import LogitsOf
from loops.settings import LoopSettings

_log = logging.getLogger(__name__)


class AttachedRounds:
    """Made when an active-learning loop begins to run under a Trainer; restarted: as it was.

    Args:
        loop: In `trainer.fit_loop`.
        restored: The state of an interrupted run, of which `state_dict` gave a part; empty: it begins.
        rounds: Fits in all; 0: no limit.
        reset_weights: Whether each fit starts from the weights of the beginning.
        logits: See `loops.predictors.logits.Logits`.
        mc_iterations: K.

    Raises:
        AttachError: If the Trainer, its data or the acquisition function cannot be used so.
    """

    def __init__(
        self,
        loop: WrappingLoop[None],
        restored: dict[str, Any],
        *,
        rounds: int,
        reset_weights: bool,
        logits: LogitsOf,
        mc_iterations: int,
    ) -> None:
        data = data_of(loop.trainer)
        seed = _settled_seed(data, restored)
        self._restored = restored
        self.settings = LoopSettings(
            data.acquisition, data.query_size, cold_start=data.cold_start, seed=seed, rounds=rounds
        )
        self._attachment = Attachment(
            loop,
            seed=seed,
            logits=logits,
            mc_iterations=mc_iterations,
            reset_weights=reset_weights,
            state=restored.get("attachment"),
        )
        self.predictor = self._attachment.predictor(catalog.find(self.settings.acquisition))
        # Of several processes the first one asks, and writes the checkpoint.
        self.oracle: Oracle | None = data.oracle(self.predictor.num_classes) if loop.trainer.is_global_zero else None

    def open_oracle(self) -> None:
        """Gives the oracle its state back, and tells it who asks."""
        if isinstance(self.oracle, Remembering) and self._restored:
            self.oracle.load_state_dict(self._restored["oracle"])
        if isinstance(self.oracle, Opened):
            self.oracle.open(self.predictor)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: where each fit starts from, who asks, and what the oracle remembers."""
        return {
            "attachment": self._attachment.state_dict(),
            "asked_by": self.predictor.describe().name,
            "oracle": self.oracle.state_dict() if isinstance(self.oracle, Remembering) else {},
        }


def _settled_seed(data: ActiveLearningDataModule, restored: dict[str, Any]) -> int:
    """The checkpoint's seed, which the data then has too: the rounds so far were drawn from it."""
    seed: int = restored.get("seed", data.seed)
    if seed != data.seed:
        _log.warning("the checkpoint was drawn from seed %d and goes on with it; the data says %d", seed, data.seed)
        data.seed = seed
    return seed
