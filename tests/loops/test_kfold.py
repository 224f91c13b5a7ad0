import multiprocessing
import os
import signal

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from sklearn.neighbors import KNeighborsClassifier

from loops.checkpoint import read_checkpoint, write_checkpoint
from loops.embeddings.features import FeatureStore
from loops.errors import NotFittedError
from loops.kfold import KFoldLoop, cross_validated
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.scikit import ScikitPredictor
from loops.seeding import seed_of

LABELS = {sample_id: sample_id % 2 for sample_id in range(100, 120)}


class Killed(BaseException):
    """What a test does to a run; nothing between here and the test may swallow it."""


class CountingPredictor:
    """Predicts each class by its share of the labels it was fitted on: to be computed in the head."""

    fingerprint = "counting"

    def __init__(self, fold, log=None, die_at=None):
        self.fold, self.log, self.die_at = fold, [] if log is None else log, die_at

    def fit(self, labels, *, round_number, checkpoint_dir=None):
        self._step(f"fit {self.fold}")
        self.fitted_on = sorted(labels)
        self.shares = torch.bincount(torch.tensor(list(labels.values())), minlength=2) / len(labels)

    def predict(self, sample_ids):
        self._step(f"predict {self.fold}")
        return np.tile(self.shares.numpy(), (len(sample_ids), 1)).astype(np.float32)

    def save(self, path, loop_state):
        self._step(f"save {self.fold}")
        saved = write_checkpoint({"state_dict": {"shares": self.shares}, "loop": loop_state}, path)
        self._step(f"saved {self.fold}")
        return saved

    def load(self, path, *, sha256, size):
        checkpoint = read_checkpoint(path, sha256=sha256, size=size)
        self.shares = checkpoint["state_dict"]["shares"]
        return checkpoint["loop"]

    def _step(self, name):
        self.log.append(name)
        if len(self.log) == self.die_at:
            raise Killed


def test_the_loop_alone_predicts_every_sample_once_by_a_learner_that_never_saw_it():
    predictors = {}

    def predictor_of_fold(fold):
        predictors[fold] = CountingPredictor(fold)
        return predictors[fold]

    loop = KFoldLoop(LABELS, predictor_of_fold, num_folds=5)
    result = loop.run()

    assert result.sample_ids.tolist() == sorted(LABELS)
    held_out = [set(LABELS) - set(predictors[fold].fitted_on) for fold in range(5)]
    assert sum(len(ids) for ids in held_out) == 20
    assert set().union(*held_out) == set(LABELS)
    assert [set(result.sample_ids[result.folds_N == fold].tolist()) for fold in range(5)] == held_out
    assert (result.probs_N_C == 0.5).all()
    assert loop.progress.current.completed == 5


def test_state_dict_to_load_state_dict_to_run_equals_an_uninterrupted_run_killed_at_every_step(tmp_path):
    log = []
    whole = a_counting_loop(tmp_path / "whole", log=log).run()
    assert len(log) == 5 * len(["fit", "predict", "save", "saved"])
    for die_at in range(1, len(log) + 1):
        killed = a_counting_loop(tmp_path / str(die_at), log=[], die_at=die_at)
        with pytest.raises(Killed):
            killed.run()
        log_after = []
        resumed = a_counting_loop(tmp_path / str(die_at), log=log_after)
        assert resumed.resume() == (die_at >= 4)
        result = resumed.run()

        assert_same_result(result, whole)
        finished = die_at // 4
        assert log_after == log[4 * finished :]  # a finished fold is not touched again, an unfinished one begins anew
        assert [resumed.progress.total.completed, resumed.progress.current.ready] == [5, 5]


def a_counting_loop(folder, *, labels=None, seed=0, **predictor):
    return KFoldLoop(
        LABELS if labels is None else labels,
        lambda fold: CountingPredictor(fold, **predictor),
        num_folds=5,
        folder=folder,
        seed=seed,
    )


def assert_same_result(first, second):
    for name in ("sample_ids", "labels_N", "folds_N", "probs_N_C"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    for fold, predictor in first.predictors.items():
        assert torch.equal(predictor.shares, second.predictors[fold].shares)
    saved = [{fold: file.sha256 for fold, file in result.checkpoints.items()} for result in (first, second)]
    assert saved[0] == saved[1]


def test_the_state_goes_on_without_files_too():
    log, predictors = [], iter(range(1, 99))
    killed = KFoldLoop(LABELS, lambda fold: CountingPredictor(fold, log, die_at=6))
    with pytest.raises(Killed):
        killed.run()
    log.clear()
    restored = KFoldLoop(LABELS, lambda fold: CountingPredictor(next(predictors), log))
    restored.load_state_dict(killed.state_dict())
    result = restored.run()

    assert sum(step.startswith("fit") for step in log) == 3  # two of five folds were predicted, the third was fitted
    assert len(result.probs_N_C) == 20
    assert sorted(result.predictors) == [2, 3, 4]


def test_a_second_run_starts_anew():
    log = []
    loop = KFoldLoop(LABELS, lambda fold: CountingPredictor(fold, log))
    assert_same_result(loop.run(), loop.run())

    assert log == [f"{verb} {fold}" for fold in range(5) for verb in ("fit", "predict")] * 2


@pytest.mark.parametrize("change", [{"seed": 1}, {"labels": LABELS | {100: 1}}])
def test_the_state_of_another_run_is_not_used(tmp_path, change):
    a_counting_loop(tmp_path).run()
    log = []
    loop = a_counting_loop(tmp_path, log=log, **change)

    assert not loop.resume()
    loop.run()
    assert log[0] == "fit 0"


@pytest.mark.parametrize(("damaged", "refitted"), [(4, [4]), (2, [2, 3, 4])])
def test_a_damaged_fold_is_fitted_again_with_those_behind_it(tmp_path, damaged, refitted):
    whole = a_counting_loop(tmp_path).run()
    path = tmp_path / f"fold-{damaged}" / "model.ckpt"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    log = []
    loop = a_counting_loop(tmp_path, log=log)

    assert loop.resume()
    assert_same_result(loop.run(), whole)
    assert [step for step in log if step.startswith("fit")] == [f"fit {fold}" for fold in refitted]


def test_a_learner_that_has_seen_the_labels_is_refused():
    predictor = CountingPredictor(0)
    with pytest.raises(ValueError, match="fold 1 needs a fresh predictor"):
        KFoldLoop(LABELS, lambda _fold: predictor).run()


def test_a_stray_stop_iteration_does_not_end_the_run_silently():
    class EmptyHanded(CountingPredictor):
        def predict(self, sample_ids):
            return next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        KFoldLoop(LABELS, EmptyHanded).run()


def test_duplicates_are_held_out_together():
    groups = {sample_id: (sample_id - 100) // 4 for sample_id in LABELS}
    result = KFoldLoop(LABELS, CountingPredictor, groups=groups).run()

    assert all(len({int(fold) for fold in folds}) == 1 for folds in result.folds_N.reshape(5, 4))


class DieAtBatch(pl.Callback):
    """Dies at the n-th optimizer step of all folds together."""

    def __init__(self, die_at=None):
        self.die_at, self.batches = die_at, 0

    def on_train_batch_end(self, *_):
        self.batches += 1
        if self.batches == self.die_at:
            raise Killed


def a_real_loop(folder, features, die_at=None):
    """Blobs of two classes; three folds of two epochs of two steps each."""
    spec = NetworkSpec("features", "efficientnet_lite", "bald", 2, 8, 1e-2, 0.0, 2, 2)
    store = FeatureStore(features, "efficientnet_lite")
    if not len(store):
        rows = np.random.default_rng(0).normal(size=(20, 2560)) + np.arange(20)[:, None] % 2
        store.append(list(LABELS), rows.astype(np.float32))
    callback = DieAtBatch(die_at)

    def predictor_of_fold(fold):
        seed = seed_of(0, "fold", fold)
        settings = {"num_classes": 2, "seed": seed, "mc_iterations": 2, "accelerator": "cpu"}
        return Network(spec, store, callbacks=lambda _fold: [callback], **settings)

    return KFoldLoop(LABELS, predictor_of_fold, num_folds=3, folder=folder), callback


def weights_of(result):
    checkpoints = [read_checkpoint(result.checkpoints[fold].path) for fold in sorted(result.checkpoints)]
    return [value for checkpoint in checkpoints for value in checkpoint["state_dict"].values()]


def test_killed_at_any_optimizer_step_it_resumes_in_its_fold_and_epoch_and_ends_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("loops.epoch_checkpoint.EVERY_S", 0.0)
    whole = a_real_loop(tmp_path / "whole", tmp_path / "features")[0].run()
    assert whole.accuracy == 1
    for die_at in range(1, 13):
        loop, _ = a_real_loop(tmp_path / str(die_at), tmp_path / "features", die_at)
        with pytest.raises(Killed):
            loop.run()
        resumed, callback = a_real_loop(tmp_path / str(die_at), tmp_path / "features")
        assert resumed.resume() == (die_at > 4)
        result = resumed.run()

        assert callback.batches == 12 - 2 * ((die_at - 1) // 2)  # of twelve steps, whole epochs of two are kept
        assert result.probs_N_C.tobytes() == whole.probs_N_C.tobytes()
        pairs = zip(weights_of(result), weights_of(whole), strict=True)
        assert all(torch.equal(first, second) for first, second in pairs)


class Dies(CountingPredictor):
    def predict(self, sample_ids):
        if self.fold == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(sample_ids)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_a_process_killed_in_fold_three_of_five_resumes_there(tmp_path):
    def run():
        loop = a_counting_loop(tmp_path)
        loop._predictor_of_fold = Dies
        loop.run()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    log = []
    loop = a_counting_loop(tmp_path, log=log)

    assert loop.resume()
    assert_same_result(loop.run(), a_counting_loop(tmp_path / "whole").run())
    assert log[0] == "fit 2"


def test_a_predictor_is_cross_validated_by_fresh_ones_of_its_kind_with_equal_rows_in_one_fold(tmp_path):
    """Even and odd ids; 101, 103 and 105 are one picture. The folder keeps what was finished."""
    store = FeatureStore(tmp_path / "features", "efficientnet_lite")
    rows = np.random.default_rng(0).normal(0, 0.005, (20, 2560)).astype(np.float32)
    rows[:, 0] += np.arange(20) % 2
    rows[1:6:2] = rows[1]
    store.append(list(LABELS), rows)
    predictor = ScikitPredictor(KNeighborsClassifier(1), "neighbors", store, num_classes=2, seed=0)
    result = cross_validated(predictor, LABELS, num_folds=4, round_number=2, folder=tmp_path / "folds")

    assert result.accuracy == 1.0
    assert len(set(result.folds_N[1:6:2].tolist())) == 1
    assert sorted(path.name for path in (tmp_path / "folds").iterdir()) == [f"fold-{k}" for k in range(4)]
    with pytest.raises(NotFittedError):
        predictor.predict([100])
    again = cross_validated(predictor, LABELS, num_folds=4, round_number=2, folder=tmp_path / "folds")
    assert again.probs_N_C.tobytes() == result.probs_N_C.tobytes()
