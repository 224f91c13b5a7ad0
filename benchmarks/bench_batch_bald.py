"""BatchBALD: processor time, peak memory and joint information of batches of 10 and 100 of 60,000 samples.

    OMP_NUM_THREADS=1 python benchmarks/bench_batch_bald.py            minutes, most of them the peers'
    OMP_NUM_THREADS=1 python benchmarks/bench_batch_bald.py --quick    a minute

Ten classes, K = 100 draws of a linear head under dropout over synthetic features, at three sharpnesses: of a model that
knows little, some and much. Each measurement runs in a process of its own. Joint information is computed afterwards for
every peer's choice alike, from 100,000 outcomes drawn anew; it is at most ln K. Beyond that a batch is chosen in parts,
and the information of the whole batch is at its cap whoever chose it.

Peers: batchbald_redux 2.0.5 (10,000 samples of the joint entropy) and BaaL 1.9.2's BatchBALD (its default of 500
draws), at the N that they can hold.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch

CLASSES, DRAWS, FEATURES = 10, 100, 32
SHARPNESS = {"knows little": 0.5, "knows some": 2.0, "knows much": 5.0}


def main() -> None:
    """Prints one line per peer, N, batch and sharpness."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--one", nargs=4, metavar=("PEER", "N", "BATCH", "SHARPNESS"), help="used by itself")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.one:
        peer, n, batch, sharpness = options.one
        print(json.dumps(measure(peer, int(n), int(batch), float(sharpness))))
        return
    print(f"K = {DRAWS}, ln K = {math.log(DRAWS):.3f} nats; load {os.getloadavg()[0]:.1f}")
    small = 60 if options.quick else 1_000
    levels = dict(list(SHARPNESS.items())[1:2]) if options.quick else SHARPNESS
    for level, sharpness in levels.items():
        print(f"the model {level}:")
        found = {peer: run(peer, small, 10, sharpness) for peer in ("labelloop", "redux", "baal")}
        share = found["labelloop"]["information"] / found["redux"]["information"]
        print(f"    joint information of LabelLoop's ten over redux's at N = {small}: {share:.2%}")
        for n, batch in ((60_000, 10), (60_000, 100)):
            run("labelloop", n, batch, sharpness)
    print(f"load {os.getloadavg()[0]:.1f}")


def run(peer: str, n: int, batch: int, sharpness: float) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", peer, str(n), str(batch), str(sharpness)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"  {peer:>9} N {n:>6} batch {batch:>3}: {found['seconds']:>7.2f} CPU-s, {found['megabytes']:>6.0f} MB, "
        f"information {found['information']:.3f} nats {found['more']}",
        flush=True,
    )
    return found


def measure(peer: str, n: int, batch: int, sharpness: float) -> dict[str, float | str]:
    """Processor time and peak memory of one choice. The draws themselves count as memory, their making not as time."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    choose = {"labelloop": labelloop, "redux": redux, "baal": baal}[peer]
    probs_N_C_K = draws(n, sharpness)
    choose(probs_N_C_K[:64], 2)  # imports and first calls
    started = time.process_time()
    positions, more = choose(probs_N_C_K, batch)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "megabytes": (peak - before) / 1024,
        "information": information(probs_N_C_K[list(positions)]),
        "more": more,
    }


def draws(n: int, sharpness: float) -> torch.Tensor:
    """`[N, C, K]`: answers of one linear head under K masks, made tile by tile."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(CLASSES, FEATURES, generator=generator) * sharpness / math.sqrt(FEATURES)
    masks = 2.0 * (torch.rand(DRAWS, FEATURES, generator=generator) >= 0.5)
    masked = (weights[:, None] * masks).flatten(0, 1)
    probs = torch.empty(n, CLASSES, DRAWS)
    for tile in probs.split(2_000):
        features = torch.randn(len(tile), FEATURES, generator=generator)
        tile.copy_(torch.softmax((features @ masked.T).reshape(len(tile), CLASSES, DRAWS), 1))
    return probs


def labelloop(probs_N_C_K: torch.Tensor, batch: int) -> tuple[Sequence[int], str]:
    """Ours."""
    from loops.acquisition.batch_bald import batch_bald

    chosen = batch_bald(probs_N_C_K, batch)
    of_all = len(probs_N_C_K) * batch
    parts = f", ln K reached after {chosen.parts[0]}" if chosen.parts else ""
    return chosen.positions, f"({chosen.evaluations:,} of {of_all:,} evaluations{parts})"


def redux(probs_N_C_K: torch.Tensor, batch: int) -> tuple[Sequence[int], str]:
    """The reference implementation of the paper's first author."""
    import peers

    peers.add_peers()
    from batchbald_redux.batchbald import get_batchbald_batch

    log_probs_N_K_C = probs_N_C_K.double().clamp_min(1e-30).log().permute(0, 2, 1).contiguous()
    return get_batchbald_batch(log_probs_N_K_C, batch, 10_000, dtype=torch.double).indices, ""


def baal(probs_N_C_K: torch.Tensor, batch: int) -> tuple[Sequence[int], str]:
    """BaaL's, whose ranking begins with what it chose."""
    from baal.active.heuristics import BatchBALD

    np.random.seed(0)  # noqa: NPY002 - what BaaL draws from
    torch.manual_seed(0)
    ranked = BatchBALD(num_samples=batch)(probs_N_C_K.double().numpy())
    return np.asarray(ranked)[:batch].tolist(), ""


def information(probs_n_C_K: torch.Tensor, outcomes: int = 100_000) -> float:
    """`I(y_1, ..., y_n; k)` from outcomes drawn under each draw in turn."""
    generator = torch.Generator().manual_seed(1)
    draw_M = torch.arange(outcomes) % DRAWS
    log_likelihood_M_K = torch.zeros(outcomes, DRAWS)
    for probs_C_K in probs_n_C_K.clamp_min(1e-30):
        label_M = torch.multinomial(probs_C_K.T, outcomes // DRAWS, replacement=True, generator=generator).T.flatten()
        log_likelihood_M_K += probs_C_K.log()[label_M]
    own_M = log_likelihood_M_K.gather(1, draw_M[:, None]).squeeze(1).double()
    return float((own_M - torch.logsumexp(log_likelihood_M_K, 1).double() + math.log(DRAWS)).mean())


if __name__ == "__main__":
    main()
