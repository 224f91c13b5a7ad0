"""What bfloat16 changes where the processor multiplies it: scores by the same masks, the embedding, and its time.

    OMP_NUM_THREADS=1 python benchmarks/bench_precision.py            a minute
    OMP_NUM_THREADS=1 python benchmarks/bench_precision.py --quick

BALD of embedded digits of sample_data by MC dropout with the same masks, and their EfficientNet-Lite0 features: once in
float32, once as the product computes them. On another processor both are the same, and it says so.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

warnings.filterwarnings("ignore")

from bench_mc_scoring import bald_and_entropy, trained_head  # noqa: E402 - BaaL and Flash warn of themselves on import

from app.kinds.image import load_image  # noqa: E402
from loops.embeddings.embedding import EfficientNetEmbedder  # noqa: E402
from loops.uncertainty.mc_dropout import MCDropout  # noqa: E402

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits" / "pool"
TOP = 100
NEIGHBORS = 10


def main() -> None:
    """Prints how much agrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer images")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"one thread; load at the start {os.getloadavg()[0]:.1f}")
    embedding(64 if options.quick else 512)
    scores(150 if options.quick else 1_000)


def embedding(images: int) -> None:
    """Cosine, neighbors and processor time."""
    with in_float32("loops.embeddings.embedding"):
        exact_ms, exact = embedded(images)
    half_ms, half = embedded(images)
    if np.array_equal(exact, half):
        print("this processor does not multiply bfloat16: all is float32")
    exact, half = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (exact, half))
    cosine_N = (exact * half).sum(1)
    near = [np.argsort(-(rows @ rows.T) + 9 * np.eye(len(rows)), axis=1)[:, :NEIGHBORS] for rows in (exact, half)]
    same = np.mean([len(set(a) & set(b)) / NEIGHBORS for a, b in zip(*near, strict=True)])
    print(f"embedding, {images} images: cosine {np.median(cosine_N):.4f}, worst {cosine_N.min():.4f}")
    print(f"    {same:.0%} of {NEIGHBORS} nearest neighbors; {exact_ms:.1f} and {half_ms:.1f} CPU-ms an image")


def scores(images: int) -> None:
    """BALD by the same masks."""
    network, rows = trained_head(images)
    for k in (20, 100):
        with in_float32("loops.uncertainty.mc_dropout"):
            exact = bald_and_entropy(MCDropout(network, mc_iterations=k, seed=0), rows)[0]
        half = bald_and_entropy(MCDropout(network, mc_iterations=k, seed=0), rows)[0]
        same = len(set(np.argsort(-exact)[:TOP]) & set(np.argsort(-half)[:TOP]))
        print(f"BALD, K = {k}: Spearman {spearmanr(exact, half)[0]:.5f}, {same} of the top {TOP}", flush=True)


@contextlib.contextmanager
def in_float32(module: str) -> Iterator[None]:
    """As on a processor without bfloat16."""
    with mock.patch(f"{module}.half_precision", return_value=contextlib.nullcontext()):
        yield


def embedded(images: int) -> tuple[float, NDArray[np.float32]]:
    """CPU-milliseconds an image, and features `[N, 2560]`."""
    embedder = EfficientNetEmbedder(torch.device("cpu"))
    squares = [embedder.prepare(load_image(file)) for file in sorted(DIGITS.iterdir())[:images]]
    batches = [squares[start : start + embedder.batch_size] for start in range(0, images, embedder.batch_size)]
    embedder.embed(batches[0])  # first calls
    started = time.process_time()
    rows = np.concatenate([embedder.embed(batch) for batch in batches])
    return (time.process_time() - started) / images * 1e3, rows


if __name__ == "__main__":
    main()
