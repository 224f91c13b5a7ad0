import socket
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from loops.devices.network import MODULE, DistributedNetwork
from loops.devices.processes import Devices, Watcher, follow
from loops.errors import PassFailedError, TrainingInterruptedError
from loops.predictors.network import Network
from loops.seeding import seed_of

LABELS = {i: i % 3 for i in range(12)}
POOL = np.arange(12, 60)  # six tiles of eight


class Recorder(Watcher):
    """Notes what it hears, or ends it."""

    def __init__(self, *, end=False):
        self.epochs, self.samples, self.end = [], [], end

    def on_devices_epoch(self, done, total):
        self.epochs.append((done, total))
        self.end_if_asked()

    def on_devices_samples(self, done, total):
        self.samples.append((done, total))
        self.end_if_asked()

    def end_if_asked(self):
        if self.end:
            raise TrainingInterruptedError(steps=0, wanted=1)


@pytest.fixture
def spread(store, quick_cnn, tmp_path):
    """Makes a predictor whose fits and passes run on some devices; it is fitted, unless told otherwise."""

    def make(devices, *callbacks, spec=quick_cnn, fit=True, **more):
        settings = {"num_classes": 3, "seed": 0, "accelerator": "cpu", "callbacks": lambda _fold: callbacks} | more
        predictor = DistributedNetwork(spec, store, devices=devices, **settings)
        if fit:
            predictor.fit(LABELS, round_number=1)
        return predictor

    return make


@pytest.fixture
def brief(quick_cnn):
    """Of whose twelve labels an epoch on one device sees two."""
    return replace(quick_cnn, batch_size=2, min_steps_per_epoch=1, max_steps_per_epoch=1, epochs=2)


@contextmanager
def another_machine(tmp_path, monkeypatch):
    """One with a process that follows; the trainer's own is machine 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("NODE_RANK", "1")
    ended = threading.Event()
    follower = threading.Thread(target=follow, args=(tmp_path / "passes", [MODULE], ended))
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()


def fit_on_both_batches_of_each_step(model, batches, epochs):
    """What two processes do, by the definition of data parallelism: each step follows the mean of both gradients."""
    (optimizer,), (schedule,) = model.configure_optimizers()
    loaders = [batches.loader(process) for process in (0, 1)]
    for epoch in range(epochs):
        states, passes = [], []
        for process, loader in enumerate(loaders):
            loader.sampler.set_epoch(epoch)
            torch.manual_seed(seed_of(model.seed, "epoch", epoch) + process)
            passes.append(iter(loader))  # which draws a number itself
            states.append(torch.get_rng_state())
        for pair in zip(*passes, strict=True):
            optimizer.zero_grad()
            for process, batch in reversed(list(enumerate(pair))):
                norms = {name: buffer.clone() for name, buffer in model.named_buffers()}
                torch.set_rng_state(states[process])
                (model.training_step(batch, 0) / 2).backward()
                states[process] = torch.get_rng_state()
                if process > 0:  # the averages of batch norm are those of the first process
                    model.load_state_dict(norms, strict=False)
            optimizer.step()
            schedule["scheduler"].step()


def on(folder, **more):
    return Devices(**{"per_node": 1, "nodes": 1, "folder": folder / "passes", "least": 9, "accelerator": "cpu"} | more)


@pytest.mark.timeout(300)
def test_two_machines_with_a_process_each_score_a_pool_as_one_process_does(
    spread, store, quick_cnn, tmp_path, monkeypatch
):
    heard = Recorder()
    with another_machine(tmp_path, monkeypatch):
        predictor = spread(on(tmp_path, nodes=2), heard)
        scores = predictor.score(POOL, round_number=1)
    alone = Network(quick_cnn, store, num_classes=3, seed=0, accelerator="cpu")
    alone.fit(LABELS, round_number=1)
    expected = alone.score(POOL, round_number=1)
    assert scores.sample_ids.tolist() == POOL.tolist()
    assert np.allclose(scores.scores["bald"], expected.scores["bald"], atol=1e-6)
    assert np.allclose(scores.draws_N_C_K, expected.draws_N_C_K, atol=1e-3)
    assert {total for _, total in heard.samples} == {48}
    assert heard.epochs == [], "one device's epoch sees all labels: that fit is not for two"
    assert list((tmp_path / "passes").iterdir()) == []


@pytest.mark.timeout(300)
def test_two_machines_fit_on_batches_of_their_own_and_one_model_comes_out(spread, store, brief, tmp_path, monkeypatch):
    spec = replace(brief, batch_size=4, max_steps_per_epoch=2, epochs=20)
    heard = Recorder()
    with another_machine(tmp_path, monkeypatch):
        predictor = spread(on(tmp_path, nodes=2, least=99), heard, spec=spec)
    alone = Network(spec, store, num_classes=3, seed=0, accelerator="cpu")
    alone._processes = 2
    alone._run_fit = lambda model, batches, *_: fit_on_both_batches_of_each_step(model, batches, spec.epochs)
    alone.fit(LABELS, round_number=1)
    ours, expected = (each._fitted().state_dict() for each in (predictor, alone))
    assert all(torch.allclose(ours[name].float(), expected[name].float(), atol=1e-3) for name in expected)
    assert heard.epochs[-1] == (20, 20)
    assert list((tmp_path / "passes").iterdir()) == []


def test_a_fit_is_ended_when_the_trainer_is_to_end(spread, brief, tmp_path):
    with pytest.raises(TrainingInterruptedError):
        spread(on(tmp_path, nodes=2), Recorder(end=True), spec=brief)
    assert list((tmp_path / "passes").iterdir()) == []


@pytest.mark.parametrize(
    ("why", "devices", "change"),
    [
        ("cores of one machine are shared already", {"per_node": 2}, {}),
        ("an epoch sees all labels", {"nodes": 2}, {"batch_size": 12}),
    ],
)
def test_a_fit_that_others_would_not_better_starts_no_process(spread, brief, tmp_path, why, devices, change):
    heard = Recorder()
    spread(on(tmp_path, **devices), heard, spec=replace(brief, **change))
    assert heard.epochs == [], why
    assert not (tmp_path / "passes").exists(), why


def test_a_fit_that_goes_on_with_weights_which_thaw_stays_in_its_process(spread, brief, tmp_path):
    predictor = spread(on(tmp_path, nodes=2), spec=replace(brief, batch_size=12), reset_weights=False)
    predictor.spec = brief
    predictor.fit(LABELS, round_number=2)
    assert not (tmp_path / "passes").exists()


def test_a_pass_over_few_samples_starts_no_process(spread, tmp_path):
    heard = Recorder()
    assert spread(on(tmp_path), heard).predict(POOL[:8]).shape == (8, 3)
    assert heard.samples == []
    assert not (tmp_path / "passes").exists()


def test_a_pass_is_ended_when_the_trainer_is_to_end(spread, tmp_path):
    predictor = spread(on(tmp_path, per_node=2), Recorder(end=True))
    with pytest.raises(TrainingInterruptedError):
        predictor.predict(POOL)
    assert list((tmp_path / "passes").iterdir()) == []


def test_a_process_that_fails_is_quoted(spread, tmp_path, monkeypatch):
    predictor = spread(on(tmp_path))
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho no room >&2\nexit 3\n")
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(failing))
    with pytest.raises(PassFailedError, match="no room"):
        predictor.predict(POOL)
