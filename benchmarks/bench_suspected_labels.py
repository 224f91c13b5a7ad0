"""Which labels are suspected where one of twenty is wrong: by the graph that asked, and by the network of the round.

    python benchmarks/bench_suspected_labels.py --mnist mnist.npz --seeds 5

The graph asks (`auto`, computed features), and one answer of twenty is another class, drawn by the seed. Then each
label is predicted out of five folds: by the graph, as the trainer does while the graph answers, and by the network, as
it does once the network has taken over. Found is the share of wrong labels that are suspected (recall); right is the
share of suspected labels that are wrong (precision). MNIST is its first 10,000 training images.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from labeled_sets import LabeledSet, all_sets

from loops.cross_validation import CrossValidation
from loops.embeddings.features import FeatureStore
from loops.evaluation.label_errors import audit_labels
from loops.kfold import KFoldLoop
from loops.predictors.graph import GraphPredictor
from loops.predictors.network import Network

WRONG = 0.05  # share of the answers
POOL = 10_000  # samples
FOLDS = 5


def main() -> None:
    """Each set, and both predictors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test as an .npz file")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--labels", type=int, nargs="*", default=[100])
    parser.add_argument("--quick", action="store_true", help="one seed, 60 labels, the sample digits alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.quick:
        options.mnist, options.seeds, options.labels = None, 1, [60]
    sets = all_sets(options.mnist, None, quick=False)
    print("| labels | cross-validated | accuracy shown | suspected | found | right | CPU-s |")
    print("|---|---|---|---|---|---|---|")
    for name in ("digits", "mnist"):
        if name in sets:
            run(first(sets[name]()), options.labels, options.seeds)


def first(labeled: LabeledSet) -> LabeledSet:
    """So many of its samples."""
    return replace(labeled, rows=labeled.rows[:POOL], labels=labeled.labels[:POOL])


@dataclass
class Audited:
    """What one cross-validation suspects."""

    accuracy: float
    suspected: set[int]
    wrong: set[int]
    cpu_s: float


def run(labeled: LabeledSet, numbers: list[int], seeds: int) -> None:
    """One set: asks, and looks at the answers from time to time."""
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(Path(folder), labeled.spec.backbone)
        store.append(np.arange(len(labeled.rows)), labeled.rows)
        audits: dict[tuple[int, str], list[Audited]] = {}
        for seed in range(seeds):
            network = Network(labeled.spec, store, num_classes=labeled.classes, seed=seed, accelerator="cpu")
            graph = GraphPredictor(store, num_classes=labeled.classes, seed=seed)
            answers = asked(graph, labeled, max(numbers), seed)
            for number in numbers:
                labels = dict(list(answers.items())[:number])
                by_graph = audited(labeled, labels, partial(graph.cross_validate, labels, num_folds=FOLDS))
                folds = KFoldLoop(labels, network.fresh, num_folds=FOLDS, seed=seed)
                by_network = audited(labeled, labels, folds.run)
                audits.setdefault((number, "graph"), []).append(by_graph)
                audits.setdefault((number, "network"), []).append(by_network)
    for (number, name), found in audits.items():
        print(f"| {labeled.name}, {number} | {name} | {row(found)} |", flush=True)


def asked(predictor: GraphPredictor, labeled: LabeledSet, number: int, seed: int) -> dict[int, int]:
    """Answers in the order of the questions; some of them wrong."""
    generator = np.random.default_rng(seed)
    labels: dict[int, int] = {}
    for _ in range(number):
        pool = np.setdiff1d(np.arange(len(labeled.rows)), list(labels))
        predictor.refit(labels)
        sample_id = int(predictor.graph(pool=pool).rank(pool, 1)[0][0])
        slip = generator.integers(1, labeled.classes) if generator.random() < WRONG else 0
        labels[sample_id] = int((labeled.labels[sample_id] + slip) % labeled.classes)
    return labels


def audited(labeled: LabeledSet, labels: dict[int, int], cross_validate: Callable[[], CrossValidation]) -> Audited:
    """What is suspected by these predictions, and what is wrong."""
    started = time.process_time()
    result = cross_validate()
    suspected = {label.sample_id for label in audit_labels(result) if label.likely_wrong}
    wrong = {sample_id for sample_id, label in labels.items() if label != labeled.labels[sample_id]}
    return Audited(result.accuracy, suspected, wrong, time.process_time() - started)


def row(found: list[Audited]) -> str:
    """Means; found and right over all seeds together, for some have two wrong labels."""
    hits = sum(len(audit.suspected & audit.wrong) for audit in found)
    suspected, wrong = sum(len(audit.suspected) for audit in found), sum(len(audit.wrong) for audit in found)
    accuracy, cpu_s = (float(np.mean([getattr(audit, name) for audit in found])) for name in ("accuracy", "cpu_s"))
    return (
        f"{accuracy:.0%} | {suspected / len(found):.1f} | {hits} of {wrong} ({hits / max(wrong, 1):.0%}) | "
        f"{hits} of {suspected} ({hits / max(suspected, 1):.0%}) | {cpu_s:.2f}"
    )


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main()
