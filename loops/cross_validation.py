"""What a cross-validation found: an answer for every labeled sample by a predictor that never saw its label."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from loops.checkpoint import SavedCheckpoint
from loops.evaluation.estimates import wilson_interval

if TYPE_CHECKING:
    from loops.predictors.predictor import Predictor


@dataclass(frozen=True)
class CrossValidation:
    """What a run of `KFoldLoop` found. N labeled samples in ascending order of their ids, C classes.

    Where the samples were chosen by a model, so was the accuracy's test set: it says how well the labels at hand are
    learned, not how well the pool is. The folds share training samples, so the interval is a little too narrow.
    """

    sample_ids: NDArray[np.int64]  # `[N]`
    labels_N: NDArray[np.int64]  # class indices, as people gave them
    folds_N: NDArray[np.int64]  # the fold that each was held out in
    probs_N_C: NDArray[np.float32]  # out of fold
    predictors: Mapping[int, Predictor] = field(default_factory=dict)  # by fold: those fitted or loaded in this process
    checkpoints: Mapping[int, SavedCheckpoint] = field(default_factory=dict)  # by fold; none without a folder

    @property
    def labels(self) -> dict[int, int]:
        """Sample id -> class index, as people gave them."""
        return dict(zip(self.sample_ids.tolist(), self.labels_N.tolist(), strict=True))

    @property
    def accuracy(self) -> float:
        """Share of the samples whose label was predicted out of fold."""
        return self._correct / len(self.sample_ids)

    @property
    def interval(self) -> tuple[float, float]:
        """The accuracy's 95 % Wilson interval."""
        return wilson_interval(self._correct, len(self.sample_ids))

    @property
    def unseen(self) -> NDArray[np.bool_]:
        """Whether no other fold held a label of the sample's class, so that its prediction could not be right."""
        pairs_2_N = np.stack([self.labels_N, self.folds_N])
        classes_of_pairs = np.unique(pairs_2_N, axis=1)[0]
        folds_of_class = dict(zip(*np.unique(classes_of_pairs, return_counts=True), strict=True))
        return np.array([folds_of_class[label] == 1 for label in self.labels_N], np.bool_)

    def only(self, sample_ids: Collection[int]) -> CrossValidation:
        """What was found of some of the samples."""
        kept_N = np.isin(self.sample_ids, list(sample_ids))
        found = (self.sample_ids[kept_N], self.labels_N[kept_N], self.folds_N[kept_N], self.probs_N_C[kept_N])
        return CrossValidation(*found, self.predictors, self.checkpoints)

    @property
    def _correct(self) -> int:
        return int((self.probs_N_C.argmax(1) == self.labels_N).sum())


class VotingModel(nn.Module):
    """Several classifiers whose class probabilities are averaged: `[B, ...]` to log-probabilities `[B, C]`.

    Args:
        members: Each from inputs to logits.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.eval()

    def forward(self, x: Any) -> Tensor:  # noqa: ANN401
        """The log of the mean vote."""
        votes = torch.stack([torch.log_softmax(member(x), dim=1) for member in self.members])
        return torch.logsumexp(votes, dim=0) - math.log(len(self.members))
