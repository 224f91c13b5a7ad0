"""The 64 smoothest functions on a graph of neighbors: Chebyshev-filtered subspace iteration against ARPACK.

    python benchmarks/bench_eigenvectors.py --mnist mnist.npz --table adult-pool.csv

Graphs as the product builds them, of images by their 50 principal components and of a table's rows by its columns; the
rows are drawn with replacement and moved as in `bench_large_pools.py`. Largest residual: of `A v - lambda v`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from bench_large_pools import breast_cancer, rows_of
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from loops.graph.eigenvectors import largest_eigenpairs
from loops.graph.graph import COORDINATES, NEIGHBORS, connect
from loops.graph.nearest import nearest

Solver = Callable[[sp.csr_matrix], tuple[NDArray[Any], NDArray[Any]]]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--samples", type=int, default=20_000, help="rows of the table")
    parser.add_argument("--quick", action="store_true", help="2,000 samples")
    options = parser.parse_args()
    print("| pool | samples | solver | CPU-s | largest residual | eigenvalues differ by |\n|---|---|---|---|---|---|")
    for name, points in pools(options):
        matrix, first = normalized(points), None
        for solver, solve in SOLVERS.items():
            began = time.process_time()
            values, vectors = solve(matrix)
            seconds = time.process_time() - began
            residual = np.linalg.norm(matrix @ vectors - vectors * values, axis=0).max()
            first = values if first is None else first
            difference = np.abs(values - first).max()
            print(
                f"| {name} | {len(points):,} | {solver} | {seconds:.1f} | {residual:.0e} | {difference:.0e} |",
                flush=True,
            )


def pools(options: argparse.Namespace) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Points in which neighbors are looked for."""
    count = 2_000 if options.quick else options.samples
    table = rows_of(pd.read_csv(options.table) if options.table else breast_cancer(), count).drop(columns="label")
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(sparse_output=False), make_column_selector(dtype_exclude="number")),
    )
    yield options.table.stem if options.table else "breast cancer", columns.fit_transform(table).astype(np.float32)
    if options.mnist:
        with np.load(options.mnist) as data:
            images = data["x_train"][: 2_000 if options.quick else None]
        flat = images.reshape(len(images), -1).astype(np.float32) / 255
        yield "MNIST", PCA(50, random_state=0).fit_transform(flat).astype(np.float32)


def normalized(points: NDArray[np.float32]) -> sp.csr_matrix:
    """The matrix whose eigenvectors are wanted: `D^-1/2 W D^-1/2` of the graph."""
    adjacency = connect(nearest(points, points, NEIGHBORS + 1))
    roots = sp.diags(1 / np.sqrt(np.maximum(np.asarray(adjacency.sum(1)).ravel(), 1e-12)))
    return (roots @ adjacency @ roots).tocsr()


def arpack(matrix: sp.csr_matrix) -> tuple[NDArray[Any], NDArray[Any]]:
    """Scipy's, one vector after another."""
    guess = np.random.default_rng(0).random(matrix.shape[0])
    values, vectors = eigsh(matrix, k=COORDINATES, which="LA", v0=guess, tol=1e-4)
    order = np.argsort(-values)
    return values[order], vectors[:, order]


SOLVERS: dict[str, Solver] = {
    "ARPACK": arpack,
    "LabelLoop": lambda matrix: largest_eigenpairs(matrix, COORDINATES, 0),
}


if __name__ == "__main__":
    main()
