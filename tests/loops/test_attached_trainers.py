"""What a Trainer, its callbacks and other people's hooks may do while a loop is attached to it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import BatchSizeFinder, LearningRateFinder, StochasticWeightAveraging
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from loops import ActiveLearningDataModule, ActiveLearningLoop, KFoldLoop
from loops.errors import AttachError
from tests.loops.attached import QUIET, Classifier, Killed, KilledAt, a_trainer, blobs, equal, weights_of

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]


def two_rounds(module: pl.LightningModule, trainer: pl.Trainer, dataset: Any = None, **data: Any) -> ActiveLearningLoop:
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    options = {"query_size": 6, "batch_size": 3, "test": blobs(12, 1)} | data
    trainer.fit(module, ActiveLearningDataModule(blobs(30) if dataset is None else dataset, **options))
    return loop


class Weights(pl.Callback):
    """Of the ends of epochs and of fits."""

    def __init__(self) -> None:
        self.of_epochs: list[list[dict[str, Tensor]]] = []
        self.of_fits: list[dict[str, Tensor]] = []

    def on_train_start(self, *_: Any) -> None:
        self.of_epochs.append([])

    def on_train_epoch_end(self, _trainer: Any, module: pl.LightningModule) -> None:
        self.of_epochs[-1].append(weights_of(module))

    def on_train_end(self, _trainer: Any, module: pl.LightningModule) -> None:
        self.of_fits.append(weights_of(module))


def test_averaged_weights_are_of_the_round_that_they_end() -> None:
    averaging = StochasticWeightAveraging(0.1, swa_epoch_start=2)
    weights = Weights()
    two_rounds(Classifier(), a_trainer(max_epochs=3, callbacks=(averaging, weights)))
    assert len(weights.of_fits) == 2
    for epochs, fitted in zip(weights.of_epochs, weights.of_fits, strict=True):
        for name, weight in fitted.items():  # of what the last two epochs began with
            assert torch.allclose(weight, (epochs[0][name] + epochs[1][name]) / 2, atol=1e-6)


def test_the_epoch_for_batch_norm_comes_at_the_end_of_each_round() -> None:
    class Normed(Classifier):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))

    weights = Weights()
    trainer = a_trainer(max_epochs=3, callbacks=(StochasticWeightAveraging(0.1, swa_epoch_start=1), weights))
    two_rounds(Normed(), trainer)
    assert [len(epochs) for epochs in weights.of_epochs] == [4, 4]
    assert trainer.max_epochs == 3


def test_the_time_of_a_fit_is_that_of_each_round() -> None:
    class Counted(Classifier):
        steps = 0

        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            self.steps += 1
            return super().training_step(batch, batch_idx)

    module = Counted()
    two_rounds(module, a_trainer(max_epochs=3, max_time={"seconds": 0}))
    assert module.steps == 2  # each is over after its first batch


class OneCycle(Classifier):
    """Its schedule, a function of the number of steps, is no part of a checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), 0.1)
        steps = int(self.trainer.estimated_stepping_batches)
        self.steps.append(steps)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (steps + 1))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def test_a_schedule_is_made_for_the_steps_of_its_round_or_fold() -> None:
    rounds = OneCycle()
    two_rounds(rounds, a_trainer(max_epochs=2))
    assert rounds.steps == [4, 4, 8]  # for the first round, in it, and in the second
    folds, trainer = OneCycle(), a_trainer(max_epochs=1)
    trainer.fit_loop = KFoldLoop(num_folds=3, wrapping=trainer.fit_loop)  # type: ignore[assignment]
    trainer.fit(folds, ActiveLearningDataModule(blobs(30), batch_size=5))
    assert folds.steps[1:] == [4, 4, 4]


class ByHand(Classifier):
    """Accumulates two batches, as only it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Any, batch_idx: int) -> None:  # type: ignore[override]
        optimizer: Any = self.optimizers()
        self.manual_backward(nn.functional.cross_entropy(self(batch[0]), batch[1]))
        if batch_idx % 2 == 1:
            optimizer.step()
            optimizer.zero_grad()


class SavedAtEachBatch(pl.Callback):
    """In the middle of an accumulation too, where `ModelCheckpoint` waits for a step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        trainer.save_checkpoint(self.path)


@pytest.mark.parametrize("kind", [OneCycle, ByHand, Classifier])
@pytest.mark.parametrize("kill", [5, 9])
def test_killed_and_resumed_it_equals_a_run_that_was_left_alone(tmp_path: Path, kind: Any, kill: int) -> None:
    def run(folder: Path, kill: int | None = None, *, resume: bool = False) -> tuple[Any, ...]:
        torch.manual_seed(0)
        module = kind()
        callbacks: list[pl.Callback] = [KilledAt(10**6 if kill is None else kill), SavedAtEachBatch(folder / "at.ckpt")]
        if kind is Classifier:
            callbacks.append(StochasticWeightAveraging(0.1, swa_epoch_start=1))
        trainer = a_trainer(callbacks=tuple(callbacks), max_epochs=3)
        loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
        trainer.fit_loop = loop  # type: ignore[assignment]
        data = ActiveLearningDataModule(blobs(30), query_size=6, batch_size=3, test=blobs(12, 1))
        if kill is None:
            trainer.fit(module, data, ckpt_path=str(folder / "at.ckpt") if resume else None)
        else:
            with pytest.raises(Killed):
                trainer.fit(module, data)
        return loop.curve, weights_of(module)

    whole = run(tmp_path / "whole")
    run(tmp_path / "killed", kill)
    resumed = run(tmp_path / "killed", resume=True)
    assert resumed[0] == whole[0]
    assert equal(resumed[1], whole[1])


class Transferred(Classifier):
    """Puts its rows in their place when they arrive, and noise on those that it trains on."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[tuple[bool, bool]] = []
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        assert x.min() > 50
        return super().forward(x)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        self.stages.append((self.trainer.training, self.training))
        return [batch[0] + 100, batch[1]]


@pytest.mark.filterwarnings("ignore:You have overridden `on_after_batch_transfer` in `LightningModule` but:UserWarning")
def test_a_module_s_own_transfer_hooks_are_called_and_know_training_from_scoring() -> None:
    module = Transferred()
    two_rounds(module, a_trainer(max_epochs=1))
    assert set(module.stages) == {(True, True), (False, False)}
    assert module.stages.count((True, True)) == 2 + 4  # batches


def test_a_data_module_s_transfer_hooks_are_called_and_know_training_from_scoring() -> None:
    called: set[tuple[str, bool]] = set()

    class Hooked(pl.LightningDataModule):
        def train_dataloader(self) -> Any:
            return DataLoader(blobs(30), batch_size=3)

        def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
            called.add(("before", self.trainer.training))  # type: ignore[union-attr]
            return batch

        def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
            called.add(("transfer", self.trainer.training))  # type: ignore[union-attr]
            return super().transfer_batch_to_device(batch, device, dataloader_idx)

    two_rounds(Classifier(), a_trainer(max_epochs=1), Hooked())
    assert called == {(hook, training) for hook in ("before", "transfer") for training in (True, False)}


def test_scoring_leaves_layers_that_are_frozen_in_evaluation_as_they_are() -> None:
    class Frozen(Classifier):
        def on_train_start(self) -> None:
            self.net[2].eval()

        def on_train_end(self) -> None:
            assert self.training
            assert not self.net[2].training

    two_rounds(Frozen(), a_trainer(max_epochs=1))


@pytest.mark.filterwarnings("ignore:torch.set_default_tensor_type:UserWarning")
def test_a_trainer_of_double_precision_scores_in_it_too() -> None:
    assert len(two_rounds(Classifier(), a_trainer(precision=64), acquisition="bald").curve) == 2


def test_the_trainer_tests_on_the_held_out_samples_that_the_curve_is_of() -> None:
    class Tested(Classifier):
        def test_step(self, batch: Any, batch_idx: int) -> None:
            self.log("accuracy", (self(batch[0]).argmax(1) == batch[1]).float().mean())

    module, trainer = Tested(), a_trainer()
    loop = two_rounds(module, trainer)
    found = trainer.test(module, trainer.datamodule, verbose=False)  # type: ignore[attr-defined]
    assert found[0]["accuracy"] == pytest.approx(loop.curve[-1][1])


def test_a_forward_that_logs_is_scored_and_logs_its_training_alone() -> None:
    class Logging(Classifier):
        def forward(self, x: Tensor) -> Tensor:
            self.log("mean", x.mean(), on_epoch=True, on_step=False)
            self.log_dict({"rows": float(len(x))})
            return super().forward(x)

    module = Logging()
    loop = two_rounds(module, a_trainer(max_epochs=1), acquisition="bald")
    assert len(loop.curve) == 2
    assert "mean" in module.trainer.callback_metrics


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.spectral_norm])
@pytest.mark.filterwarnings("ignore:.torch.nn.utils.weight_norm. is deprecated:FutureWarning")
def test_a_module_that_keeps_what_it_computed_is_copied_without_its_graph(norm: Any) -> None:
    class Keeping(Classifier):
        def __init__(self) -> None:
            super().__init__()
            self.net[0] = norm(self.net[0])
            self.losses: list[Any] = []

        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            loss = super().training_step(batch, batch_idx)
            self.losses.append({"loss": loss})
            return loss

    module = Keeping()
    assert len(two_rounds(module, a_trainer(max_epochs=1)).curve) == 2
    assert len(module.losses) == 2 + 4


class OneLogit(Classifier):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        assert batch[1].dtype == torch.float32  # as the dataset has them
        return nn.functional.binary_cross_entropy_with_logits(self(batch[0])[:, 0], batch[1])


def two_classes(count: int, seed: int = 0) -> TensorDataset:
    rows, labels = blobs(count, seed).tensors
    return TensorDataset(rows, (labels == 0).float())


def test_a_single_logit_is_refused_with_what_to_say_of_it_and_that_works() -> None:
    with pytest.raises(AttachError, match=r"found shape \[1, 1\]; where one number tells two classes apart") as refusal:
        two_rounds(OneLogit(), a_trainer(), two_classes(30), test=two_classes(12, 1))
    said = eval(str(refusal.value).partition("logits=")[2], {"torch": torch})
    torch.manual_seed(0)
    trainer = a_trainer(max_epochs=40)
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2, logits=said)
    trainer.fit_loop = loop  # type: ignore[assignment]
    data = ActiveLearningDataModule(two_classes(30), query_size=10, acquisition="bald", test=two_classes(12, 1))
    trainer.fit(OneLogit(), data)
    assert loop.curve[-1][1] > 0.8
    assert torch.equal(said(torch.tensor([2.0, -1.0])), torch.tensor([[0.0, 2.0], [0.0, -1.0]]))


class Probabilities(Classifier):
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.net(x), dim=1)


def test_probabilities_in_place_of_logits_are_told_with_what_makes_logits_of_them() -> None:
    with pytest.warns(UserWarning, match="forward\\(\\) seems to give probabilities"):
        two_rounds(Probabilities(), a_trainer(max_epochs=1))
    trainer = a_trainer(max_epochs=1)
    trainer.fit_loop = ActiveLearningLoop(  # type: ignore[assignment]
        wrapping=trainer.fit_loop, rounds=1, logits=lambda p: p.clamp_min(1e-12).log()
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*seems to give probabilities")
        trainer.fit(Probabilities(), ActiveLearningDataModule(blobs(30), query_size=6))


@pytest.mark.parametrize(
    ("outer", "inner"),
    [(KFoldLoop, ActiveLearningLoop), (KFoldLoop, KFoldLoop), (ActiveLearningLoop, ActiveLearningLoop)],
)
def test_rounds_inside_folds_or_any_loop_twice_is_refused(outer: Any, inner: Any) -> None:
    trainer = a_trainer()
    trainer.fit_loop = outer(wrapping=inner(wrapping=trainer.fit_loop))
    with pytest.raises(AttachError, match=f"{outer.__name__} cannot wrap {inner.__name__}: rounds are outermost"):
        trainer.fit(Classifier(), ActiveLearningDataModule(blobs(30), query_size=6))


def test_numbers_that_mean_nothing_are_refused() -> None:
    wrapped = a_trainer().fit_loop
    for options in ({"rounds": -1}, {"mc_iterations": 1}):
        with pytest.raises(AttachError, match="rounds is 0 or more and mc_iterations 2 or more"):
            ActiveLearningLoop(wrapping=wrapped, **options)  # type: ignore[arg-type]
    with pytest.raises(AttachError, match="num_folds must be 2 or more, found 1"):
        KFoldLoop(num_folds=1, wrapping=wrapped)


@pytest.mark.parametrize("search", [LearningRateFinder, BatchSizeFinder])
def test_a_search_that_would_run_all_rounds_is_refused_before_anybody_is_asked(search: Any) -> None:
    def nobody(_ids: list[int]) -> Any:
        raise AssertionError("asked")

    with pytest.raises(AttachError, match="search learning rate and batch size before a loop is attached"):
        two_rounds(Classifier(), a_trainer(callbacks=(search(),)), oracle=nobody)


def test_a_tuner_is_refused_too() -> None:
    trainer = a_trainer(auto_lr_find=True)
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)  # type: ignore[assignment]
    with pytest.raises(AttachError, match="search learning rate and batch size before"):
        trainer.tune(Classifier(), ActiveLearningDataModule(blobs(30), query_size=6))


def test_a_run_that_had_ended_goes_on_with_more_rounds_and_measures_none_twice(tmp_path: Path) -> None:
    def run(rounds: int, ckpt_path: str | None = None) -> tuple[pl.Trainer, ActiveLearningLoop]:
        torch.manual_seed(0)
        trainer = a_trainer()
        loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=rounds)
        trainer.fit_loop = loop  # type: ignore[assignment]
        data = ActiveLearningDataModule(blobs(30), query_size=6, test=blobs(12, 1))
        trainer.fit(Classifier(), data, ckpt_path=ckpt_path)
        return trainer, loop

    run(2)[0].save_checkpoint(tmp_path / "ended.ckpt")
    whole = run(4)[1].curve
    assert run(2, str(tmp_path / "ended.ckpt"))[1].curve == whole[:2]
    assert run(4, str(tmp_path / "ended.ckpt"))[1].curve == whole


def test_a_checkpoint_of_another_dataset_is_refused(tmp_path: Path) -> None:
    trainer = a_trainer()
    two_rounds(Classifier(), trainer)
    trainer.save_checkpoint(tmp_path / "of-30.ckpt")
    other = a_trainer()
    other.fit_loop = ActiveLearningLoop(wrapping=other.fit_loop, rounds=4)  # type: ignore[assignment]
    with pytest.raises(AttachError, match=r"the checkpoint is of another dataset: it knows sample .*, here are 3"):
        other.fit(Classifier(), ActiveLearningDataModule(blobs(3)), ckpt_path=str(tmp_path / "of-30.ckpt"))


class Lazy(Classifier):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(3))


def test_a_lazy_layer_that_has_no_weights_yet_is_refused_with_what_to_do() -> None:
    with pytest.raises(AttachError, match=r"net.0.weight of a lazy layer has no shape yet; call the module"):
        two_rounds(Lazy(), a_trainer())
    module = Lazy()
    module(torch.zeros(1, 4))
    assert len(two_rounds(module, a_trainer()).curve) == 2


class Validated(Classifier):
    def __init__(self) -> None:
        super().__init__()
        self.validated: set[tuple[int, int]] = set()

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.validated.add((dataloader_idx, len(batch[0])))


class OfTwoValidations(pl.LightningDataModule):
    def train_dataloader(self) -> Any:
        return DataLoader(blobs(30), batch_size=3)

    def val_dataloader(self) -> Any:
        return [DataLoader(blobs(1), batch_size=3), DataLoader(blobs(2), batch_size=3)]


def test_several_validation_sets_are_several_dataloaders() -> None:
    for dataset, val in ((blobs(30), [blobs(1), blobs(2)]), (OfTwoValidations(), None)):
        module = Validated()
        two_rounds(module, a_trainer(max_epochs=1), dataset, val=val)
        assert module.validated == {(0, 1), (1, 2)}


def test_a_list_of_samples_is_one_validation_set() -> None:
    module = Validated()
    two_rounds(module, a_trainer(max_epochs=1), val=[(torch.zeros(4), 0), (torch.ones(4), 1)])
    assert module.validated == {(0, 2)}


def test_buffers_that_no_checkpoint_holds_begin_anew_too() -> None:
    began: list[float] = []

    class Counting(Classifier):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("steps", torch.zeros(1), persistent=False)

        def on_train_start(self) -> None:
            began.append(self.steps.item())

        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            self.steps += 1
            return super().training_step(batch, batch_idx)

    two_rounds(Counting(), a_trainer())
    assert began == [0, 0]


def test_a_trainer_whose_loop_was_taken_off_again_fits_other_data() -> None:
    class Others(pl.LightningDataModule):
        def train_dataloader(self) -> Any:
            return DataLoader(blobs(6), batch_size=2)

    trainer, weights = a_trainer(), Weights()
    loop = two_rounds(Classifier(), trainer)
    trainer.fit_loop = loop.wrapped  # type: ignore[assignment]
    trainer.fit_loop.max_epochs = 3
    trainer.callbacks.append(weights)  # type: ignore[attr-defined]
    trainer.fit(Classifier(), Others())
    assert [len(epochs) for epochs in weights.of_epochs] == [1]


def test_logits_that_are_not_where_they_are_said_to_be_are_named() -> None:
    class Named(Classifier):
        def forward(self, x: Tensor) -> Any:
            return {"scores": self.net(x)}

    trainer = a_trainer()
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, logits="logit")  # type: ignore[assignment]
    with pytest.raises(AttachError, match=r"logits='logit' is nowhere in what forward.. gives, a dict with scores"):
        trainer.fit(Named(), ActiveLearningDataModule(blobs(30)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cold_start": "colder"}, "there is no cold start 'colder'; known are"),
        ({"plain": blobs(5)}, "plain= and embedding= must have as many rows as the dataset, 30"),
        ({"embedding": torch.zeros(5, 2)}, "plain= and embedding= must have as many rows as the dataset, 30"),
    ],
)
def test_what_does_not_fit_the_dataset_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(AttachError, match=said):
        ActiveLearningDataModule(blobs(30), **options)
