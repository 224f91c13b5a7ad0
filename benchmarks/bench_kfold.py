"""What do folds buy? The voting model against a single one, and how many wrong labels the audit finds. Digits.

    OMP_NUM_THREADS=1 python benchmarks/bench_kfold.py [--only vote|audit]

vote: `--labels` random labels of the pool; a single predictor on all of them and a committee of five folds of the same
predictor, both judged on the test set, once. Median and worst of all seeds.

audit: 5 % of all labels of the pool are flipped to another class, drawn at random; five folds predict them; precision
and recall of the 5 % that the audit ranks first, beside cleanlab on the same probabilities (extra `bench`). The test
set is not touched. Seeds are 0, 1, 2, ... and none is left out; settings are the predictor's own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from loops.cross_validation import CrossValidation
from loops.embeddings.features import FeatureStore, embed
from loops.embeddings.images import candidates
from loops.evaluation.label_errors import audit_labels, confident_class, self_confidence
from loops.kfold import KFoldLoop
from loops.predictors.committee import Committee
from loops.predictors.network import Network
from loops.predictors.network_spec import choose_network
from loops.seeding import seed_of

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
FLIPPED = 0.05  # share of labels


def main() -> None:
    """Runs what was asked for, by default both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["vote", "audit"])
    parser.add_argument("--labels", type=int, default=100, help="labels of the vote")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, pool, test = read_digits(Path(folder))
        if options.only != "audit":
            print_vote(store, pool, test, options.labels, range(options.seeds))
        if options.only != "vote":
            print_audit(store, pool, range(options.seeds))


def read_digits(folder: Path) -> tuple[FeatureStore, dict[int, int], dict[int, int]]:
    """The sample data: a store of all images, and the labels of pool and test set by sample id."""
    rows = [row.split(",") for row in (DIGITS / "labels.csv").read_text().splitlines()[1:]]
    store = FeatureStore(folder, choose_network("cnn", candidates([(8, 8)])).backbone)
    embed(
        store,
        range(len(rows)),
        lambda i: np.asarray(Image.open(DIGITS / rows[i][0])),
        progress=lambda _done, _total: None,
        on_broken=lambda i, reason: (_ for _ in ()).throw(SystemExit(f"{rows[i][0]}: {reason}")),
        should_stop=lambda: False,
        accelerator="cpu",
    )
    labels = {i: int(label) for i, (_, label) in enumerate(rows)}
    in_test = {i for i, (path, _) in enumerate(rows) if path.startswith("test/")}
    return store, {i: labels[i] for i in labels if i not in in_test}, {i: labels[i] for i in sorted(in_test)}


def new_predictor(store: FeatureStore, seed: int) -> Network:
    """The cnn predictor as the app has it."""
    return Network(choose_network("cnn", candidates([(8, 8)])), store, num_classes=10, seed=seed, accelerator="cpu")


def print_vote(
    store: FeatureStore, pool: dict[int, int], test: dict[int, int], count: int, seeds: Sequence[int]
) -> None:
    """Test accuracy of both, seed by seed."""
    print(f"\nvote: {count} random labels of {len(pool)}, cnn, {len(test)} test images")
    single, vote = [], []
    for seed in seeds:
        chosen = np.random.default_rng(seed).choice(sorted(pool), count, replace=False).tolist()
        labels = {i: pool[i] for i in chosen}
        predictor = new_predictor(store, seed)
        predictor.fit(labels, round_number=1)
        committee = Committee(new_predictor(store, seed))
        committee.fit(labels, round_number=1)
        single.append(accuracy(predictor, test))
        vote.append(accuracy(committee, test))
        print(f"  seed {seed}: single {single[-1]:.2%}, vote {vote[-1]:.2%}, {cross_validated(committee)}", flush=True)
    for name, accuracies in (("single", single), ("vote", vote)):
        print(f"  {name}: median {statistics.median(accuracies):.2%}, worst {min(accuracies):.2%}")
    differences = ", ".join(f"{100 * (b - a):+.2f}" for a, b in zip(single, vote, strict=True))
    print(f"  vote minus single, by seed: {differences} points")


def accuracy(predictor: Network | Committee, test: dict[int, int]) -> float:
    """Share of the test set that is predicted."""
    return float((predictor.predict(list(test)).argmax(1) == list(test.values())).mean())


def cross_validated(committee: Committee) -> str:
    """The accuracy that the labels alone would have promised."""
    result = committee.cross_validation
    assert result is not None
    low, high = result.interval
    return f"cross-validated {result.accuracy:.2%} ({low:.2%} to {high:.2%})"


def print_audit(store: FeatureStore, pool: dict[int, int], seeds: Sequence[int]) -> None:
    """Precision and recall of each ranking, seed by seed and in the median."""
    top = round(FLIPPED * len(pool))
    print(f"\naudit: {top} of {len(pool)} labels flipped; of the {top} ranked first, how many were flipped")
    print("  (as many are ranked as were flipped, so precision equals recall)")
    hits: dict[str, list[float]] = {}
    beyond: dict[str, list[str]] = {}
    for seed in seeds:
        started = time.perf_counter()
        labels, flipped = flip(pool, top, seed)
        loop = KFoldLoop(labels, new_predictor(store, seed).fresh, seed=seed)
        result = loop.run()
        for name, ranking in rankings(result).items():
            hits.setdefault(name, []).append(len(flipped & set(ranking[:top])) / top)
        for name, found in findings(result).items():
            right = len(flipped & set(found))
            beyond.setdefault(name, []).append(f"{right / max(1, len(found)):.1%} / {right / top:.1%} of {len(found)}")
        print(
            f"  seed {seed}: {time.perf_counter() - started:.0f} s for five folds{beside_cleanlab(result)}", flush=True
        )
    for name, shares in hits.items():
        each = ", ".join(f"{share:.1%}" for share in shares)
        print(f"  {name}: median {statistics.median(shares):.1%}, worst {min(shares):.1%} ({each})")
    print("  all that is called wrong, precision / recall of how many:")
    for name, lines in beyond.items():
        print(f"  {name}: {'; '.join(lines)}")
    if not cleanlab_found():
        print("  cleanlab is not installed (extra `bench`), so there is nothing to compare with")


def flip(pool: dict[int, int], count: int, seed: int) -> tuple[dict[int, int], set[int]]:
    """The labels with `count` of them moved to another class, and which those are."""
    generator = np.random.default_rng(seed_of(seed, "flip"))
    flipped = generator.choice(sorted(pool), count, replace=False).tolist()
    wrong = {i: (pool[i] + int(generator.integers(1, 10))) % 10 for i in flipped}
    return pool | wrong, set(flipped)


def rankings(result: CrossValidation) -> dict[str, list[int]]:
    """Sample ids, most suspicious first, by every method at hand."""
    ids, labels_N, probs_N_C = result.sample_ids, result.labels_N, result.probs_N_C
    ranked = {
        "ours (label audit)": [label.sample_id for label in audit_labels(result)],
        "self-confidence alone": by_quality(ids, self_confidence(labels_N, probs_N_C)),
    }
    if not cleanlab_found():
        return ranked
    from cleanlab.rank import get_label_quality_scores

    for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
        qualities_N = get_label_quality_scores(labels_N, probs_N_C, method=method)
        ranked[f"cleanlab {method}"] = by_quality(ids, qualities_N)
    return ranked


def findings(result: CrossValidation) -> dict[str, list[int]]:
    """Sample ids of all labels that are called wrong."""
    found = {"ours (confident joint)": [label.sample_id for label in audit_labels(result) if label.likely_wrong]}
    if not cleanlab_found():
        return found
    from cleanlab.filter import find_label_issues

    for method in ("prune_by_noise_rate", "confident_learning"):
        wrong_N = find_label_issues(result.labels_N, result.probs_N_C, filter_by=method, n_jobs=1)
        found[f"cleanlab {method}"] = result.sample_ids[wrong_N].tolist()
    return found


def beside_cleanlab(result: CrossValidation) -> str:
    """Whether both count the same off the diagonal of the confident joint (cleanlab counts the rest otherwise)."""
    if not cleanlab_found():
        return ""
    from cleanlab.count import compute_confident_joint

    theirs_C_C = compute_confident_joint(result.labels_N, result.probs_N_C, calibrate=False)
    confident_N = confident_class(result.labels_N, result.probs_N_C)
    found_N = confident_N >= 0
    differences_C_C = theirs_C_C.astype(np.int64)
    np.subtract.at(differences_C_C, (result.labels_N[found_N], confident_N[found_N]), 1)
    np.fill_diagonal(differences_C_C, 0)
    return f"; confident joint off the diagonal, largest difference from cleanlab's: {np.abs(differences_C_C).max()}"


def by_quality(sample_ids: NDArray[np.int64], qualities_N: NDArray[np.floating]) -> list[int]:
    """Worst first, ties in the order of ids."""
    order: list[int] = sample_ids[np.lexsort((sample_ids, qualities_N))].tolist()
    return order


def cleanlab_found() -> bool:
    """Whether the peer is installed."""
    try:
        import cleanlab  # noqa: F401
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main()
