"""Scripts as people write them in an afternoon: they run, or are refused with what to do."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelPruning
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler, WeightedRandomSampler

from loops import ActiveLearningDataModule, ActiveLearningLoop
from loops.errors import AttachError, IdenticalDrawsError
from tests.loops.attached import QUIET, Classifier, a_trainer, blobs

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]


def labels_of_rounds(module: pl.LightningModule, **trainer: Any) -> list[int]:
    made = a_trainer(**trainer)
    loop = ActiveLearningLoop(wrapping=made.fit_loop, rounds=2)
    made.fit_loop = loop  # type: ignore[assignment]
    made.fit(module, ActiveLearningDataModule(blobs(30), query_size=6, batch_size=3, test=blobs(12, 1)))
    return [labels for labels, _ in loop.curve]


@pytest.mark.parametrize("kept", [threading.Lock(), (part for part in "ab"), sys.stdout])
def test_what_a_module_keeps_and_cannot_be_copied_is_shared(kept: Any) -> None:
    module = Classifier()
    module.kept = kept
    module.net[0].also = [kept]
    assert labels_of_rounds(module) == [6, 12]


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_a_scripted_network_is_said_to_have_no_dropout_that_could_be_seen() -> None:
    module = Classifier()
    module.net = torch.jit.script(module.net)  # type: ignore[assignment]
    with pytest.raises(IdenticalDrawsError, match="neither dropout nor a linear layer whose weights could be dropped"):
        labels_of_rounds(module)


def test_a_forward_that_needs_labels_is_refused_with_what_to_do() -> None:
    class WithLoss(Classifier):
        def forward(self, x: Tensor, y: Tensor) -> Any:  # type: ignore[override]
            return nn.functional.cross_entropy(self.net(x), y)

    with pytest.raises(AttachError, match=r"forward\(x: .*, y: .*\).* the inputs alone; give what else it takes a def"):
        labels_of_rounds(WithLoss())


def test_a_forward_that_fails_by_itself_says_what_it_says() -> None:
    class Wrong(Classifier):
        def forward(self, x: Tensor) -> Tensor:
            return self.net(x, 1)

    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        labels_of_rounds(Wrong())


def test_weights_that_became_nan_are_named() -> None:
    class Exploding(Classifier):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            return super().training_step(batch, batch_idx) * float("nan")

    with pytest.raises(AttachError, match=r"Exploding answers NaN: .*a learning rate that is too high"):
        labels_of_rounds(Exploding())


def test_layers_that_stay_pruned_are_named() -> None:
    pruning = ModelPruning("l1_unstructured", amount=0.3, make_pruning_permanent=False)
    with pytest.raises(AttachError, match=r"layers of Classifier are no longer .*net\.0\.weight_orig"):
        labels_of_rounds(Classifier(), callbacks=(pruning,))


@pytest.mark.parametrize("arrays", [(torch.zeros(9, 4), torch.zeros(9)), [np.zeros((9, 4)), np.zeros(9)]])
def test_rows_and_labels_that_are_no_samples_are_refused_with_what_to_make_of_them(arrays: Any) -> None:
    with pytest.raises(AttachError, match=r"dataset must hold samples \(x, y\), .* of 2 arrays; .*TensorDataset"):
        ActiveLearningDataModule(arrays)


class Sampled(pl.LightningDataModule):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(blobs(9), **self.options)


def weighted() -> Sampler[int]:
    return WeightedRandomSampler([1.0] * 9, 9)


@pytest.mark.parametrize(
    "options", [{"sampler": weighted(), "batch_size": 4}, {"batch_sampler": BatchSampler(weighted(), 4, False)}]
)
def test_a_sampler_of_ones_own_is_said_not_to_be_used(options: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match="WeightedRandomSampler of train_dataloader.* is not used"):
        ActiveLearningDataModule(Sampled(**options))


def test_the_size_of_batches_is_that_of_a_batch_sampler(recwarn: pytest.WarningsRecorder) -> None:
    data = ActiveLearningDataModule(Sampled(batch_sampler=BatchSampler(RandomSampler(range(9)), 4, False)))
    data.begin_fit(dict.fromkeys(range(8), 0), seed=0)
    assert data.train_dataloader().batch_size == 4
    assert not [warning for warning in recwarn if "is not used" in str(warning.message)]
