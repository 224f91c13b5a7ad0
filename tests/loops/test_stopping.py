from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from loops import ActiveLearningDataModule, ActiveLearningLoop
from loops.errors import OwnCodeError
from loops.stopping import (
    Labels,
    LowUncertainty,
    MeasuredRound,
    SettledAccuracy,
    mean_entropy,
    name_if_met,
    own_criterion,
    reason_to_stop,
)
from tests.loops.attached import QUIET, Classifier, Killed, KilledAt, a_trainer, blobs

pytestmark = [pytest.mark.filterwarnings(warning) for warning in QUIET]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({}, None),
        ({"labels": 30}, "the labeling budget of 30 labels is used up"),
        ({"left": 0}, "every sample of the pool is labeled or skipped"),
        ({"lowest_accuracy": 0.9}, "the target accuracy of 90.0 % is reached"),
        ({"lowest_accuracy": 0.89}, None),
    ],
)
def test_reasons_to_stop(state: dict[str, Any], reason: str | None) -> None:
    usual = {"labels": 29, "left": 5, "lowest_accuracy": 0.5}
    assert reason_to_stop(labeling_budget=30, target_accuracy=0.9, **{**usual, **state}) == reason


def test_a_criterion_that_is_met_is_the_last_reason() -> None:
    state: dict[str, Any] = {"labeling_budget": 30, "target_accuracy": 0.0, "lowest_accuracy": 0.0, "left": 5}
    assert reason_to_stop(**state, labels=29, criterion="mine") == "the stopping criterion mine is met"
    assert reason_to_stop(**state, labels=30, criterion="mine") == "the labeling budget of 30 labels is used up"


def enough_for_me(rounds: Sequence[MeasuredRound]) -> bool:
    return rounds[-1].labels >= 6


twenty, nothing = Labels(20), 3


def test_a_criterion_that_fails_is_named_with_its_error() -> None:
    with pytest.raises(OwnCodeError, match="the stopping criterion sqrt cannot be used: it failed: TypeError"):
        name_if_met(math.sqrt, [MeasuredRound(4)])  # type: ignore[arg-type]


def test_a_criterion_is_named_as_anything_of_ones_own_is() -> None:
    assert own_criterion("loops.stopping:SettledAccuracy") == SettledAccuracy()
    assert own_criterion(f"{__name__}:twenty") == Labels(20)
    assert own_criterion(f"{__name__}:enough_for_me") is enough_for_me
    with pytest.raises(OwnCodeError, match="cannot be made without arguments"):
        own_criterion("loops.stopping:Labels")
    with pytest.raises(OwnCodeError, match="a function from the rounds so far to yes or no"):
        own_criterion(f"{__name__}:nothing")


def test_enough_labels_are_those_that_were_trained_on() -> None:
    assert not Labels(20)([])
    assert not Labels(20)([MeasuredRound(20), MeasuredRound(19)])
    assert Labels(20)([MeasuredRound(10), MeasuredRound(20)])


def test_uncertainty_is_low_below_its_limit_and_unknown_without_a_model() -> None:
    assert not LowUncertainty(0.1)([MeasuredRound(0)])
    assert not LowUncertainty(0.1)([MeasuredRound(10, uncertainty=0.1)])
    assert LowUncertainty(0.1)([MeasuredRound(10, uncertainty=0.5), MeasuredRound(20, uncertainty=0.09)])


@pytest.mark.parametrize(
    ("accuracies", "settled"),
    [
        ([0.9, 0.9], False),  # one round before the latest, two are wanted
        ([0.9, 0.9, 0.9], True),
        ([0.5, 0.89, 0.91, 0.9], True),  # what lay before does not count
        ([0.9, 0.87, 0.9], False),
        ([None, 0.9, None, 0.9, 0.9], True),
    ],
)
def test_accuracy_has_settled_when_it_stayed_near_the_latest(accuracies: list[float | None], settled: bool) -> None:
    rounds = [MeasuredRound(10 * place, accuracy) for place, accuracy in enumerate(accuracies)]
    assert SettledAccuracy(patience=2, epsilon=0.0101)(rounds) is settled


def test_the_mean_entropy_of_a_sure_and_a_torn_answer_is_half_of_ln_2() -> None:
    assert mean_entropy(np.array([[1, 0], [0.5, 0.5]], np.float32)) == pytest.approx(math.log(2) / 2)
    assert mean_entropy(np.empty((0, 2), np.float32)) is None


def a_run(
    stop: Any, folder: Path | None = None, kill: int | None = None, *, resume: bool = False
) -> ActiveLearningLoop:
    torch.manual_seed(9 if resume else 0)
    trainer = a_trainer(folder, callbacks=(KilledAt(kill),) if kill else ())
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, stop=stop)
    trainer.fit_loop = loop  # type: ignore[assignment]
    data = ActiveLearningDataModule(blobs(60), query_size=6, test=blobs(12, 1), batch_size=3)
    trainer.fit(Classifier(), data, ckpt_path="last" if resume else None)
    return loop


def test_an_attached_loop_asks_no_more_when_its_criterion_is_met() -> None:
    loop = a_run(Labels(12))
    assert [labels for labels, _ in loop.curve] == [6, 12]
    assert loop.stop_reason == "the stopping criterion Labels(enough=12) is met"
    cold_start, first, _ = loop.measured
    assert (cold_start.labels, cold_start.accuracy, cold_start.uncertainty) == (0, None, None)
    assert (first.labels, first.accuracy) == loop.curve[0]
    assert first.uncertainty is not None
    assert 0 < first.uncertainty < math.log(3)


def test_a_function_of_ones_own_is_named_in_the_reason() -> None:
    loop = a_run(enough_for_me)
    assert [labels for labels, _ in loop.curve] == [6]
    assert loop.stop_reason == "the stopping criterion enough_for_me is met"


def test_a_criterion_sees_the_rounds_before_a_kill_too(tmp_path: Path) -> None:
    whole = a_run(SettledAccuracy(patience=2, epsilon=1.0)).measured
    assert [one.labels for one in whole] == [0, 6, 12, 18]  # the third accuracy settles it
    with pytest.raises(Killed):
        a_run(SettledAccuracy(patience=2, epsilon=1.0), tmp_path, kill=9)
    resumed = a_run(SettledAccuracy(patience=2, epsilon=1.0), tmp_path, resume=True)
    assert resumed.measured == whole
