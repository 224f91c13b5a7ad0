"""What a person might give for a predictor: in place of a module of one's own."""

from __future__ import annotations

from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from loops.embeddings.features import FeatureStore
from loops.predictors.graph import GraphPredictor

three_neighbors = KNeighborsClassifier(3)


def made_of_a_pipeline() -> Any:
    """A function that gives one."""
    return make_pipeline(StandardScaler(), LogisticRegression())


class Mine(GraphPredictor):
    """A predictor of one's own."""

    def __init__(self, store: FeatureStore, *, num_classes: int, seed: int, mc_iterations: int) -> None:
        super().__init__(store, num_classes=num_classes, seed=seed, mc_iterations=mc_iterations)


class Linear(pl.LightningModule):
    """A LightningModule as somebody has it."""

    trainer_options: ClassVar[dict[str, Any]] = {"max_epochs": 60, "accelerator": "cpu"}

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(2560, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.02)


def four_logits() -> Linear:
    """Of one class too many."""
    return Linear(4)
