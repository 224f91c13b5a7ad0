"""A forest as a torch module: all trees are walked at once, node by node."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier
from torch import Tensor, nn


class TreesModule(nn.Module):
    """The mean of all trees' answers.

    Args:
        forest: Fitted.
        num_classes: C.
    """

    column_T_N: Tensor
    threshold_T_N: Tensor
    low_T_N: Tensor
    high_T_N: Tensor
    share_T_N_C: Tensor

    def __init__(self, forest: ExtraTreesClassifier, num_classes: int) -> None:
        super().__init__()
        trees = [member.tree_ for member in forest.estimators_]
        shape = len(trees), max(tree.node_count for tree in trees)
        column, low, high = (np.zeros(shape, np.int64) for _ in range(3))
        threshold, shares = np.zeros(shape), np.zeros((*shape, num_classes), np.float32)
        for t, tree in enumerate(trees):
            nodes, leaf = np.arange(tree.node_count), tree.children_left < 0
            column[t, nodes] = np.where(leaf, 0, tree.feature)
            threshold[t, nodes] = tree.threshold
            low[t, nodes] = np.where(leaf, nodes, tree.children_left)  # a leaf stays where it is
            high[t, nodes] = np.where(leaf, nodes, tree.children_right)
            counts = tree.value[:, 0]
            shares[t, nodes[:, None], forest.classes_[None]] = counts / counts.sum(axis=1, keepdims=True)
        arrays = {
            "column_T_N": column, "threshold_T_N": threshold, "low_T_N": low, "high_T_N": high, "share_T_N_C": shares,
        }  # fmt: skip
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(array))
        self.depth = max(tree.max_depth for tree in trees)

    def forward(self, rows: Tensor) -> Tensor:
        """Class probabilities `[B, C]` of rows of numbers `[B, D]`."""
        trees = torch.arange(self.column_T_N.shape[0])[None]
        node = torch.zeros_like(rows[:, :1], dtype=torch.long) + torch.zeros_like(trees)
        numbers = rows.double()
        for _ in range(self.depth):
            value = numbers.gather(1, self.column_T_N[trees, node])
            is_low = value <= self.threshold_T_N[trees, node]
            node = torch.where(is_low, self.low_T_N[trees, node], self.high_T_N[trees, node])
        return self.share_T_N_C[trees, node].mean(1)
