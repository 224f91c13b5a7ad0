"""What one simulated run is told; light on purpose, so that the command line can refuse before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import SettingsError, UsageError
from app.kinds.kind import KINDS
from app.project.settings import (
    MOST_MC_ITERATIONS,
    MOST_SEED,
    check_acquisition,
    check_choice,
    check_predictor,
    check_range,
)
from loops.acquisition import catalog

MOST_CERTIFIED = 0.999  # nothing short of labeling everything proves more


@dataclass(frozen=True, kw_only=True)
class SimulationConfig:
    """One simulated run: the data with all its labels, and the choices a person would make in a project.

    The data is either ``npz``, or ``labels`` and ``test``.

    Raises:
        UsageError: When the data is given twice or not at all.
        SettingsError: When a file is not there, or a value cannot be used.
    """

    out: Path  # folder for what it writes
    images: Path | None = None  # folder the paths of `labels` and `test` are relative to; None: each one's own folder
    labels: Path | None = None  # the pool with the oracle's answers, as `app.formats.sources` takes it
    test: Path | None = None  # the test set, likewise
    kind: str = ""  # of the samples; empty: told by what is there
    text_column: str = ""  # of `labels` and `test`; empty: text
    label_column: str = ""  # likewise; empty: label
    npz: Path | None = None  # x_train, y_train, x_test, y_test; uint8 [N,H,W] or [N,H,W,3]
    pool: int | None = None  # samples of x_train that make the pool; None: all
    test_size: int | None = None  # samples of x_test; None: all
    predictor: str = "auto"
    acquisition: str = catalog.DEFAULT
    query_size: int = 10  # labels per round
    budget: int = 200  # labels in all
    seed: int = 0
    mc_iterations: int = 20  # MC-dropout draws per sample
    cold_start: str = "diverse"
    audit: float = 0.0  # share 0..0.5 of what is asked that is drawn uniformly, never trained on, and counted
    certify: float = 0.0  # share 0..1 of the rest that is to be proven right; it ends the run; 0: none

    def __post_init__(self) -> None:
        """Refuse before anything slow is loaded."""
        self._check_data()
        check_predictor("--predictor", self.predictor)
        check_acquisition("--acquisition", self.acquisition)
        check_choice("--cold-start", self.cold_start, tuple(catalog.COLD_STARTS))
        check_range("--query-size", self.query_size, 1, 100_000)
        check_range("--budget", self.budget, 1, 1_000_000_000)
        check_range("--mc-iterations", self.mc_iterations, 2, MOST_MC_ITERATIONS)
        check_range("--seed", self.seed, 0, MOST_SEED)
        check_range("--audit", self.audit, 0.0, 0.5)
        check_range("--certify", self.certify, 0.0, MOST_CERTIFIED)
        if self.out.exists() and not self.out.is_dir():
            raise SettingsError(f"--out {self.out} is a file; give a folder.")

    def _check_data(self) -> None:
        if self.npz is not None:
            self._check_npz(self.npz)
            return
        given = {"--labels": self.labels, "--test": self.test}
        missing = [option for option, path in given.items() if path is None]
        if missing:
            raise UsageError(f"{' and '.join(missing)} missing; give --labels and --test, or --npz.")
        if self.pool is not None or self.test_size is not None:
            raise UsageError("--pool and --test-size go with --npz only; shorten the CSV files instead.")
        _check_there("--images", self.images, what="folder")
        _check_there("--labels", self.labels)
        _check_there("--test", self.test)
        if self.kind:
            check_choice("--kind", self.kind, KINDS)

    def _check_npz(self, npz: Path) -> None:
        if (self.images, self.labels, self.test) != (None, None, None):
            raise UsageError("Give either --npz, or --labels and --test, not both.")
        _check_there("--npz", npz, what="file")
        check_range("--pool", 1 if self.pool is None else self.pool, 1, 1_000_000_000)
        check_range("--test-size", 1 if self.test_size is None else self.test_size, 1, 1_000_000_000)


def _check_there(option: str, path: Path | None, *, what: str = "file or folder") -> None:
    is_there = {"file": Path.is_file, "folder": Path.is_dir, "file or folder": Path.exists}[what]
    if path is not None and not is_there(path):
        raise SettingsError(f"{option}: there is no {what} {path}.")


@dataclass(frozen=True)
class StudyConfig:
    """Several runs on the same data: every acquisition function with every seed.

    Raises:
        UsageError: When an acquisition function is named twice, or there is nothing to run.
    """

    base: SimulationConfig  # data and settings; its acquisition function is not used, its seed is the first one
    acquisitions: tuple[str, ...]
    seeds: int = 1
    processes: int | None = None  # at a time; None: one per processor core

    def __post_init__(self) -> None:
        """Refuse before anything slow is loaded."""
        if not self.acquisitions or len(set(self.acquisitions)) < len(self.acquisitions):
            raise UsageError("Name each --acquisition once.")
        check_range("--seeds", self.seeds, 1, 10_000)
        check_range("--processes", 1 if self.processes is None else self.processes, 1, 1024)
        check_range("--seed plus --seeds", self.base.seed + self.seeds - 1, 0, MOST_SEED)

    def runs(self) -> list[SimulationConfig]:
        """One for each acquisition function and seed, seed by seed, each with a folder of its own."""
        return [
            replace(self.base, acquisition=name, seed=seed, out=self.base.out / f"{name.replace(':', '-')}-seed-{seed}")
            for seed in range(self.base.seed, self.base.seed + self.seeds)
            for name in self.acquisitions
        ]
