"""Lightning's progress counters, read by a loop that was interrupted."""

from __future__ import annotations

from pytorch_lightning.trainer.progress import ProcessedTracker, Progress


class ResumableProgress(Progress):
    """Counts the rounds, or folds, of a loop; in a checkpoint it looks as `Progress` does.

    A round is started, processed when its model is fitted, and completed when its query was asked.
    """

    total: ProcessedTracker
    current: ProcessedTracker

    @property
    def is_interrupted(self) -> bool:
        """Whether a round was started and not completed."""
        return self.current.started > self.current.completed

    @property
    def is_fitted(self) -> bool:
        """Whether the model of the round that is not completed yet is there already."""
        return self.current.processed > self.current.completed

    def agree_on_completed(self, completed: int, *, keeps_fit: bool) -> None:
        """Takes over how many rounds were completed, from somebody who knows better.

        Args:
            completed: A kill between asking and counting leaves these counters one behind it.
            keeps_fit: Whether a round that was fitted and is not completed counts as fitted.
        """
        for tracker in (self.total, self.current):
            is_fitted = tracker.processed > completed and keeps_fit
            tracker.completed = completed
            tracker.reset_on_restart()
            tracker.processed += is_fitted
