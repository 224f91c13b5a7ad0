"""What the loops themselves cost, beside the training and scoring that they run.

    OMP_NUM_THREADS=1 python benchmarks/bench_loops_overhead.py

First: rounds of the ActiveLearningLoop on the sample digits, with checkpoints; its time outside the predictor's `fit`,
`predict` and `score`. Then the same calls are made directly, on a predictor of their own; on a busy machine that
difference of two long times says little, the first figure much. Last: the loops of the instant head beside the same
optimizer steps written out.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_instant_head import CLASSES, clusters
from bench_instant_ranking import QUERY_SIZE, Digits, load
from lightning_fabric import Fabric
from torch import nn

from loops.active_learning import ActiveLearningLoop
from loops.embeddings.images import candidates
from loops.fit import FitLoop, TrainingEpochLoop
from loops.oracle import KnownLabels
from loops.predictors.instant_head import ITERATIONS, MAX_STEPS, negative_log_posterior
from loops.predictors.layers import feature_head
from loops.predictors.network import Network
from loops.predictors.network_spec import choose_network
from loops.settings import LoopSettings

Call = Callable[[Network], Any]


class TimedLearner(Network):
    """Notes how long each verb took, and the call, so that it can be repeated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seconds = 0.0
        self.calls: list[Call] = []

    def fit(self, labels: Any, *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        """Fits, timed."""
        labels = dict(labels)
        self._time(
            lambda predictor: Network.fit(
                predictor,
                labels,
                round_number=round_number,
                checkpoint_dir=checkpoint_dir if predictor is self else None,
            )
        )

    def predict(self, sample_ids: Any) -> Any:
        """Predicts, timed."""
        return self._time(lambda predictor: Network.predict(predictor, sample_ids))

    def score(self, sample_ids: Any, *, round_number: int) -> Any:
        """Scores, timed."""
        return self._time(lambda predictor: Network.score(predictor, sample_ids, round_number=round_number))

    def _time(self, call: Call) -> Any:
        self.calls.append(call)
        started = time.perf_counter()
        result = call(self)
        self.seconds += time.perf_counter() - started
        return result


def main() -> None:
    """Prints all three comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="with a model, per repetition")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--instant-repetitions", type=int, default=25)
    options = parser.parse_args()
    torch.set_num_threads(1)  # as a trainer on two cores; two wait for one another when the cores are busy
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        digits = load(Path(folder))
        pairs = [active_learning(digits, options.rounds, seed) for seed in range(options.repetitions)]
    verbs, beyond, direct = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"ActiveLearningLoop, per round: {verbs:.0f} ms in the predictor, {beyond:.1f} ms beyond ({beyond / verbs:.1%})"
    )
    print(f"  worst {max(pair[1] for pair in pairs):.1f} ms; the same calls made directly: {direct:.0f} ms")
    for labels in (100, 300):
        looped, plain = instant(labels, options.instant_repetitions)
        report(f"instant head, refit on {labels} labels", looped, plain)
    looped, plain = small_steps(options.instant_repetitions)
    report("200 Adam steps of a small layer", looped, plain)
    print(f"load {os.getloadavg()[0]:.1f}")


def report(what: str, looped: list[float], plain: list[float]) -> None:
    """Medians, and the median of the paired differences."""
    beyond = statistics.median(a - b for a, b in zip(looped, plain, strict=True))
    base = statistics.median(plain)
    share = beyond / base
    print(f"{what}: {statistics.median(looped):.1f} ms, plain {base:.1f} ms, beyond {beyond:+.1f} ms ({share:+.1%})")


def active_learning(digits: Digits, rounds: int, seed: int) -> tuple[float, float, float]:
    """Times some rounds of the loop, then its calls alone.

    Returns:
        ms per round in the predictor's verbs, beyond them, and of the same verbs called directly.
    """
    spec = choose_network("cnn", candidates([(8, 8)]))
    settings = {"num_classes": CLASSES, "seed": seed, "accelerator": "cpu"}
    predictor = TimedLearner(spec, digits.store, **settings)
    oracle = KnownLabels(
        {int(i): digits.classes[int(i)] for i in digits.pool},
        query_size=QUERY_SIZE,
        test={int(i): digits.classes[int(i)] for i in digits.test},
    )
    budget = QUERY_SIZE * rounds
    loop_settings = LoopSettings(spec.acquisition, query_size=QUERY_SIZE, labeling_budget=budget, cold_start="random")
    with tempfile.TemporaryDirectory() as folder:
        loop = ActiveLearningLoop(
            predictor=predictor, oracle=oracle, settings=loop_settings, rounds_folder=Path(folder)
        )
        whole = timed(loop.run) / rounds
    verbs = 1000 * predictor.seconds / rounds
    other = Network(spec, digits.store, **settings)
    direct = timed(lambda: [call(other) for call in predictor.calls]) / rounds
    return verbs, whole - verbs, direct


def instant(labels: int, repetitions: int) -> tuple[list[float], list[float]]:
    """The refit of the instant head through its loops and written out, in turn; ms each."""
    classes_N = np.arange(labels) % CLASSES
    batch = (torch.from_numpy(clusters(classes_N, 1280)), torch.from_numpy(classes_N))
    layer = feature_head(1280, CLASSES).eval()

    def loss(head: nn.Module, given: Any) -> torch.Tensor:
        return negative_log_posterior(head, given, around=layer, precision=1.0)

    def optimizer(head: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.LBFGS(head.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    return in_turn(layer, [batch], loss, optimizer, MAX_STEPS, repetitions)


def small_steps(repetitions: int) -> tuple[list[float], list[float]]:
    """200 steps that cost next to nothing: what is left is the loops."""
    batches = [(torch.randn(32, 64), torch.arange(32) % CLASSES) for _ in range(50)]

    def loss(model: nn.Module, batch: Any) -> torch.Tensor:
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    return in_turn(
        nn.Linear(64, CLASSES), batches, loss, lambda model: torch.optim.Adam(model.parameters()), 4, repetitions
    )


def in_turn(
    model: nn.Module, batches: list[Any], loss: Any, optimizer: Any, epochs: int, repetitions: int
) -> tuple[list[float], list[float]]:
    """Times both ways to take the same steps, one after the other; the first pair is not counted."""
    fabric = Fabric(accelerator="cpu", devices=1)

    def looped() -> None:
        fresh = copy.deepcopy(model)
        inner = TrainingEpochLoop(
            fabric, model=fresh, optimizer=optimizer(fresh), dataloader=batches, loss=loss, seed=0
        )
        FitLoop(inner, max_epochs=epochs).run()

    def plain() -> None:
        fresh = copy.deepcopy(model)
        stepper = optimizer(fresh)
        for _ in range(epochs):
            for batch in batches:

                def closure(batch: Any = batch) -> torch.Tensor:
                    stepper.zero_grad()
                    value = loss(fresh, batch)
                    value.backward()
                    return value

                stepper.step(closure)

    pairs = [(timed(looped), timed(plain)) for _ in range(repetitions + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def timed(call: Callable[[], Any]) -> float:
    """How long it took, in ms."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
