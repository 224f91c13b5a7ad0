import socket
import sys
import threading

import numpy as np
import pytest

from loops.errors import PassFailedError, TrainingInterruptedError
from loops.learners.learner import Learner
from loops.spread.learner import MODULE, SpreadLearner
from loops.spread.processes import Devices, follow

LABELS = {i: i % 3 for i in range(12)}
POOL = np.arange(12, 60)  # six tiles of eight


@pytest.fixture
def spread(store, quick_cnn, tmp_path):
    """Makes a fitted learner whose passes run on some devices."""

    def make(devices):
        learner = SpreadLearner(quick_cnn, store, num_classes=3, seed=0, accelerator="cpu", devices=devices)
        learner.fit(LABELS, round_number=1)
        return learner

    return make


def on(folder, **more):
    return Devices(**{"per_node": 1, "nodes": 1, "folder": folder / "passes", "least": 9, "accelerator": "cpu"} | more)


def stop(_done, _total):
    raise TrainingInterruptedError(steps=0, wanted=1)


@pytest.mark.timeout(300)
def test_two_machines_with_a_process_each_score_a_pool_as_one_process_does(
    spread, store, quick_cnn, tmp_path, monkeypatch
):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("NODE_RANK", "1")  # of the machine that follows; the trainer's own is 0
    ended = threading.Event()
    follower = threading.Thread(target=follow, args=(tmp_path / "passes", [MODULE], ended))
    follower.start()
    seen = []
    try:
        learner = spread(on(tmp_path, nodes=2, progress=lambda done, total: seen.append((done, total))))
        scores = learner.score(POOL, round_number=1)
    finally:
        ended.set()
        follower.join()
    alone = Learner(quick_cnn, store, num_classes=3, seed=0, accelerator="cpu")
    alone.fit(LABELS, round_number=1)
    expected = alone.score(POOL, round_number=1)
    assert scores.sample_ids.tolist() == POOL.tolist()
    assert np.allclose(scores.scores["bald"], expected.scores["bald"], atol=1e-6)
    assert np.allclose(scores.draws_N_C_K, expected.draws_N_C_K, atol=1e-3)
    assert {total for _, total in seen} == {48}
    assert list((tmp_path / "passes").iterdir()) == []


def test_a_pass_over_few_samples_starts_no_process(spread, tmp_path):
    learner = spread(on(tmp_path, progress=pytest.fail))
    assert learner.predict(POOL[:8]).shape == (8, 3)
    assert not (tmp_path / "passes").exists()


def test_a_pass_is_ended_when_the_trainer_is_to_end(spread, tmp_path):
    learner = spread(on(tmp_path, per_node=2, progress=stop))
    with pytest.raises(TrainingInterruptedError):
        learner.predict(POOL)
    assert list((tmp_path / "passes").iterdir()) == []


def test_a_process_that_fails_is_quoted(spread, tmp_path, monkeypatch):
    learner = spread(on(tmp_path))
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho no room >&2\nexit 3\n")
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(failing))
    with pytest.raises(PassFailedError, match="no room"):
        learner.predict(POOL)
