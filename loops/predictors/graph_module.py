"""The graph's answer as a torch module: its landmarks, where they lie on the graph, and what labels made of it."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, normalize

from loops.embeddings.computed_embedding import MOST_NUMBERS, NAMED, PREPARATIONS, ComputedEmbedding, Embedding
from loops.embeddings.encoder import LearnedEmbedding, prepared_images
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.lite_networks import last_layer
from loops.graph.graph import NEIGHBORS, SCALE_NEIGHBOR
from loops.graph.propagation import REACH_OF_ANSWERS


class GraphModule(nn.Module):
    """Answers for samples that are not on the graph, by what is near them; see `Graph.coordinates`.

    Args:
        graph: With its labels spread over it.
    """

    landmarks_L_D: Tensor
    squares_L: Tensor
    vectors_L_M: Tensor
    stretch_M: Tensor
    coefficients_M_C: Tensor

    def __init__(self, graph: GraphOfPool) -> None:
        super().__init__()
        stored = graph.stored.graph
        self.embed = points_module(graph.embedding)
        landmarks = _tensor(stored.points_L_D)
        self.register_buffer("landmarks_L_D", landmarks)
        self.register_buffer("squares_L", landmarks.square().sum(1))
        self.register_buffer("vectors_L_M", _tensor(stored.vectors_L_M))
        weights = 1.0 / np.sqrt(np.maximum(1.0 - stored.eigenvalues_M, 0.0) + REACH_OF_ANSWERS)
        self.register_buffer("stretch_M", _tensor((weights / weights.max(initial=1e-12)).astype(np.float32)))
        self.register_buffer("coefficients_M_C", _tensor(graph.coefficients_M_C))
        self.k = min(NEIGHBORS, len(stored.points_L_D))

    def forward(self, rows: Tensor) -> Tensor:
        """Class probabilities `[B, C]` of stored rows `[B, *row_shape]`."""
        points = self.embed(rows)
        nearly = self.squares_L - 2.0 * points @ self.landmarks_L_D.T
        near = nearly.topk(self.k, dim=1, largest=False).indices
        squares = (points[:, None] - self.landmarks_L_D[near]).square().sum(2).sort(dim=1)  # exact, where it counts
        near = near.gather(1, squares.indices)
        scale = squares.values[:, min(SCALE_NEIGHBOR, self.k - 1)].clamp_min(1e-12)
        closeness = torch.exp(-squares.values / scale[:, None])
        closeness = closeness / closeness.sum(1, keepdim=True)
        coordinates = (closeness[:, :, None] * self.vectors_L_M[near]).sum(1)
        features = normalize(coordinates * self.stretch_M, dim=1)
        values = (features @ self.coefficients_M_C + 1.0 / self.coefficients_M_C.shape[1]).clamp_min(1e-6)
        return values / values.sum(1, keepdim=True)


def points_module(embedding: Embedding) -> nn.Module:
    """From stored rows to the points in which neighbors are looked for."""
    if isinstance(embedding, LearnedEmbedding):  # the two that `StoredGraph` reads
        return _LearnedPoints(embedding)
    return _ComputedPoints(cast("ComputedEmbedding", embedding))


class MiddledPoints(nn.Module):
    """`GraphOfPool.placed`.

    Args:
        embedding: Makes the points.
        middle: Of the pool, `[P]`.
    """

    middle_P: Tensor

    def __init__(self, embedding: Embedding, middle: NDArray[np.float32]) -> None:
        super().__init__()
        self.embed = points_module(embedding)
        self.register_buffer("middle_P", _tensor(middle))

    def forward(self, rows: Tensor) -> Tensor:
        """Points `[B, P]` of stored rows."""
        points: Tensor = self.embed(rows) - self.middle_P
        return points


class _ComputedPoints(nn.Module):
    """`ComputedEmbedding.points`."""

    mean_D: Tensor
    components_D_P: Tensor

    def __init__(self, embedding: ComputedEmbedding) -> None:
        super().__init__()
        self.name = embedding.name
        self.register_buffer("mean_D", _tensor(embedding.mean_D))
        self.register_buffer("components_D_P", _tensor(embedding.components_D_P))
        weight, bias = last_layer() if self.name == NAMED else (torch.empty(0), torch.empty(0))
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, rows: Tensor) -> Tensor:
        points: Tensor = (self._features(rows) - self.mean_D) @ self.components_D_P
        return points

    def _features(self, rows: Tensor) -> Tensor:
        if rows.ndim == 2:
            unit = normalize(rows, dim=1)
            if self.name != NAMED:
                return unit
            named = nn.functional.linear(rows, self.weight, self.bias).softmax(dim=1).sqrt()  # type: ignore[arg-type]
            return torch.cat([unit, named], dim=1)
        prepared = PREPARATIONS[self.name](rows.float() / 255)
        while prepared.shape[1] * prepared.shape[2] * prepared.shape[3] > MOST_NUMBERS:
            prepared = avg_pool2d(prepared, 2)
        return prepared.flatten(1)


class _LearnedPoints(nn.Module):
    """`LearnedEmbedding.points`, in 32 bits whatever the processor."""

    def __init__(self, embedding: LearnedEmbedding) -> None:
        super().__init__()
        self.computed = _ComputedPoints(embedding.computed)
        self.prepared, self.spacings = embedding.computed.name, embedding.spacings
        self.encoder = embedding.encoder.in_32_bits

    def forward(self, rows: Tensor) -> Tensor:
        encoded = normalize(self.encoder(prepared_images(self.prepared, rows) / 255), dim=1)
        of_computed, of_learned = self.spacings
        return torch.cat([self.computed(rows) / of_computed, encoded / of_learned], dim=1)


def _tensor(array: NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
