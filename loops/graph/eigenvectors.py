"""The largest eigenvalues of a sparse symmetric matrix, and their vectors, by Chebyshev-filtered subspace iteration.

A polynomial of the matrix is cheap to apply to many vectors at once, and one that is small wherever the unwanted
eigenvalues lie turns a random subspace into the wanted one within a few steps (Zhou, Saad, Tiago and Chelikowsky 2006,
"Self-consistent-field calculations using Chebyshev-filtered subspace iteration"). Of a graph of neighbors the wanted
eigenvalues lie close together below 1, and the products cost little: ARPACK, which orthogonalizes one vector after
another, takes several times as long and misses some. See docs/decisions/0038-eigenvectors.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import reverse_cuthill_mckee

TOLERANCE = 2e-5  # of the residuals; the products are in single precision
GROWTH = 1e5  # of the largest eigenvalue's part against the unwanted in a step; more is beyond single precision
MOST_STEPS = 50
_FIRST_DEGREE, _MOST_DEGREE = 6, 200
_LEAST_LENGTH = 1e-12

Block = NDArray[np.float32]


def largest_eigenpairs(
    matrix: sp.csr_matrix, count: int, seed: int, check: Callable[[], None] = lambda: None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the largest eigenvalues, largest first, with their vectors.

    Args:
        matrix: ``[N, N]``, symmetric, with eigenvalues from -1 to 1.
        count: M; fewer than half of N.
        seed: Of the first guess.
        check: Called before each product; may raise.

    Returns:
        ``values_M`` and orthonormal ``vectors_N_M``, each with a residual of at most `TOLERANCE`, unless `MOST_STEPS`
        were not enough: then with what those have found.
    """
    n = matrix.shape[0]
    near = reverse_cuthill_mckee(matrix, symmetric_mode=True)  # neighbors lie near each other in memory
    matrix = matrix[near][:, near]
    single = matrix.astype(np.float32)
    guess = np.random.default_rng(seed % 2**32).standard_normal((n, min(count + max(count // 2, 8), n)), np.float32)
    block_N_B: Block = _orthonormal(guess)
    unwanted = 0.0  # eigenvalues below `unwanted` are damped; it is never above the last of the block
    for step in range(MOST_STEPS):
        degree = _FIRST_DEGREE if step == 0 else _degree(unwanted)
        filtered = _filtered(single, block_N_B, unwanted, degree, check)
        values_B, block_N_B, products_N_B = _rotated(single, _orthonormal(filtered))
        residual = float(
            np.linalg.norm(products_N_B[:, :count] - block_N_B[:, :count] * values_B[:count], axis=0).max()
        )
        if residual <= TOLERANCE:
            break
        unwanted = min(float(values_B[-1]), 1.0 - 1e-6)
    # Once more in double precision: what matters of the first eigenvalues is how little they lie below 1.
    values_B, vectors_N_B, _ = _rotated(matrix, _orthonormal(block_N_B.astype(np.float64)))
    return values_B[:count], vectors_N_B[np.argsort(near), :count]


def _degree(unwanted: float) -> int:
    """Of the polynomial that lets the part of eigenvalue 1 grow by `GROWTH`."""
    center, radius = (unwanted - 1.0) / 2.0, (unwanted + 1.0) / 2.0
    return int(np.clip(np.arccosh(GROWTH) / np.arccosh((1.0 - center) / radius), 2, _MOST_DEGREE))


def _filtered(matrix: sp.csr_matrix, block: Block, unwanted: float, degree: int, check: Callable[[], None]) -> Block:
    """A Chebyshev polynomial of the matrix, at most 1 from -1 to `unwanted`, scaled to 1 at eigenvalue 1."""
    center, radius = (unwanted - 1.0) / 2.0, (unwanted + 1.0) / 2.0
    first = scale = radius / (1.0 - center)
    check()
    before: Block = block
    now: Block = (matrix @ block - np.float32(center) * block) * np.float32(scale / radius)
    for _ in range(degree - 1):
        check()
        following = 1.0 / (2.0 / first - scale)
        after: Block = matrix @ now
        after -= np.float32(center) * now
        after *= np.float32(2.0 * following / radius)
        after -= np.float32(scale * following) * before
        before, now, scale = now, after, following
    return now


def _orthonormal(block_N_B: NDArray) -> NDArray:  # type: ignore[type-arg]
    """The same subspace with an orthonormal basis: by the small matrix of inner products, faster than QR."""
    double = block_N_B.astype(np.float64)
    lengths_B, turn_B_B = np.linalg.eigh(double.T @ double)
    if lengths_B[0] <= _LEAST_LENGTH * lengths_B[-1]:  # inner products say too little of vectors that nearly depend
        return np.linalg.qr(block_N_B)[0]
    basis: NDArray = double @ (turn_B_B / np.sqrt(lengths_B))  # type: ignore[type-arg]
    return basis.astype(block_N_B.dtype)


def _rotated(matrix: sp.csr_matrix, basis_N_B: NDArray) -> tuple[NDArray, NDArray, NDArray]:  # type: ignore[type-arg]
    """The best approximations within a subspace, largest first: values, vectors, and the matrix times the vectors."""
    products_N_B = matrix @ basis_N_B
    small_B_B = basis_N_B.T @ products_N_B
    values_B, turn_B_B = np.linalg.eigh((small_B_B + small_B_B.T) / 2)
    turn_B_B = np.ascontiguousarray(turn_B_B[:, ::-1])
    return values_B[::-1], basis_N_B @ turn_B_B, products_N_B @ turn_B_B
