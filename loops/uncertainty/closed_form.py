"""MC dropout in the limit of infinitely many masks, for a linear layer behind dropout.

Each logit is a sum of features that are there or not, so mean and covariance over all masks are known exactly:

    E z = W f + b        Cov(z_c, z_d) = p / (1 - p) * sum_j f_j^2 W_cj W_dj

and with many features the sum is nearly Gaussian. Entropies are then means over a Gaussian in a space of C - 1
dimensions, whatever the number of features. See docs/decisions/0010.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from loops.uncertainty.dropout_split import split_at_dropout

POINTS = 64  # of the Gaussian; the error of 64 aligned points is below that of 1,000 masks
FEWEST_FEATURES = 64  # below that a sum of masked features is no Gaussian
MOST_CLASSES = 32  # C (C + 1) / 2 covariances are computed; with more classes K masks are cheaper
_ROWS = 1_024  # samples at once: their covariances stay in the cache


def has_closed_form(network: nn.Module) -> bool:
    """Whether there is one dropout, right before the last layer, and that layer is linear, wide and of few classes."""
    _, tail = split_at_dropout(network)
    return (
        len(tail) == 2
        and isinstance(tail[0], nn.Dropout)
        and isinstance(tail[1], nn.Linear)
        and 0 < tail[0].p < 1
        and tail[1].in_features >= FEWEST_FEATURES
        and 2 <= tail[1].out_features <= MOST_CLASSES
    )


class ClosedForm(nn.Module):
    """A network that `has_closed_form`, asked for points of its logits' Gaussian: `[B, ...]` to `[B, C, POINTS]`.

    The points of a sample are equally likely. They are no masks: two samples' n-th points have nothing in common, so
    they cannot be used together, as BatchBALD and EPIG would.

    Args:
        network: Copied, not changed.
    """

    _weights: Tensor
    _bias: Tensor
    _pairs: Tensor
    _where: Tensor
    _points: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.prefix, (dropout, linear) = split_at_dropout(copy.deepcopy(network))
        assert isinstance(dropout, nn.Dropout)
        assert isinstance(linear, nn.Linear)
        # What is common to all classes changes no probability: without it one dimension less is to be covered.
        weights_C_D = (linear.weight - linear.weight.mean(0)).detach()
        bias = torch.zeros(len(weights_C_D)) if linear.bias is None else (linear.bias - linear.bias.mean()).detach()
        first, second = torch.tril_indices(len(weights_C_D), len(weights_C_D))
        pairs_P_D = dropout.p / (1 - dropout.p) * weights_C_D[first] * weights_C_D[second]
        where_C_C = torch.empty(len(weights_C_D), len(weights_C_D), dtype=torch.long)
        where_C_C[first, second] = where_C_C[second, first] = torch.arange(len(pairs_P_D))
        for name, value in (("_weights", weights_C_D), ("_bias", bias), ("_pairs", pairs_P_D), ("_where", where_C_C)):
            self.register_buffer(name, value)
        # One piece of memory for all tiles: new pages cost more than what is computed in them.
        self._squares, self._logits = torch.empty(0), torch.empty(0, 0)
        self.register_buffer("_points", gaussian_points(len(weights_C_D) - 1, POINTS))
        self.eval()

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Logits `[B, C, POINTS]`."""
        return torch.cat([piece.clone() for piece in self.pieces(x)])

    def pieces(self, x: Tensor) -> Iterator[Tensor]:
        """Logits, tile by tile, less that of the class whose mean is highest; each is overwritten by the next."""
        for features in torch.split(self.prefix(x), _ROWS):
            mean_C_B, covariance_P_B = self._moments(features)
            directions_C_D_B = _directions(mean_C_B, covariance_P_B, self._where)
            mean_C_B = mean_C_B - mean_C_B.amax(0)
            if len(self._logits) != mean_C_B.numel():
                self._logits = self._points.new_empty(mean_C_B.numel(), self._points.shape[1])
            torch.mm(directions_C_D_B.permute(2, 0, 1).flatten(0, 1), self._points, out=self._logits)
            yield self._logits.view(len(features), len(mean_C_B), -1).add_(mean_C_B.T.unsqueeze(-1))

    @torch.no_grad()
    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean `[B, C]` and covariance `[B, C, C]` over all masks of the logits, less their mean over the classes."""
        mean_C_B, covariance_P_B = self._moments(self.prefix(x))
        return mean_C_B.T, covariance_P_B[self._where].permute(2, 0, 1)

    def _moments(self, features_B_D: Tensor) -> tuple[Tensor, Tensor]:
        if self._squares.shape != features_B_D.shape:
            self._squares = torch.empty_like(features_B_D)
        squares_B_D = torch.mul(features_B_D, features_B_D, out=self._squares)
        return torch.addmm(self._bias[:, None], self._weights, features_B_D.T), self._pairs @ squares_B_D.T


def _directions(mean_C_B: Tensor, covariance_P_B: Tensor, where_C_C: Tensor) -> Tensor:
    """`[C, C - 1, B]`: times a standard Gaussian, how each class gains on the likeliest.

    Cholesky, of all samples at once, in the order of the classes' means: so the first direction is that in which the
    second class gains on the first, and points are spread most evenly where the decision is.
    """
    order_C_B = mean_C_B.argsort(0, descending=True)
    top_B, others = order_C_B[0], order_C_B[1:]
    variance_B = covariance_P_B.gather(0, where_C_C[top_B, top_B][None])
    with_top = covariance_P_B.gather(0, where_C_C[others, top_B])
    gains = torch.zeros(len(order_C_B), len(others), mean_C_B.shape[1], device=mean_C_B.device)
    columns = gains[1:]
    for j in range(len(others)):
        below = covariance_P_B.gather(0, where_C_C[others[j:], others[j]]) - with_top[j:] - with_top[j] + variance_B
        most_B = below[0]
        below = below - (columns[j:, :j] * columns[j, :j]).sum(1)
        # A direction that has (but for rounding) no variance of its own.
        scale_B = torch.where(below[0] > 1e-6 * most_B, below[0].clamp_min(1e-20).rsqrt(), 0.0)
        columns[j:, j] = below * scale_B
    return torch.zeros_like(gains).scatter_(0, order_C_B[:, None].expand_as(gains), gains)


def gaussian_points(dimensions: int, count: int) -> Tensor:
    """Points of a standard Gaussian, `[dimensions, count]`: evenly spread, with exactly its mean and covariance.

    Sobol's sequence and its mirror image, whitened.

    Args:
        dimensions: At least 1.
        count: Even, more than twice the dimensions.
    """
    engine = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=0)  # type: ignore[no-untyped-call]
    uniform = engine.draw(count // 2, dtype=torch.float64)
    half = torch.special.ndtri(uniform.clamp(1e-9, 1 - 1e-9))
    points = torch.cat([half, -half])
    whitening = torch.linalg.cholesky(points.T @ points / count)
    whitened: Tensor = torch.linalg.solve_triangular(whitening, points.T, upper=False)
    return whitened.float()
