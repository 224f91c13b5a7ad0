"""Does it help to rank the queue anew after every few labels? Test accuracy on the sample digits, with and without.

    python benchmarks/bench_instant_ranking.py --seeds 3 --labels 100

Three ways to ask the ten samples of a round, from the same cold start: by the round's ranking (`round`), with the
instant head ranking the rest of the published queue anew after every second label (`queue`), or the whole pool
(`pool`). Accuracy is that of the full fit after each round, on the 400 test digits.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from loops.acquisition.catalog import find
from loops.acquisition.choosing import scorer
from loops.acquisition.cold_start import diverse
from loops.acquisition.functions import rank
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import candidates
from loops.predictors.instant_head import InstantHead, split_at_last_layer
from loops.predictors.network import Network
from loops.predictors.network_spec import choose_network
from loops.seeding import seed_of

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
QUERY_SIZE, QUEUE, EVERY = 10, 50, 2  # samples of a round, of a published ranking, labels between two instant refits
ARMS = ("round", "queue", "pool")


class Capture(pl.Callback):
    """Keeps the network of the last fit."""

    network: nn.Module

    def on_fit_end(self, _trainer: pl.Trainer, module: Any) -> None:
        """Takes it."""
        self.network = module.network


@dataclass(frozen=True)
class Digits:
    """The sample digits in a feature store."""

    store: FeatureStore
    classes: dict[int, int]  # sample id -> class index, pool and test
    pool: NDArray[np.int64]
    test: NDArray[np.int64]


def main() -> None:
    """Runs all arms and seeds, and prints accuracies and differences to `round`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        digits = load(Path(folder))
        curves = {
            (arm, seed): simulate(digits, arm, seed, options.labels) for seed in range(options.seeds) for arm in ARMS
        }
    at = range(2 * QUERY_SIZE, options.labels + 1, 2 * QUERY_SIZE)
    for arm in ARMS:
        for seed in range(options.seeds):
            print(f"{arm:>6} seed {seed}: " + "  ".join(f"{n} labels {curves[arm, seed][n]:.2%}" for n in at))
    for arm in ARMS[1:]:
        gains = [100 * (curves[arm, seed][n] - curves["round", seed][n]) for seed in range(options.seeds) for n in at]
        spread = f"from {min(gains):+.2f} to {max(gains):+.2f}"
        print(f"{arm} minus round, points: mean {statistics.mean(gains):+.2f}, {spread}")


def load(folder: Path) -> Digits:
    """Reads the digits into a feature store; ids count from 0 in the order of `labels.csv`."""
    rows = list(csv.DictReader((DIGITS / "labels.csv").read_text().splitlines()))
    ids = np.arange(len(rows))
    spec = choose_network("cnn", candidates([(8, 8)]))
    store = FeatureStore(folder, spec.backbone)
    side = store.backbone.side
    images = [Image.open(DIGITS / row["path"]).convert("L").resize((side, side)) for row in rows]
    store.append(ids, np.stack([np.asarray(image) for image in images])[:, None])
    is_pool = np.array([row["path"].startswith("pool/") for row in rows])
    return Digits(store, {i: int(row["label"]) for i, row in enumerate(rows)}, ids[is_pool], ids[~is_pool])


def simulate(digits: Digits, arm: str, seed: int, budget: int) -> dict[int, float]:
    """One run from no labels.

    Returns:
        Number of labels -> test accuracy.
    """
    capture = Capture()
    spec = choose_network("cnn", candidates([(8, 8)]))
    given = {"num_classes": 10, "seed": seed, "accelerator": "cpu"}
    predictor = Network(spec, digits.store, callbacks=lambda _fold: [capture], **given)
    first = diverse(digits.pool, predictor.embedding(digits.pool), QUERY_SIZE, seed)
    labels = {int(i): digits.classes[int(i)] for i in first}
    curve = {}
    for round_number in range(1, budget // QUERY_SIZE + 1):
        predictor.fit(labels, round_number=round_number)
        predicted = predictor.predict(digits.test).argmax(1)
        curve[len(labels)] = float((predicted == [digits.classes[int(i)] for i in digits.test]).mean())
        pool = np.setdiff1d(digits.pool, list(labels))
        scores_N = predictor.score(pool, round_number=round_number).scores[spec.acquisition]
        order = rank(pool, scores_N, seed=seed)
        ask(digits, labels, order, instant_head(digits, capture.network, seed), arm, spec.acquisition, seed)
    return curve


def ask(
    digits: Digits,
    labels: dict[int, int],
    order: NDArray[np.int64],
    head: InstantHead,
    arm: str,
    acquisition: str,
    seed: int,
) -> None:
    """Answers the samples of one round."""
    tail = order if arm == "pool" else order[:QUEUE]
    for _ in range(QUERY_SIZE // EVERY):
        labels.update({int(i): digits.classes[int(i)] for i in tail[:EVERY]})
        tail = tail[EVERY:]
        if arm != "round":
            head.refit(labels)
            tail = rank(tail, scorer(find(acquisition))(head.draws(tail)), seed=seed)


def instant_head(digits: Digits, network: nn.Module, seed: int) -> InstantHead:
    """The head of a round, over the whole pool."""
    body, layer = split_at_last_layer(network)
    with torch.no_grad():
        features = torch.cat([body(rows) for rows in torch.from_numpy(digits.store.rows(digits.pool)).split(512)])
    return InstantHead(digits.pool, features.numpy(), layer, seed=seed_of(seed, "instant"), accelerator="cpu")


if __name__ == "__main__":
    main()
