"""What our loops need of Lightning 1.9.5, member by member; and its own contracts of loops, kept by ours."""

from __future__ import annotations

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loops import FitLoop, Loop
from torch import nn

from loops import ActiveLearningDataModule, ActiveLearningLoop, KFoldLoop
from loops.lightning_private import (
    PRIVATE,
    PUBLIC,
    FitStart,
    WrappingLoop,
    before_transfers,
    reset_progress,
    trainer_of,
)
from loops.unfinished_fit import Unfinished
from tests.loops.attached import QUIET, Classifier, Killed, KilledAt, a_trainer, blobs

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]


class Twice(WrappingLoop[None]):
    """Runs what it wraps two times."""

    def __init__(self, wrapping: Loop[Any]) -> None:
        super().__init__(wrapping)
        self.ran = 0

    @property
    def done(self) -> bool:
        return self.ran == 2

    def reset(self) -> None:
        self.ran = 0

    def advance(self) -> None:
        reset_progress(self.fit_loop)
        assert self.wrapped is not None
        self.wrapped.run()
        self.ran += 1


def a_loader() -> torch.utils.data.DataLoader[Any]:
    return torch.utils.data.DataLoader(blobs(6), batch_size=3)


@pytest.mark.parametrize("name", [*PUBLIC, *PRIVATE])
def test_lightnings_fit_loop_still_has_each_member_that_is_passed_on(name: str) -> None:
    found = name in dir(FitLoop) or name in vars(FitLoop())
    assert found, f"FitLoop of Lightning {pl.__version__} has no {name}"
    assert name in vars(WrappingLoop)


def test_what_a_trainer_asks_of_its_fit_loop_comes_from_the_wrapped_one() -> None:
    trainer = a_trainer(max_epochs=3)
    outer = Twice(Twice(trainer.fit_loop))
    trainer.fit_loop = outer  # type: ignore[assignment]
    assert outer.epoch_loop is outer.fit_loop.epoch_loop
    outer.max_epochs = 7
    assert trainer.max_epochs == outer.fit_loop.max_epochs == 7
    assert trainer.current_epoch == trainer.global_step == 0


def test_a_typo_is_no_wrapped_attribute() -> None:
    with pytest.raises(AttributeError, match="epoch_lop"):
        Twice(FitLoop()).epoch_lop  # type: ignore[attr-defined]  # noqa: B018


def test_without_a_wrapped_loop_the_message_says_so() -> None:
    class Alone(Twice):
        def __init__(self) -> None:
            WrappingLoop.__init__(self)

    with pytest.raises(AttributeError, match="Alone wraps no fit loop, so it has no max_epochs"):
        Alone().max_epochs  # noqa: B018


# Contracts that Lightning's own tests hold its loops to.


def test_attaching_gives_the_trainer_to_every_loop_below() -> None:
    trainer = a_trainer()
    outer = Twice(Twice(trainer.fit_loop))
    with pytest.raises(RuntimeError, match="not attached to a Trainer"):
        outer.trainer  # noqa: B018
    trainer.fit_loop = outer  # type: ignore[assignment]
    inner = outer.wrapped
    assert isinstance(inner, Twice)
    assert outer.trainer is inner.trainer is outer.fit_loop.trainer is outer.fit_loop.epoch_loop.batch_loop.trainer


def test_restarting_is_passed_down_and_ends_with_the_first_step() -> None:
    trainer = a_trainer(max_epochs=1)
    outer = Twice(trainer.fit_loop)
    trainer.fit_loop = outer  # type: ignore[assignment]
    outer.load_state_dict(outer.state_dict())
    assert outer.restarting
    trainer.fit(Classifier(), a_loader())
    assert not outer.restarting


def test_the_state_of_the_loops_below_is_in_the_state_under_their_names() -> None:
    outer = Twice(Twice(FitLoop(max_epochs=2)))
    state = outer.state_dict()
    assert {"state_dict", "wrapped.state_dict", "wrapped.wrapped.epoch_loop.batch_progress"} <= state.keys()
    state["wrapped.wrapped.epoch_progress"]["total"]["completed"] = 5
    other = Twice(Twice(FitLoop(max_epochs=2)))
    other.fit_loop.trainer = a_trainer()
    other.load_state_dict(state)
    assert other.fit_loop.epoch_progress.total.completed == 5


def test_the_sub_loops_of_the_wrapped_loop_can_be_replaced() -> None:
    class Mine(pl.loops.OptimizerLoop):  # type: ignore[misc]
        """Counts its runs."""

        runs = 0

        def on_run_end(self) -> Any:
            type(self).runs += 1
            return super().on_run_end()

    trainer = a_trainer(max_epochs=1)
    trainer.fit_loop = Twice(trainer.fit_loop)  # type: ignore[assignment]
    trainer.fit_loop.epoch_loop.batch_loop.connect(optimizer_loop=Mine())
    trainer.fit(Classifier(), a_loader())
    assert Mine.runs == 4


def test_nothing_is_trained_where_training_is_limited_to_no_batch() -> None:
    trainer, counting = a_trainer(limit_train_batches=0), KilledAt(0)
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)  # type: ignore[assignment]
    trainer.callbacks.append(counting)
    trainer.fit(Classifier(), ActiveLearningDataModule(blobs(12), query_size=4))
    assert counting.seen == 0


def test_an_error_inside_a_round_is_raised_and_counts_the_round_as_not_completed() -> None:
    trainer = a_trainer(callbacks=(KilledAt(1),))
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)
    trainer.fit_loop = loop  # type: ignore[assignment]
    with pytest.raises(Killed):
        trainer.fit(Classifier(), ActiveLearningDataModule(blobs(30), query_size=6, batch_size=2))
    current = loop.progress.current
    assert (current.ready, current.completed) == (2, 1)  # the round that began without a model, and the one that broke


def test_a_loop_may_be_run_again() -> None:
    trainer = a_trainer(max_epochs=1)
    loop = KFoldLoop(num_folds=2, wrapping=trainer.fit_loop)
    trainer.fit_loop = loop  # type: ignore[assignment]
    for _ in range(2):
        trainer.fit(Classifier(), ActiveLearningDataModule(blobs(12)))
        assert loop.progress.current.completed == 2


# Each private member, and what is needed of it.


def test_the_trainer_of_a_module_is_none_before_it_has_one() -> None:
    assert trainer_of(Classifier()) is None


def a_fitted_trainer(*callbacks: pl.Callback, **options: Any) -> tuple[pl.Trainer, Classifier]:
    trainer, module = a_trainer(callbacks=callbacks, **options), Classifier()
    trainer.fit(module, a_loader())
    return trainer, module


def test_a_checkpoint_callback_saves_in_a_second_fit_of_as_many_steps(tmp_path: Any) -> None:
    saving = ModelCheckpoint(str(tmp_path), save_last=True)
    trainer, module = a_trainer(max_epochs=1, enable_checkpointing=True, callbacks=(saving,)), Classifier()
    module.trainer = trainer
    trainer.strategy.connect(module)
    start = FitStart(trainer)
    trainer.fit(module, a_loader())
    assert saving._last_global_step_saved == 2
    (tmp_path / "last.ckpt").unlink()
    trainer.state.fn = pl.trainer.states.TrainerFn.FITTING
    start.begin(trainer, trainer.fit_loop)
    assert saving._last_global_step_saved == 0
    assert saving.last_model_path.endswith("last.ckpt")


def test_early_stopping_forgets_the_fit_before() -> None:
    stopping = EarlyStopping("train_loss", patience=1)
    trainer, module = a_trainer(callbacks=(stopping,)), Classifier()
    module.trainer = trainer
    trainer.strategy.connect(module)
    start = FitStart(trainer)
    stopping.wait_count, trainer.should_stop = 1, True
    trainer.state.fn = pl.trainer.states.TrainerFn.FITTING
    start.begin(trainer, trainer.fit_loop)
    assert stopping.wait_count == 0
    assert not trainer.should_stop


class InTheMiddle(pl.Callback):
    """Looks at the state after the first of two batches."""

    def on_train_batch_end(self, trainer: pl.Trainer, _module: Any, _outputs: Any, _batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:
            self.state = Unfinished.state_dict(trainer, trainer.fit_loop)


def test_gradients_that_wait_for_the_next_batch_are_in_the_state() -> None:
    looking = InTheMiddle()
    a_fitted_trainer(looking, max_epochs=1, accumulate_grad_batches=2)
    assert looking.state["gradients"].keys() == dict(Classifier().named_parameters()).keys()
    looking = InTheMiddle()
    a_fitted_trainer(looking, max_epochs=1)
    assert looking.state["gradients"] == {}


def test_the_sums_of_what_is_logged_for_an_epoch_are_in_the_state_and_taken_over() -> None:
    looking = InTheMiddle()
    trainer, module = a_fitted_trainer(looking, max_epochs=1)
    (logged,) = looking.state["sums"]
    assert (logged["name"], logged["batch_size"].item()) == ("train_loss", 3)
    logged["value"] = torch.tensor(42.0)
    trainer.strategy.connect(module)
    Unfinished.load_state_dict(trainer, trainer.fit_loop, looking.state)
    metric = trainer.fit_loop.epoch_loop._results["training_step.train_loss"]
    assert metric.compute().item() == 14.0


def test_a_scheduler_that_steps_by_epochs_steps_once_in_an_interrupted_epoch() -> None:
    class Watched(Classifier):
        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), 1.0)
            return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]

    from loops.unfinished_fit import epoch_is_over

    trainer, module = a_trainer(max_epochs=1), Watched()
    trainer.fit(module, a_loader())
    trainer.fit_loop._restarting = True
    epoch_is_over(trainer.fit_loop)
    assert trainer.fit_loop._restarting is False
    assert trainer.optimizers[0].param_groups[0]["lr"] == 0.5


def test_frozen_weights_are_frozen_again_and_thawed_ones_thawed() -> None:
    trainer, module = a_trainer(), Classifier()
    frozen, free = list(module.parameters())[:2]
    frozen.requires_grad = False
    module.trainer = trainer
    trainer.strategy.connect(module)
    start = FitStart(trainer)
    frozen.requires_grad, free.requires_grad = True, False
    trainer.state.fn = pl.trainer.states.TrainerFn.FITTING
    start.begin(trainer, trainer.fit_loop)
    assert (frozen.requires_grad, free.requires_grad) == (False, True)
    assert isinstance(module.net, nn.Sequential)


def test_each_batch_is_announced_before_it_is_brought_to_the_device() -> None:
    happened: list[Any] = []

    class Told(Classifier):
        def on_train_start(self) -> None:
            before_transfers(self.trainer.fit_loop, happened.append)

        def on_before_batch_transfer(self, batch: Any, _dataloader_idx: int) -> Any:
            happened.append("brought")
            return batch

    a_trainer().fit(Told(), a_loader())  # two epochs of two batches
    assert happened == [0, "brought", 1, "brought"] * 2
