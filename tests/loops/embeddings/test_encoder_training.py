"""A dozen images of two kinds, and steps of eight pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loops.embeddings import encoder_training as module
from loops.embeddings.encoder_training import EncoderTraining, learning_rate


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS", 8)


def training(steps: int = 4) -> EncoderTraining:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (12, 1, 28, 28)).astype(np.uint8))
    neighbors = (np.arange(12)[:, None] + np.arange(1, 6)) % 12
    return EncoderTraining(images, neighbors.astype(np.int32), seed=0, device=torch.device("cpu"), steps=steps)


def test_it_is_done_after_its_steps() -> None:
    made = training(steps=2)
    assert not made.done
    made.step()
    made.step()
    assert made.done


def test_stopped_and_gone_on_it_ends_as_without_the_stop() -> None:
    whole, first, then = training(), training(), training()
    for _ in range(3):
        whole.step()
    first.step()
    then.load_state_dict(first.state_dict())
    losses = [then.step() for _ in range(2)]
    assert then.steps_done == 3
    pairs = zip(whole.encoder.state_dict().values(), then.encoder.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert all(np.isfinite(losses))


def test_nothing_is_drawn_from_the_generator_of_all() -> None:
    before = torch.get_rng_state()
    training().step()
    assert (torch.get_rng_state() == before).all()


def test_partners_find_one_another_better_after_some_steps() -> None:
    made = training(steps=30)
    losses = [made.step() for _ in range(30)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_the_learning_rate_rises_for_three_tenths_and_falls_to_nothing() -> None:
    rates = [learning_rate(step, 100) for step in range(101)]
    assert int(np.argmax(rates)) == 30
    assert rates[30] == pytest.approx(4e-3)
    assert rates[0] == pytest.approx(4e-3 / 25)
    assert rates[100] == pytest.approx(0.0, abs=1e-12)
