"""How sure the default is of its answers for the rest of the pool, and how often they are right.

    python benchmarks/bench_calibration.py --data FOLDER --sets trec wheat --seeds 2
    python benchmarks/bench_calibration.py --quick

`labelloop simulate` labels a pool as it is, once with the answers as sharp as held-out labels allow and once with the
members' mean as it is. After each round all samples that nobody has labeled are looked at. Means over the seeds, in
percent: mean probability of the class answered / share right / expected calibration error (ten bins) / share of the
rest that is answered with 60 % and more, which Grid takes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from contextlib import redirect_stderr
from pathlib import Path
from unittest import mock

import numpy as np
from any_data_peers import Floats
from any_data_sets import all_names, drawn
from threadpoolctl import threadpool_limits

from app.simulation.config import SimulationConfig
from app.simulation.data import load_data
from app.simulation.run import MeasuredRound
from app.simulation.study import prepared, simulate
from loops.oracle import Query

AT = (10, 20, 30, 50, 100)
GRID = 0.6
BINS = 10


def main() -> None:
    """Two rows per set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(), help="as for bench_any_data.py")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="the sample digits, one seed, 20 labels")
    options = parser.parse_args()
    names = ["digits"] if options.quick else options.sets or all_names(options.data)
    at = AT[:2] if options.quick else AT
    print("| set | answers | " + " | ".join(map(str, at)) + " |\n" + "|---" * (len(at) + 2) + "|")
    for name in names:
        for sharpened in (False, True):
            found: dict[int, list[Floats]] = defaultdict(list)
            for seed in range(1 if options.quick else options.seeds):
                for labels, figures in measured(options.data, name, seed, at[-1], sharpened=sharpened).items():
                    found[labels].append(figures)
            cells = [" / ".join(f"{100 * x:.0f}" for x in np.mean(found[k], axis=0)) if k in found else "" for k in at]
            print(
                f"| {name} | {'calibrated' if sharpened else 'as they are'} | " + " | ".join(cells) + " |", flush=True
            )


def measured(data: Path, name: str, seed: int, budget: int, *, sharpened: bool) -> dict[int, Floats]:
    """Labels -> figures of one run."""
    found: dict[int, Floats] = {}
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1), Path(os.devnull).open("w") as nowhere:
        folder = Path(place)
        pool, test = drawn(data, name, seed, folder)
        config = SimulationConfig(labels=pool, test=test, out=folder / "out", budget=budget, seed=seed)
        with redirect_stderr(nowhere):
            samples = load_data(config)

            def noted(query: Query, round_: MeasuredRound | None) -> None:
                if round_ is not None and round_.labels in AT and query.pool_scores is not None:
                    ids, probs_N_C = query.pool_scores.sample_ids.tolist(), query.pool_scores.probs_N_C
                    found[round_.labels] = figures(probs_N_C, np.array([samples.pool[i] for i in ids]))

            with prepared(config, samples, folder / "stores") as simulation:
                if sharpened:
                    simulate(config, simulation, noted)
                else:
                    with mock.patch("loops.predictors.champion.sharpness_of", return_value=1.0):
                        simulate(config, simulation, noted)
    return found


def figures(probs_N_C: Floats, truth_N: np.ndarray) -> Floats:
    """Mean sureness, share right, expected calibration error, share for Grid."""
    sure_N, right_N = probs_N_C.max(axis=1), probs_N_C.argmax(axis=1) == truth_N
    bins_N = np.clip((sure_N * BINS).astype(int), 0, BINS - 1)
    off = sum(abs(float((sure_N - right_N)[bins_N == k].sum())) for k in range(BINS)) / len(truth_N)
    return np.array([sure_N.mean(), right_N.mean(), off, (sure_N >= GRID).mean()])


if __name__ == "__main__":
    main()
