"""MC-dropout scoring: samples per CPU-second, peak memory and fidelity, beside BaaL.

    OMP_NUM_THREADS=1 python benchmarks/bench_mc_scoring.py            ten minutes, most of them BaaL's
    OMP_NUM_THREADS=1 python benchmarks/bench_mc_scoring.py --quick    two minutes

Every measurement runs in a process of its own, on one thread, and includes what follows the draws: BALD of every
sample.

features  a linear head behind dropout over 1,280 cached features: what later rounds of the features predictor cost
photos    EfficientNet-Lite0 from the image: what BaaL pays each round, and what our first round pays once
cnn       the network of Gal et al. 2017 on 28 x 28 pixels, retrained each round, so nothing can be cached
pool      10,000, 100,000 and 1,000,000 samples of 128 features read from disk
fidelity  BALD and predictive entropy against K = 20,000 masks, on embedded digits of sample_data
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

warnings.filterwarnings("ignore")

from loops.acquisition.functions import bald, predictive_entropy  # noqa: E402 - BaaL and Flash warn of themselves on import
from loops.uncertainty.mc_dropout import MCDropout, MCDropoutScorer, gather  # noqa: E402

CLASSES = 10
OURS = ("labelloop", "labelloop, closed form")
BAAL = ("baal replicate", "baal loop", "baal MCCaching")


def main() -> None:
    """Prints one table per kind of work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=["features", "photos", "cnn", "pool", "fidelity"])
    parser.add_argument("--one", nargs=4, metavar=("WHO", "WORK", "N", "K"), help="used by itself")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.one:
        who, work, n, k = options.one
        print(json.dumps(measure(who, work, int(n), int(k))))
        return
    works = options.only or ["features", "cnn", "pool", "fidelity", *([] if options.quick else ["photos"])]
    print(f"one thread; load at the start {os.getloadavg()[0]:.1f}")
    quick = options.quick
    parts: dict[str, Callable[[], None]] = {
        "features": lambda: compare("features", ours_n=20_000, baal_n=200 if quick else 1_000, closed=True),
        "photos": lambda: compare("photos", ours_n=8, baal_n=4, closed=False, draws=(20,)),
        "cnn": lambda: compare("cnn", ours_n=2_000, baal_n=50 if quick else 200, closed=False),
        "pool": lambda: pools(100_000 if quick else 1_000_000),
        "fidelity": lambda: fidelity(images=120 if quick else 400),
    }
    for work in works:
        parts[work]()
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def compare(work: str, *, ours_n: int, baal_n: int, closed: bool, draws: tuple[int, ...] = (20, 100)) -> None:
    """Everybody at every K, and how many times faster than BaaL's fastest we are."""
    for k in draws:
        print(f"{work}, K = {k}")
        ours = [run(who, work, ours_n, k) for who in (OURS if closed else OURS[:1])]
        fastest = min(run(who, work, baal_n, k) for who in BAAL)
        print("    times BaaL's fastest: " + ", ".join(f"{fastest / own:,.0f}" for own in ours))


def pools(largest: int) -> None:
    """Ours at 10,000 samples and ten times as many, and so on."""
    n = 10_000
    while n <= largest:
        for who in OURS:
            run(who, "pool", n, 20)
        n *= 10


def run(who: str, work: str, n: int, k: int) -> float:
    """One measurement; returns CPU-seconds per sample."""
    command = [sys.executable, "-W", "ignore", __file__, "--one", who, work, str(n), str(k)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found = json.loads(done.stdout.splitlines()[-1])
    each = found["seconds"] / n
    print(
        f"  {who:<24} N {n:>9,}: {1 / each:>10,.1f} samples per CPU-s, {1e6 * each:>11,.1f} us each, "
        f"peak {found['megabytes']:>6,.0f} MB",
        flush=True,
    )
    return float(each)


def measure(who: str, work: str, n: int, k: int) -> dict[str, float]:
    """Processor time of one pass, and by how much it raised the peak of this process."""
    network, batches = {"features": features, "photos": photos, "cnn": cnn, "pool": pool}[work](n)
    score = ours(network, k, closed=who == OURS[1]) if who in OURS else baal(network, k, who)
    score(next(batches())[:2])  # first calls
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    scored = sum(len(score(batch)) for batch in batches())
    seconds = time.process_time() - started
    assert scored == n
    return {
        "seconds": seconds,
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


Batches = Callable[[], Iterator[torch.Tensor]]


def features(n: int) -> tuple[nn.Module, Batches]:
    """A linear head, and features that came from somewhere."""
    rows = torch.relu(torch.randn(min(n, 4_096), 1_280, generator=torch.Generator().manual_seed(0)))
    return nn.Sequential(nn.Dropout(0.5), nn.Linear(1_280, CLASSES)), lambda: in_batches(rows, n, 4_096)


def photos(n: int) -> tuple[nn.Module, Batches]:
    """Both EfficientNet-Lite networks, as our embedder has them, then the head. Images are noise: it costs the same."""
    from loops.embeddings.lite_networks import PooledFeatures

    images = torch.randint(0, 256, (n, 3, 224, 224), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    network = nn.Sequential(PooledFeatures(), nn.Dropout(0.5), nn.Linear(2_560, CLASSES)).eval()
    return network, lambda: in_batches(images, n, 4)


def cnn(n: int) -> tuple[nn.Module, Batches]:
    """The network of Gal et al. 2017."""
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 4), nn.ReLU(), nn.Conv2d(32, 32, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)),
        *(nn.Flatten(), nn.Linear(32 * 11 * 11, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, CLASSES)),
    )
    images = torch.randn(min(n, 512), 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return network.eval(), lambda: in_batches(images, n, 512)


def pool(n: int) -> tuple[nn.Module, Batches]:
    """128 features of each of very many samples, in a file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this process
    generator = np.random.default_rng(0)
    for start in range(0, n, 10_000):
        file.write(generator.normal(size=(min(10_000, n - start), 128)).astype(np.float32).tobytes())

    def batches() -> Iterator[torch.Tensor]:
        file.seek(0)
        while len(rows := np.frombuffer(file.read(4_096 * 128 * 4), np.float32)):
            yield torch.from_numpy(rows.reshape(-1, 128).copy())

    return nn.Sequential(nn.Dropout(0.5), nn.Linear(128, CLASSES)), batches


def in_batches(rows: torch.Tensor, n: int, size: int) -> Iterator[torch.Tensor]:
    """`n` rows, from the first again when there are fewer."""
    while n > 0:
        yield from rows[:n].split(size)
        n -= len(rows)


def ours(network: nn.Module, k: int, *, closed: bool) -> Callable[[torch.Tensor], Any]:
    """What the loop does with each batch."""
    scorer = MCDropoutScorer(network, mc_iterations=k, seed=0, keep_draws=False, closed_form=closed)

    @torch.inference_mode()
    def score(rows: torch.Tensor) -> Any:
        return gather([scorer.predict_step((torch.arange(len(rows)), rows), 0)]).scores["bald"]

    return score


def baal(network: nn.Module, k: int, who: str) -> Callable[[torch.Tensor], Any]:
    """What BaaL's `ModelWrapper` and its BALD do with a data set."""
    from baal import ModelWrapper
    from baal.active.heuristics import BALD
    from baal.bayesian.caching_utils import MCCachingModule
    from baal.bayesian.dropout import MCDropoutModule

    patched = MCDropoutModule(network).eval()
    if who == "baal MCCaching":
        patched = MCCachingModule(patched).eval()
    wrapper = ModelWrapper(patched, nn.CrossEntropyLoss(), replicate_in_memory=who == "baal replicate")

    def score(rows: torch.Tensor) -> Any:
        pairs = torch.utils.data.TensorDataset(rows, torch.zeros(len(rows), dtype=torch.long))
        logits = wrapper.predict_on_dataset(pairs, 32, k, use_cuda=False, workers=0, verbose=False)
        return BALD().get_uncertainties(logits)

    return score


def fidelity(images: int) -> None:
    """Spearman and overlap of the top with K = 20,000, of ours and of independent masks as BaaL draws them."""
    from scipy.stats import spearmanr

    network, rows = trained_head(images)
    top = images // 4
    truth = [bald_and_entropy(MCDropout(network, mc_iterations=20_000, seed=99), rows)]
    print(f"fidelity over {images} digits, Spearman and share of the top {top} (BALD; predictive entropy)")

    def report(who: str, found: list[np.ndarray]) -> None:
        parts = [
            f"{spearmanr(a, b)[0]:.4f} and {len(set(np.argsort(-a)[:top]) & set(np.argsort(-b)[:top])) / top:.0%}"
            for a, b in zip(found, truth[0], strict=True)
        ]
        print(f"  {who:<24}: {'; '.join(parts)}", flush=True)

    from loops.uncertainty.closed_form import ClosedForm

    report("labelloop, closed form", bald_and_entropy(ClosedForm(network), rows))
    for k in (20, 100):
        report(f"labelloop, K = {k}", bald_and_entropy(MCDropout(network, mc_iterations=k, seed=0), rows))
    for k in (20, 100, 1_000):
        report(f"baal, K = {k}", baal_bald_and_entropy(network, rows, k))


@torch.inference_mode()
def bald_and_entropy(network: Any, rows: torch.Tensor) -> list[np.ndarray]:
    """Both scores, tile by tile."""
    found = []
    for tile in rows.split(16):
        probs = torch.softmax(network(tile), 1)
        found.append((bald(probs), predictive_entropy(probs)))
    return [torch.cat(scores).numpy() for scores in zip(*found, strict=True)]


def baal_bald_and_entropy(network: nn.Module, rows: torch.Tensor, k: int) -> list[np.ndarray]:
    """The same of draws that BaaL made."""
    from baal import ModelWrapper
    from baal.bayesian.dropout import MCDropoutModule

    torch.manual_seed(0)
    wrapper = ModelWrapper(MCDropoutModule(network).eval(), nn.CrossEntropyLoss(), replicate_in_memory=False)
    probs = torch.softmax(wrapper.predict_on_batch(rows, iterations=k), 1)
    return [bald(probs).numpy(), predictive_entropy(probs).numpy()]


def trained_head(images: int) -> tuple[nn.Module, torch.Tensor]:
    """The features predictor's network after 40 labels, and the embedded digits it has not seen."""
    import csv

    from app.kinds.image import load_image
    from loops.embeddings.features import FeatureStore, embed
    from loops.embeddings.images import candidates
    from loops.predictors.network import Network
    from loops.predictors.network_spec import choose_network

    folder = Path(__file__).parent.parent / "sample_data" / "digits"
    with (folder / "labels.csv").open() as file:
        listed = list(csv.DictReader(file))[: images + 40]
    classes = sorted({row["label"] for row in listed})
    with tempfile.TemporaryDirectory() as cache:
        spec = choose_network("features", candidates([]))
        store = FeatureStore(Path(cache), spec.backbone)
        embed(
            store,
            range(images + 40),
            lambda i: load_image(folder / listed[i]["path"]),
            progress=lambda _done, _total: None,
            on_broken=lambda _i, reason: sys.exit(reason),
            should_stop=lambda: False,
        )
        predictor = Network(spec, store, num_classes=len(classes), seed=0)
        predictor.fit({i: classes.index(listed[i]["label"]) for i in range(40)}, round_number=1)
        features_N_D, head = predictor.penultimate(np.arange(40, images + 40))
    return head.eval(), torch.from_numpy(features_N_D)


if __name__ == "__main__":
    main()
