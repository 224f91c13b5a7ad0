"""What Lightning 1.9.5 promises of every loop, held to by ours; docs/loops.md has the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loops import FitLoop, Loop, OptimizerLoop, TrainingEpochLoop
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from loops import ActiveLearningDataModule, ActiveLearningLoop, KFoldLoop, YieldLoop
from tests.loops.attached import QUIET, Classifier, a_trainer, blobs, equal, weights_of

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]

HOOKS = ("reset", "on_run_start", "on_advance_start", "advance", "on_advance_end", "on_run_end")


def rounds(wrapping: Loop[Any]) -> ActiveLearningLoop:
    """Two of them; the cold start before them is an `advance` too."""
    return ActiveLearningLoop(wrapping=wrapping, rounds=2)


def folds(wrapping: Loop[Any]) -> KFoldLoop:
    return KFoldLoop(num_folds=3, wrapping=wrapping)


def folds_in_rounds(wrapping: Loop[Any]) -> ActiveLearningLoop:
    return rounds(KFoldLoop(num_folds=2, wrapping=wrapping))


OURS = pytest.mark.parametrize("make", [rounds, folds, folds_in_rounds])


def attached(make: Any, **options: Any) -> tuple[pl.Trainer, Any]:
    trainer = a_trainer(**{"max_epochs": 1} | options)
    loop = make(trainer.fit_loop)
    trainer.fit_loop = loop
    return trainer, loop


def some_data() -> ActiveLearningDataModule:
    return ActiveLearningDataModule(blobs(30), query_size=6, test=blobs(12, 1))


def noting(called: list[str], hook: str, act: Any) -> Any:
    def noted(*args: Any, **kwargs: Any) -> Any:
        called.append(hook)
        return act(*args, **kwargs)

    return noted


@pytest.mark.parametrize(("make", "steps"), [(rounds, 3), (folds, 3)])
def test_the_hooks_come_in_the_order_of_the_protocol(make: Any, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, loop = attached(make)
    called: list[str] = []
    for hook in HOOKS:
        monkeypatch.setattr(loop, hook, noting(called, hook, getattr(loop, hook)))
    trainer.fit(Classifier(), some_data())
    step = ["on_advance_start", "advance", "on_advance_end"]
    assert called == ["reset", "on_run_start", *step * steps, "on_run_end"]


@OURS
def test_what_is_ready_was_started_processed_and_completed_when_a_run_has_ended(make: Any) -> None:
    trainer, loop = attached(make)
    trainer.fit(Classifier(), some_data())
    current = loop.progress.current
    assert current.ready == current.started == current.processed == current.completed == 3


def test_a_loop_that_is_done_advances_no_more_and_ends_properly() -> None:
    """Everybody is asked already: the first look at the oracle finds nothing to do."""

    class Nobody:
        def answer(self, query: Any) -> None:
            assert query is None

    trainer, loop = attached(rounds)
    trainer.fit(Classifier(), ActiveLearningDataModule(blobs(30), oracle=Nobody()))
    assert loop.done
    assert (loop.progress.current.ready, loop.curve) == (0, [])


@OURS
def test_a_loop_has_no_trainer_before_it_is_attached_and_then_all_below_have_the_same(make: Any) -> None:
    alone = make(FitLoop(max_epochs=1))
    with pytest.raises(RuntimeError, match="not attached to a Trainer"):
        alone.trainer  # noqa: B018
    trainer, loop = attached(make)
    while isinstance(loop, ActiveLearningLoop | KFoldLoop):
        assert loop.trainer is trainer
        loop = loop.wrapped
    assert loop.trainer is loop.epoch_loop.trainer is loop.epoch_loop.batch_loop.trainer is trainer


def test_a_loop_that_is_attached_to_another_trainer_belongs_to_that_one_with_all_below() -> None:
    loop = attached(rounds)[1]
    second = a_trainer(max_epochs=1)
    second.fit_loop = loop
    assert loop.trainer is loop.fit_loop.trainer is loop.fit_loop.epoch_loop.trainer is second
    second.fit(Classifier(), some_data())
    assert [labels for labels, _ in loop.curve] == [6, 12]
    assert second.global_step > 0


def test_loops_of_two_trainers_know_nothing_of_each_other() -> None:
    (first, one), (_, other) = attached(rounds), attached(rounds)
    first.fit(Classifier(), some_data())
    assert len(one.curve) == 2
    assert (other.curve, other.progress.total.ready, other.fit_loop.epoch_progress.total.ready) == ([], 0, 0)


@OURS
def test_a_state_that_is_loaded_is_the_state_that_was_saved(make: Any, tmp_path: Path) -> None:
    trainer, _ = attached(make)
    trainer.fit(Classifier(), some_data())
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    saved = torch.load(tmp_path / "end.ckpt", weights_only=True)["loops"]["fit_loop"]
    assert {"state_dict", "progress", "wrapped.state_dict"} <= saved.keys()
    _, fresh = attached(make)
    assert fresh.progress.state_dict() != saved["progress"]
    fresh.load_state_dict(saved)
    again = progress_in(fresh)
    assert again == {name: value for name, value in saved.items() if name in again}
    assert len(again) > 4


def progress_in(loop: Loop[Any], prefix: str = "") -> dict[str, Any]:
    """All counters of a tree of loops under the names that a checkpoint has for them."""
    found: dict[str, Any] = {}
    for name, value in vars(loop).items():
        if isinstance(value, Loop):
            found |= progress_in(value, f"{prefix}{name}.")
        elif hasattr(value, "reset_on_restart") or hasattr(value, "increment_ready"):
            found[prefix + name] = value.state_dict()
    return found


@OURS
def test_restarting_is_told_to_all_below_and_is_over_after_a_run(make: Any) -> None:
    trainer, loop = attached(make)
    loop.epoch_progress.current.ready = 1  # in the middle of an epoch: otherwise a FitLoop has nothing to restart
    loop.load_state_dict(loop.state_dict())
    assert loop.restarting
    assert loop.wrapped.restarting
    assert loop.fit_loop.epoch_loop.restarting
    trainer.fit(Classifier(), some_data())
    assert not loop.restarting
    assert not loop.fit_loop.restarting
    assert not loop.fit_loop.epoch_loop.restarting


def test_a_checkpoint_of_a_plain_fit_gives_its_weights_and_the_rounds_begin_anew(tmp_path: Path) -> None:
    plain, module = a_trainer(max_epochs=3), Classifier()
    plain.fit(module, torch.utils.data.DataLoader(blobs(6), batch_size=3))
    plain.save_checkpoint(tmp_path / "plain.ckpt")
    began: list[Any] = []

    class Looking(pl.Callback):
        def on_train_start(self, _trainer: Any, module: pl.LightningModule) -> None:
            began.append(weights_of(module))

    trainer, loop = attached(rounds, callbacks=(Looking(),))
    trainer.fit(Classifier(), some_data(), ckpt_path=str(tmp_path / "plain.ckpt"))
    assert [labels for labels, _ in loop.curve] == [6, 12]
    assert equal(began[0], weights_of(module))


class MyFitLoop(FitLoop):
    """Counts its runs."""

    runs = 0

    def on_run_end(self) -> None:
        self.runs += 1
        super().on_run_end()


class MyEpochLoop(TrainingEpochLoop):
    """One's own."""


def test_the_wrapped_loop_is_replaced_by_a_class_of_the_same_arguments_with_all_below_it() -> None:
    trainer, loop = attached(rounds, max_epochs=2)
    epoch_loop = loop.epoch_loop
    loop.replace(wrapped=MyFitLoop)
    assert isinstance(loop.wrapped, MyFitLoop)
    assert (loop.wrapped.max_epochs, loop.wrapped.epoch_loop, loop.wrapped.trainer) == (2, epoch_loop, trainer)
    trainer.fit(Classifier(), some_data())
    assert loop.wrapped.runs == 2


def test_a_class_of_other_arguments_is_refused_and_an_object_is_not() -> None:
    class Other(FitLoop):
        def __init__(self, speed: int) -> None:
            super().__init__()

    _, loop = attached(rounds)
    with pytest.raises(MisconfigurationException, match="signatures match"):
        loop.replace(wrapped=Other)
    mine = MyFitLoop(max_epochs=1)
    loop.replace(wrapped=mine)
    assert loop.wrapped is mine


@OURS
def test_what_is_put_into_a_trainers_fit_loop_goes_to_the_one_at_the_bottom(make: Any) -> None:
    trainer, loop = attached(make)
    trainer.fit_loop.replace(epoch_loop=MyEpochLoop)
    assert isinstance(loop.fit_loop.epoch_loop, MyEpochLoop)
    mine = MyEpochLoop()
    trainer.fit_loop.connect(epoch_loop=mine)
    assert loop.fit_loop.epoch_loop is mine


def test_a_yield_loop_is_connected_in_the_optimizer_loops_place() -> None:
    trainer, _ = attached(rounds)
    batch_loop = trainer.fit_loop.epoch_loop.batch_loop
    assert type(batch_loop.optimizer_loop) is OptimizerLoop
    batch_loop.connect(optimizer_loop=YieldLoop())
    assert type(batch_loop.optimizer_loop) is YieldLoop


def test_a_step_is_replaced_by_a_subclass() -> None:
    class Counting(ActiveLearningLoop):
        """Counts its fits."""

        fits = 0

        def fit(self, answers: Any) -> None:
            super().fit(answers)
            self.fits += 1

    trainer, loop = attached(lambda wrapping: Counting(wrapping=wrapping, rounds=2))
    trainer.fit(Classifier(), some_data())
    assert loop.fits == 3


@pytest.mark.parametrize("step", ["fit", "evaluate", "score_pool", "ask"])
def test_a_stop_iteration_in_any_step_of_an_attached_round_is_an_error(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends_early(*_: Any) -> None:
        next(iter(()))

    trainer, loop = attached(rounds)
    monkeypatch.setattr(loop, step, ends_early)
    with pytest.raises(RuntimeError, match="StopIteration"):
        trainer.fit(Classifier(), some_data())


@OURS
def test_tearing_down_reaches_the_fit_loop(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, loop = attached(make)
    torn: list[bool] = []
    monkeypatch.setattr(loop.fit_loop, "teardown", lambda: torn.append(True))
    trainer.fit(Classifier(), some_data())
    assert torn == [True]


def test_validation_runs_inside_each_fit_and_the_trainers_other_loops_work_beside() -> None:
    class Validated(Classifier):
        seen = 0

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.seen += len(batch[0])

    module = Validated()
    trainer, _ = attached(rounds, max_epochs=2)
    trainer.fit(module, ActiveLearningDataModule(blobs(30), query_size=6, val=blobs(5, 2)))
    assert module.seen == 2 * 2 * 5  # rounds, epochs, samples
    trainer.validate(module, torch.utils.data.DataLoader(blobs(7, 3)), verbose=False)
    assert module.seen == 2 * 2 * 5 + 7
