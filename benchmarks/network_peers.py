"""Peers that train a network by MC dropout: BaaL's loop with its BALD and PowerBALD, batchbald_redux, random questions.

All have the network and the distortions of our own `cnn` (a linear layer behind dropout over a frozen network's
features), trained anew each round, in BaaL's `ActiveLearningDataset`, `ActiveLearningLoop` and `ModelWrapper`;
corrected, that is: draws that differ (`MCDropoutModule`), softmax before the score, and for BatchBALD the same masks
for all samples, as its paper wants and its author's `ConsistentMCDropout` has it. The layers before the first dropout
are run once, which changes no score. Ten labels a round, the first ten at random; each round scores 1,000 of the pool.
"""

from __future__ import annotations

import contextlib
import copy
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import peers
import structlog
import torch
from baal import ActiveLearningDataset, ModelWrapper
from baal.active import ActiveLearningLoop
from baal.active.heuristics import BALD, Precomputed, Random
from baal.active.heuristics.stochastics import PowerSampling
from baal.bayesian.dropout import MCDropoutModule
from labeled_sets import Draw, LabeledSet
from torch import Tensor, nn

from loops.predictors.layers import RandomAffine, network_parts

QUERY, CANDIDATES = 10, 1_000  # labels a round, samples of the pool that are scored
BEST, JOINT = 300, 500  # the best by BALD that BatchBALD chooses from, outcomes it draws once there are too many
STEPS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 300, 32, 5e-3, 0.01
STAYS = 2  # further rounds at the goal after which a run is over, taken for staying there


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # BaaL tells of each pass


class Samples:
    """Rows and labels as a data set that BaaL may copy as often as it likes."""

    def __init__(self, rows: Tensor, labels: Tensor) -> None:
        self.rows, self.labels = rows, labels

    def __len__(self) -> int:
        """N."""
        return len(self.rows)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        """One row and its label."""
        return self.rows[place], self.labels[place]

    def __deepcopy__(self, _memo: object) -> Samples:
        """Nothing here is ever changed."""
        return self


@dataclass
class NetworkLoop:
    """One run of one arm."""

    samples: Samples
    classes: int
    arm: str
    seed: int
    mc_iterations: int = 100  # with fewer, ten samples are more than BatchBALD's draws can tell apart
    prefix_once: bool = True  # else BaaL runs the whole network in each iteration, as it does

    def __post_init__(self) -> None:
        """No labels yet."""
        peers.add_peers()
        torch.manual_seed(self.seed)
        np.random.seed(self.seed)  # noqa: NPY002 - what BaaL draws from
        self.labeled = ActiveLearningDataset(self.samples)
        first = np.random.default_rng(self.seed).permutation(len(self.samples))[:QUERY]
        self.labeled.label(first.tolist())
        heuristic = {
            "BaaL BALD": BALD,
            "BaaL PowerBALD": lambda: PowerSampling(BALD(), query_size=QUERY),
            "batchbald_redux": lambda: Precomputed(reverse=True),
            "random + network": Random,
        }[self.arm]()
        scored = self._joint if self.arm == "batchbald_redux" else self._draw
        self._loop = ActiveLearningLoop(self.labeled, scored, heuristic, query_size=QUERY, max_sample=CANDIDATES)

    def fit(self) -> None:
        """A new network on all labels."""
        places = torch.from_numpy(np.flatnonzero(self.labeled.labelled))
        rows, labels = self.samples.rows[places], self.samples.labels[places]
        self.prepare, self.body, self.head = network_parts(rows.shape[1:], self.classes)
        self.prepare.learn(rows)  # type: ignore[operator]
        augment = RandomAffine() if rows.ndim == 4 else nn.Identity()
        network = nn.Sequential(self.prepare, augment, self.body, self.head).train()
        optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS, pct_start=0.15)
        for batch in batches(len(rows)):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(rows[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
        network.eval()

    def ask(self) -> None:
        """Labels the next ten."""
        self._loop.step()

    @torch.inference_mode()
    def accuracy(self, rows: Tensor, labels: Tensor) -> float:
        """Without dropout."""
        predicted = [self.head(features).argmax(1) for features in self._features(rows)]
        return float((torch.cat(predicted) == labels).float().mean())

    def _features(self, rows: Tensor) -> Iterator[Tensor]:
        for tile in rows.split(250):
            yield self.body(self.prepare(tile))

    def _rows(self, pool: Any) -> Tensor:
        return torch.stack([pool[place][0] for place in range(len(pool))])

    @torch.inference_mode()
    def _draw(self, pool: Any) -> np.ndarray:
        """BaaL's: `[N, C, K]`, other masks for every sample."""
        rows, network = self._rows(pool), nn.Sequential(self.prepare, self.body, self.head)
        if self.prefix_once:
            rows, network = torch.cat(list(self._features(rows))), self.head
        wrapper = ModelWrapper(
            MCDropoutModule(copy.deepcopy(network)).eval(), nn.CrossEntropyLoss(), replicate_in_memory=False
        )
        pairs = torch.utils.data.TensorDataset(rows, torch.zeros(len(rows)))
        logits = wrapper.predict_on_dataset(pairs, 250, self.mc_iterations, use_cuda=False, workers=0, verbose=False)
        return torch.softmax(torch.from_numpy(logits), 1).numpy()

    @torch.inference_mode()
    def _joint(self, pool: Any) -> np.ndarray:
        """Scores that put BatchBALD's ten first: `[N]`."""
        from batchbald_redux.batchbald import get_bald_batch, get_batchbald_batch
        from batchbald_redux.consistent_mc_dropout import BayesianModule, ConsistentMCDropout

        committee = BayesianModule()
        layers = [ConsistentMCDropout(layer.p) if isinstance(layer, nn.Dropout) else layer for layer in self.head]
        for layer in layers:
            layer.training = False
        committee.mc_forward_impl = nn.Sequential(*layers)
        log_probs = torch.cat(
            [
                torch.log_softmax(committee(features, self.mc_iterations), 2)
                for features in self._features(self._rows(pool))
            ]
        ).double()
        with contextlib.redirect_stderr(io.StringIO()):  # bars of progress
            best = torch.tensor(get_bald_batch(log_probs, min(BEST, len(log_probs))).indices)
            chosen = best[get_batchbald_batch(log_probs[best], QUERY, JOINT, dtype=torch.double).indices]
        scores = np.zeros(len(log_probs))
        scores[chosen.numpy()] = 1.0
        return scores


NETWORK_ARMS = ("BaaL BALD", "batchbald_redux", "BaaL PowerBALD", "random + network")


def batches(n: int) -> Iterator[Tensor]:
    """`STEPS` batches, each sample once before any comes again."""
    order: list[Tensor] = []
    for _ in range(STEPS):
        while sum(map(len, order)) < BATCH:
            order.append(torch.randperm(n))
        flat = torch.cat(order)
        order = [flat[BATCH:]]
        yield flat[:BATCH]


def by_network(labeled: LabeledSet, draw: Draw, arm: str, seed: int, budget: int) -> list[tuple[int, float]]:
    """Labels and test accuracy after each round, up to the budget or until the goal holds."""
    pool = Samples(torch.from_numpy(draw.store.rows(draw.kept)), torch.from_numpy(labeled.labels[draw.kept]))
    test_rows, test_labels = torch.from_numpy(draw.store.rows(draw.test)), torch.from_numpy(labeled.test_labels)
    loop = NetworkLoop(pool, labeled.classes, arm, seed)
    curve: list[tuple[int, float]] = []
    while True:
        loop.fit()
        curve.append((len(loop.labeled), loop.accuracy(test_rows, test_labels)))
        held = [accuracy >= labeled.goal for _, accuracy in curve[-STAYS - 1 :]]
        if curve[-1][0] + QUERY > min(budget, len(pool)) or (len(held) > STAYS and all(held)):
            return curve
        loop.ask()
