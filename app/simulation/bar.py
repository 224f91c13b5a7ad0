"""How far a study is: a bar where a person watches, a line per finished run elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

WIDTH = 30  # characters


@dataclass
class Bar:
    """Counts runs, and within a run the labels of its budget."""

    runs: int
    finished: int
    budget: int
    labels: dict[str, int] = field(default_factory=dict)  # of the runs that are under way
    preparing: dict[str, int] = field(default_factory=dict)  # percent, of what the runs share
    started_at: float = field(default_factory=time.monotonic)
    finished_before: int = field(init=False)

    def __post_init__(self) -> None:
        """What was finished before took no time."""
        self.finished_before = self.finished
        if self.finished:
            sys.stderr.write(f"{self.finished} of {self.runs} runs were finished before\n")

    def prepared(self, what: str, percent: int) -> None:
        """Notes how much is there of what runs share, the graphs of a seed; in percent."""
        self.preparing[what] = percent

    def begin_runs(self) -> None:
        """Starts the clock: all that runs share is there."""
        self.preparing.clear()
        self.started_at = time.monotonic()

    def progress(self, run: str, labels: int) -> None:
        """Notes how many labels a run has."""
        self.labels[run] = labels

    def finished_run(self, run: str, *, failed: bool) -> None:
        """Counts a run as ended."""
        self.labels.pop(run, None)
        self.finished += not failed
        if not sys.stderr.isatty():
            sys.stderr.write(f"{run} {'failed' if failed else 'is finished'} ({self.finished} of {self.runs})\n")

    @property
    def share(self) -> float:
        """The share that is done of all labels of all runs, 0..1."""
        under_way = sum(min(1.0, labels / self.budget) for labels in self.labels.values())
        return min(1.0, (self.finished + under_way) / self.runs)

    def text(self, seconds: float) -> str:
        """The bar after some seconds."""
        if self.preparing:
            parts = ", ".join(f"{what} {percent} %" for what, percent in sorted(self.preparing.items()))
            return f"learning features from the pool: {parts}"
        filled = round(WIDTH * self.share)
        done_now = self.share - self.finished_before / self.runs
        left = f", about {seconds * (1 - self.share) / done_now / 60:.0f} min left" if done_now > 0.02 else ""
        return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {self.finished} of {self.runs} runs, {self.share:.0%}{left}"

    def show(self) -> None:
        """Draws it over the last one."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{self.text(time.monotonic() - self.started_at)}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leaves the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\n")
