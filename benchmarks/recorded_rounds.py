"""Recordings of active learning: what the predictor of each round answered about all that was left of the pool.

A certificate is judged by a thousand replays of one recording, each with audit samples of its own: no audit label is
trained on, so the predictors of a run are the same whatever is audited.

    python benchmarks/recorded_rounds.py --out FOLDER --shared FOLDER_OF_DATA [--only digits mnist]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.simulation.config import SimulationConfig

HERE = Path(__file__).parent
DIGITS = HERE.parent / "sample_data" / "digits"


@dataclass(frozen=True)
class RecordedRound:
    """One predictor and its answers for the N samples that nobody had labeled."""

    labels: int  # trained on
    sample_ids_N: NDArray[np.int64]
    predicted_N: NDArray[np.int64]
    doubt_N: NDArray[np.float32]  # 1 - the probability of the predicted class


@dataclass(frozen=True)
class Recording:
    """A run: the truth of the pool, and every round that had a predictor."""

    truth_P: NDArray[np.int64]  # class index by sample id, -1: not in the pool
    rounds: tuple[RecordedRound, ...]


def recording_options(shared: Path) -> dict[str, dict[str, Any]]:
    """By data set: what `labelloop simulate` is told."""
    tables, text = shared / "tables", shared / "text"
    return {
        "digits": {"labels": DIGITS / "labels.csv", "test": DIGITS / "test.csv", "images": DIGITS, "budget": 300},
        "mnist": {"npz": shared / "mnist.npz", "pool": 5000, "test_size": 500, "budget": 400},
        "flowers": {"labels": shared / "flowers" / "pool.csv", "test": shared / "flowers" / "test.csv", "budget": 300},
        "trec": {"labels": text / "trec-pool.csv", "test": text / "trec-test.csv", "budget": 400},
        "adult": {"labels": tables / "adult-pool.csv", "test": tables / "adult-test.csv", "budget": 300},
        "mammography": {
            "labels": tables / "mammography-pool.csv", "test": tables / "mammography-test.csv", "budget": 300,
        },
    }  # fmt: skip


def record(options: dict[str, Any], out: Path, seed: int) -> None:
    """Runs a simulation and writes what its predictors answered, round by round."""
    from app.simulation.data import load_data
    from app.simulation.study import simulate_once

    config = SimulationConfig(
        out=out.parent / f"{out.stem}-run", query_size=20, seed=seed, mc_iterations=10, acquisition="margin", **options
    )
    kept: dict[str, NDArray[Any]] = {}

    def keep(query: Any, _noted: Any) -> None:
        scores = query.pool_scores
        if scores is not None:
            key = f"{query.labels:06d}"
            kept[f"ids_{key}"] = scores.sample_ids.astype(np.int32)
            kept[f"predicted_{key}"] = scores.probs_N_C.argmax(axis=1).astype(np.int16)
            kept[f"doubt_{key}"] = (1.0 - scores.probs_N_C.max(axis=1)).astype(np.float32)

    pool = load_data(config).pool
    truth_P = np.full(max(pool) + 1, -1, np.int16)
    truth_P[list(pool)] = list(pool.values())
    simulate_once(config, keep)
    np.savez_compressed(out, truth=truth_P, **kept)


def read_recording(path: Path) -> Recording:
    """Reads what `record` wrote."""
    with np.load(path) as stored:
        keys = sorted(name.removeprefix("ids_") for name in stored.files if name.startswith("ids_"))
        rounds = tuple(
            RecordedRound(
                int(key),
                stored[f"ids_{key}"].astype(np.int64),
                stored[f"predicted_{key}"].astype(np.int64),
                stored[f"doubt_{key}"],
            )
            for key in keys
        )
        return Recording(stored["truth"].astype(np.int64), rounds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Records what is not recorded yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shared", type=Path, required=True, help="folder with mnist.npz, flowers, tables and text")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    for name, options in recording_options(given.shared).items():
        for seed in range(given.seeds):
            path = given.out / f"{name}-{seed}.npz"
            if (not given.only or name in given.only) and not path.exists():
                record(options, path, seed)


if __name__ == "__main__":
    main()
