"""What a module holds beside its weights begins each round as it was at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from loops import ActiveLearningDataModule, ActiveLearningLoop, KFoldLoop
from loops.module_state import give, state_of, unsaved_of
from tests.loops.attached import QUIET, Classifier, Killed, KilledAt, a_trainer, blobs, weights_of

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]


class Counting(Classifier):
    """Counts its steps in extra state, keeps the very object that it is given, and trains otherwise by it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = {"steps": 0}
        self.began: list[int] = []

    def get_extra_state(self) -> dict[str, int]:
        return self.kept

    def set_extra_state(self, state: dict[str, int]) -> None:
        self.kept = state

    def on_train_start(self) -> None:
        self.began.append(self.kept["steps"])

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.kept["steps"] += 1
        return super().training_step([batch[0] * (1 + 0.05 * self.kept["steps"]), batch[1]], batch_idx)


def a_run(
    module: Any, folder: Path | None = None, *, kill: int = 10**6, resume: bool = False, folds: bool = False
) -> Any:
    trainer = a_trainer(folder, callbacks=(KilledAt(kill),))
    inner = KFoldLoop(num_folds=2, wrapping=trainer.fit_loop) if folds else trainer.fit_loop
    loop = ActiveLearningLoop(wrapping=inner, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    data = ActiveLearningDataModule(blobs(30), query_size=6, batch_size=3, test=blobs(12, 1))
    trainer.fit(module, data, ckpt_path="last" if resume else None)
    return loop.curve


def test_extra_state_begins_each_round_anew() -> None:
    module = Counting()
    a_run(module)
    assert module.began == [0, 0]
    assert module.kept["steps"] == 8  # two epochs of four batches, of twelve labels


@pytest.mark.parametrize("kill", [3, 7])
def test_extra_state_goes_on_where_it_was(tmp_path: Path, kill: int) -> None:
    torch.manual_seed(0)
    whole = Counting()
    curve = a_run(whole)
    torch.manual_seed(0)
    with pytest.raises(Killed):
        a_run(Counting(), tmp_path, kill=kill)
    resumed = Counting()
    assert a_run(resumed, tmp_path, resume=True) == curve
    assert resumed.kept == whole.kept
    assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), resumed.parameters(), strict=True))


class Remembering(Classifier):
    """A bank that grows, a mean that there is not at first, and both where no checkpoint holds them."""

    def __init__(self) -> None:
        super().__init__()
        for name, saved in (("", True), ("_unsaved", False)):
            self.register_buffer("bank" + name, torch.zeros(0, 4), persistent=saved)
            self.register_buffer("mean" + name, None, persistent=saved)
        self.began: list[Any] = []

    def on_train_start(self) -> None:
        self.began.append((len(self.bank), len(self.bank_unsaved), self.mean, self.mean_unsaved))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.bank = torch.cat([self.bank, batch[0]])
        self.bank_unsaved = torch.cat([self.bank_unsaved, batch[0]])
        self.mean = self.mean_unsaved = batch[0].mean(0)
        return super().training_step(batch, batch_idx)


@pytest.mark.parametrize("folds", [False, True])
def test_buffers_that_grew_or_were_none_begin_each_fit_anew(*, folds: bool) -> None:
    module = Remembering()
    a_run(module, folds=folds)
    assert module.began == [(0, 0, None, None)] * (4 if folds else 2)


def test_a_buffer_that_became_none_is_given_back() -> None:
    module = nn.BatchNorm1d(3)
    before, unsaved = state_of(module), unsaved_of(module)
    module.running_mean = None
    give(module, before, unsaved)
    assert module.running_mean is not None
    assert torch.equal(module.running_mean, torch.zeros(3))
    assert weights_of(module).keys() == before.keys()
