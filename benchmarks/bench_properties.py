"""What must hold of any scoring of a pool: ours over 10,000 random cases, lightning-flash and BaaL over fewer.

    OMP_NUM_THREADS=1 python benchmarks/bench_properties.py
    OMP_NUM_THREADS=1 python benchmarks/bench_properties.py --quick

A case is a pool with ids in no order, a network, K, a batch size, a query size and a function, drawn from a seed. The
properties are in `properties.py`; hypothesis draws cases of them in the test suite.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")

import properties  # noqa: E402 - BaaL and Flash warn of themselves on import


def main() -> None:
    """Prints how often each property does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cases", type=int, help="of ours; default 10,000, with --quick 600")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cases = options.cases or (600 if options.quick else 10_000)
    print(f"load {os.getloadavg()[0]:.1f}")
    report("labelloop", properties.LabelLoop(), cases)
    report("baal 1.9.2", properties.BaaL(), min(cases, 600))
    report("lightning-flash 0.8.2", properties.LightningFlash(), min(cases, 600))


def report(name: str, subject: properties.Subject, cases: int) -> None:
    """Each property in turn, case by case."""
    started = time.process_time()
    violations = dict.fromkeys(properties.PROPERTIES, 0)
    for seed in range(cases):
        which = list(properties.PROPERTIES)[seed % len(properties.PROPERTIES)]
        violations[which] += not properties.PROPERTIES[which](subject, random_case(seed))
    seconds = time.process_time() - started
    each = -(-cases // len(violations))
    print(f"{name}: {sum(violations.values())} violations in {cases:,} cases, {seconds:.0f} CPU-s")
    for which, count in violations.items():
        print(f"    {which}: {count} of about {each:,}")


def random_case(seed: int) -> properties.Case:
    """Everything from the seed."""
    generator = np.random.default_rng(seed)
    samples = int(generator.integers(3, 30))
    return properties.Case(
        seed=seed,
        samples=samples,
        features=int(generator.integers(2, 20)),
        classes=int(generator.integers(2, 6)),
        draws=int(generator.integers(5, 30)),
        batch=int(generator.integers(2, samples + 1)),
        query=int(generator.integers(1, samples)),
        function=str(generator.choice(properties.FUNCTIONS)),
    )


if __name__ == "__main__":
    main()
