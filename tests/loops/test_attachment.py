"""A loop in `trainer.fit_loop`, with modules that somebody else wrote."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.demos.boring_classes import BoringModel
from pytorch_lightning.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from loops import ActiveLearningDataModule, ActiveLearningLoop, KFoldLoop, YieldLoop
from loops.errors import AttachError
from loops.frozen import ClassificationTask, FlashDataModule, FlashTrainer, RunningStage, heuristics
from tests.loops.attached import QUIET, Classifier, Killed, KilledAt, Noisy, a_trainer, blobs, equal, weights_of

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]
LABELS = [i % 3 for i in range(30)]


def an_active_run(
    module: pl.LightningModule,
    trainer: pl.Trainer,
    *,
    rounds: int = 2,
    data: dict[str, Any] | None = None,
    **of_loop: Any,
) -> ActiveLearningLoop:
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=rounds, **of_loop)
    trainer.fit_loop = loop  # type: ignore[assignment]
    samples = ActiveLearningDataModule(blobs(30), **{"query_size": 6, "test": blobs(12, 1)} | (data or {}))
    trainer.fit(module, samples)
    return loop


class Watching(pl.Callback):
    """Notes what each fit began with and saw."""

    def __init__(self) -> None:
        self.began: list[dict[str, Tensor]] = []
        self.optimizers: list[torch.optim.Optimizer] = []
        self.steps: list[tuple[int, int]] = []
        self.labels: list[list[int]] = []
        self.hooks: list[str] = []

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.hooks.append("start")
        self.began.append(weights_of(module))
        self.optimizers.append(trainer.optimizers[0])
        self.labels.append([])

    def on_train_batch_start(self, trainer: pl.Trainer, _module: Any, batch: Any, _idx: int) -> None:
        self.steps.append((trainer.current_epoch, trainer.global_step))
        self.labels[-1] += batch[1].tolist()

    def on_train_end(self, *_: Any) -> None:
        self.hooks.append("end")


def test_the_curve_holds_labels_and_accuracy_of_each_round() -> None:
    torch.manual_seed(5)  # one start in twelve learns less
    loop = an_active_run(Classifier(), a_trainer(max_epochs=30), rounds=3, data={"oracle": LABELS})
    assert [labels for labels, _ in loop.curve] == [6, 12, 18]
    assert loop.curve[-1][1] > 0.8
    assert loop.stop_reason == "all rounds are over"


def test_each_round_is_a_fit_of_its_own() -> None:
    watching = Watching()
    an_active_run(Classifier(), a_trainer(callbacks=(watching,)))
    first, second = watching.began
    assert equal(first, second)
    assert watching.optimizers[0] is not watching.optimizers[1]
    assert watching.steps == [(0, 0), (1, 1)] * 2
    assert watching.hooks == ["start", "end"] * 2


def test_weights_may_be_kept_between_rounds() -> None:
    watching = Watching()
    an_active_run(Classifier(), a_trainer(callbacks=(watching,)), reset_weights=False)
    assert not equal(*watching.began)


def test_the_labels_come_from_the_oracle_and_only_what_was_asked_is_trained_on() -> None:
    asked: list[list[int]] = []

    def oracle(indices: list[int]) -> list[int | None]:
        asked.append(indices)
        return [None if index == indices[0] else 2 - index % 3 for index in indices]

    watching = Watching()
    loop = an_active_run(Classifier(), a_trainer(max_epochs=1, callbacks=(watching,)), data={"oracle": oracle})
    assert [len(indices) for indices in asked] == [6, 6]
    assert not set(asked[0]) & set(asked[1])
    answered = [2 - index % 3 for indices in asked for index in indices[1:]]
    assert sorted(watching.labels[1]) == sorted(answered)
    assert loop.curve[-1][0] == 10


def test_a_skipped_sample_is_not_asked_again() -> None:
    seen: set[int] = set()

    def oracle(indices: list[int]) -> list[int | None]:
        assert not seen & set(indices)
        seen.update(indices)
        return [None] * len(indices)

    an_active_run(Classifier(), a_trainer(), rounds=0, data={"oracle": oracle, "cold_start": "random"})
    assert seen == set(range(30))


def test_test_samples_are_never_trained_on() -> None:
    held_out = TensorDataset(torch.full((3, 4), 99.0), torch.tensor([0, 1, 2]))
    seen: list[Tensor] = []

    class Seeing(Classifier):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            seen.append(batch[0])
            return super().training_step(batch, batch_idx)

    an_active_run(Seeing(), a_trainer(), data={"test": held_out})
    assert seen
    assert torch.cat(seen).max() < 99


@pytest.mark.parametrize(
    "acquisition", ["bald", "margin", "batch_bald", "badge", "epig", "vaal", "random", "committee_bald"]
)
def test_it_asks_by_any_function_of_the_catalog(acquisition: str) -> None:
    assert len(an_active_run(Classifier(), a_trainer(max_epochs=1), data={"acquisition": acquisition}).curve) == 2


def test_it_asks_by_a_heuristic_of_baals_or_a_function_of_the_scripts() -> None:
    def least_first(probs_N_C_K: Any) -> Any:
        return -probs_N_C_K[:, 0].mean(-1)

    for acquisition in (heuristics.BALD(), least_first):
        assert len(an_active_run(Classifier(), a_trainer(max_epochs=1), data={"acquisition": acquisition}).curve) == 2


def test_what_needs_a_graph_is_refused_in_a_sentence() -> None:
    with pytest.raises(AttachError, match="auto asks by a graph of the pool"):
        an_active_run(Classifier(), a_trainer(), data={"acquisition": "auto"})


def test_other_data_are_refused_in_a_sentence() -> None:
    trainer = a_trainer()
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=1)  # type: ignore[assignment]
    with pytest.raises(AttachError, match="needs an ActiveLearningDataModule as data; found none"):
        trainer.fit(Classifier(), torch.utils.data.DataLoader(blobs(6)))


class Boring(BoringModel):  # type: ignore[misc]
    """Lightning's own demo, whose steps take an input alone and which has no dropout."""

    def step(self, batch: Any) -> Tensor:
        return super().step(batch[0] if isinstance(batch, list) else batch)


def test_lightnings_boring_model_is_asked_by_drop_connect() -> None:
    pool = TensorDataset(torch.randn(30, 32), torch.arange(30) % 2)
    trainer = a_trainer(limit_val_batches=0)
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    trainer.fit(Boring(), ActiveLearningDataModule(pool, query_size=6, acquisition="bald", test=pool))
    assert [labels for labels, _ in loop.curve] == [6, 12]


def a_flash_task() -> ClassificationTask:
    task = ClassificationTask(
        nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)),
        loss_fn=nn.functional.cross_entropy,
        num_classes=3,
        optimizer="sgd",
        learning_rate=0.1,
    )
    task.backbone = task.model[0]
    return task


@pytest.mark.parametrize("strategy", ["no_freeze", "freeze", ("freeze_unfreeze", 1)])
@pytest.mark.filterwarnings("ignore:The model contains a default finetune callback:UserWarning")
@pytest.mark.filterwarnings("ignore:The provided params to be frozen already exist:UserWarning")
def test_a_task_of_flashs_is_fine_tuned_by_its_own_strategies(strategy: Any) -> None:
    watching, task = Watching(), a_flash_task()
    trainer = FlashTrainer(
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[watching],
    )
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
    trainer.fit_loop = loop
    before = task.backbone.weight.detach().clone()
    data = ActiveLearningDataModule(blobs(30), query_size=6, acquisition="bald", test=blobs(12, 1))
    trainer.finetune(task, datamodule=data, strategy=strategy)
    assert [labels for labels, _ in loop.curve] == [6, 12]
    assert torch.equal(task.backbone.weight, before) == (strategy == "freeze")
    assert equal(*watching.began)


@pytest.mark.filterwarnings("ignore:Please pass an instantiated object of the `InputTransform`:FutureWarning")
def test_a_data_module_of_flashs_is_taken_over() -> None:
    from flash.core.data.io.input import DataKeys, Input

    class Blobs(Input):  # type: ignore[misc]
        def load_data(self, count: int) -> list[dict[str, Any]]:
            return [{DataKeys.INPUT: row, DataKeys.TARGET: int(label)} for row, label in blobs(count)]

    class OnDictionaries(Classifier):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            return super().training_step((batch[DataKeys.INPUT], batch[DataKeys.TARGET]), batch_idx)

    module = FlashDataModule(Blobs(RunningStage.TRAINING, 30), test_input=Blobs(RunningStage.TESTING, 12), batch_size=4)
    trainer = a_trainer()
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    trainer.fit(OnDictionaries(), ActiveLearningDataModule(module, query_size=6))
    assert [labels for labels, _ in loop.curve] == [6, 12]


def test_two_optimizers_step_by_a_yield_loop_inside_a_round() -> None:
    class Two(Classifier):
        def training_step(self, batch: Any, batch_idx: int) -> Any:  # type: ignore[override]
            yield nn.functional.cross_entropy(self(batch[0]), batch[1])
            yield self.net[3].bias.square().sum() + 0 * self(batch[0]).sum()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.net[0].parameters(), 0.1), torch.optim.SGD(self.net[3].parameters(), 0.1)

    trainer = a_trainer()
    trainer.fit_loop.epoch_loop.batch_loop.connect(optimizer_loop=YieldLoop())
    assert len(an_active_run(Two(), trainer).curve) == 2


def test_early_stopping_begins_anew_in_each_round() -> None:
    watching = Watching()
    stopping = EarlyStopping("train_loss", mode="max", patience=2)
    an_active_run(Classifier(), a_trainer(max_epochs=20, callbacks=(watching, stopping)))
    first, second = (i for i, (epoch, _) in enumerate(watching.steps) if epoch == 0)
    assert first == 0
    assert 3 <= second < 20
    assert len(watching.steps) - second >= 3


def test_the_logger_goes_on_counting_through_the_rounds(tmp_path: Path) -> None:
    logger = CSVLogger(str(tmp_path))
    an_active_run(Classifier(), a_trainer(logger=logger, log_every_n_steps=1))
    lines = (Path(logger.log_dir) / "metrics.csv").read_text().splitlines()
    steps = [int(line.split(",")[lines[0].split(",").index("step")]) for line in lines[1:]]
    assert sorted(set(steps)) == [0, 1, 2, 3]


def test_k_fold_predicts_each_label_out_of_fold_and_its_folds_vote() -> None:
    trainer = a_trainer(max_epochs=30)
    loop = KFoldLoop(num_folds=3, wrapping=trainer.fit_loop)
    trainer.fit_loop = loop  # type: ignore[assignment]
    trainer.fit(Classifier(), ActiveLearningDataModule(blobs(30)))
    assert loop.result is not None
    assert loop.result.sample_ids.tolist() == list(range(30))
    assert loop.result.accuracy > 0.8
    rows, labels = blobs(12, 1).tensors
    votes = loop.voting_model()(rows)
    assert torch.allclose(votes.exp().sum(1), torch.ones(12), atol=1e-5)
    members = torch.stack([torch.softmax(member(rows), 1) for member in loop.voting_model().members]).mean(0)
    assert torch.allclose(votes.exp(), members, atol=1e-5)
    assert (votes.argmax(1) == labels).float().mean() > 0.7


def test_cross_validation_inside_a_round() -> None:
    trainer = a_trainer()
    inner = KFoldLoop(num_folds=2, wrapping=trainer.fit_loop)
    loop = ActiveLearningLoop(wrapping=inner, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    trainer.fit(Classifier(), ActiveLearningDataModule(blobs(30), query_size=6, test=blobs(12, 1)))
    assert [labels for labels, _ in loop.curve] == [6, 12]
    assert inner.result is not None
    assert len(inner.result.sample_ids) == 12


# State: killed at any batch, resumed from last.ckpt.


def a_resumable_run(
    folder: Path, *, kill: int | None = None, resume: bool = False, nested: bool = False, init: int = 0, **options: Any
) -> tuple[Any, ...]:
    torch.manual_seed(init)
    module, counting = Classifier(), KilledAt(10**6 if kill is None else kill)
    trainer = a_trainer(folder, callbacks=(counting,), **options)
    inner = KFoldLoop(num_folds=2, wrapping=trainer.fit_loop) if nested else trainer.fit_loop
    loop = ActiveLearningLoop(wrapping=inner, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    samples = ActiveLearningDataModule(
        Noisy(40), query_size=8, acquisition="bald", test=blobs(20, 1), batch_size=3, seed=1 if resume else 0
    )
    if kill is not None:
        with pytest.raises(Killed):
            trainer.fit(module, samples)
    else:
        trainer.fit(module, samples, ckpt_path="last" if resume else None)
    answered = list(loop._oracle.answered.items()) if kill is None else []  # type: ignore[attr-defined]
    return loop.curve, answered, weights_of(module), counting.seen


@pytest.mark.parametrize(
    ("kill", "nested", "options"),
    [
        (2, False, {}),
        (3, False, {}),  # between two epochs
        (9, False, {}),
        (9, False, {"accumulate_grad_batches": 2}),
        (4, True, {}),
        (12, True, {"accumulate_grad_batches": 2}),
    ],
)
def test_killed_at_a_batch_and_resumed_equals_an_uninterrupted_run_to_the_last_bit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kill: int, nested: bool, options: dict[str, Any]
) -> None:
    whole = a_resumable_run(tmp_path / "whole", nested=nested, **options)
    a_resumable_run(tmp_path / "killed", kill=kill, nested=nested, **options)
    with caplog.at_level(logging.WARNING):  # the module's first weights and the seed of the data are others by now
        resumed = a_resumable_run(tmp_path / "killed", resume=True, nested=nested, init=9, **options)
    assert resumed[:2] == whole[:2]
    assert equal(resumed[2], whole[2])
    assert resumed[3] <= whole[3] - kill + 1
    assert "the checkpoint was drawn from seed 0 and goes on with it; the data says 1" in caplog.text


def test_the_state_holds_who_asks_what_was_answered_and_the_curve(tmp_path: Path) -> None:
    a_resumable_run(tmp_path)
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)["loops"]["fit_loop"]["state_dict"]
    assert saved["asked_by"] == "Classifier"
    assert saved["seed"] == 0
    assert [labels for labels, _ in saved["curve"]] == [8]
    assert len(saved["oracle"]["answered"]) == 16


def test_the_module_s_trainer_is_not_copied() -> None:
    from loops.predictors.logits import Logits

    module, trainer = Classifier(), a_trainer()
    module.trainer = trainer
    assert copy.deepcopy(Logits(module)).module.trainer is module.trainer
