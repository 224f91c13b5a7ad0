"""Peers of `bench_scale.py` at the same sizes: BaaL's generator path and scikit-activeml's query."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scale_steps import CLASSES, SIDE, Figures, images, timed

MOST_SCORED = 1_000  # samples that BaaL scores; its time grows with their number
DIMENSIONS = 64  # of what scikit-activeml looks at: as many coordinates as a sample has on the graph


def baal_generator(_folder: Path, n: int, _labels: int) -> Figures:
    """BaaL's path for pools that do not fit: the same network, predictions batch by batch, BALD of each."""
    import torch
    from baal import ModelWrapper
    from baal.active.heuristics import BALD
    from baal.bayesian.dropout import MCDropoutModule
    from torch.utils.data import TensorDataset

    from loops.predictors.layers import network_parts

    some = min(n, MOST_SCORED)
    rows = torch.from_numpy(images(np.arange(some))).float()
    prepare, backbone, head = network_parts((1, SIDE, SIDE), CLASSES)
    network = torch.nn.Sequential(prepare, *backbone, *head)
    wrapper = ModelWrapper(MCDropoutModule(network).eval(), torch.nn.CrossEntropyLoss(), replicate_in_memory=False)
    data = TensorDataset(rows, torch.zeros(some, dtype=torch.long))
    began = time.thread_time()
    generator = wrapper.predict_on_dataset_generator(data, 32, 20, use_cuda=False, workers=0, verbose=False)
    assert len(BALD()(generator)) == some
    seconds = time.thread_time() - began
    return {"samples per CPU-s": some / seconds, "whole pool CPU-s": seconds / some * n}


def scikit_activeml(_folder: Path, n: int, labels: int) -> Figures:
    """Uncertainty sampling over 64 numbers a sample, logistic regression refit on all labels: one query."""
    import peers

    peers.add_peers()
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling
    from sklearn.linear_model import LogisticRegression

    points = np.random.default_rng(0).normal(size=(n, DIMENSIONS)).astype(np.float32)
    known = np.full(n, np.nan)
    known[:labels] = np.arange(labels) % CLASSES
    points[:, :CLASSES] += 3 * np.eye(CLASSES, dtype=np.float32)[np.arange(n) % CLASSES]
    classifier = SklearnClassifier(LogisticRegression(max_iter=200), classes=np.arange(CLASSES))
    strategy = UncertaintySampling(method="entropy", random_state=0)
    return timed("query", lambda: strategy.query(points, known, classifier), 3)


ALL: dict[str, Callable[[Path, int, int], Figures]] = {
    "baal generator": baal_generator,
    "scikit-activeml": scikit_activeml,
}
