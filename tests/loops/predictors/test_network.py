import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from loops.acquisition.functions import rank, score_probabilities
from loops.checkpoint import read_checkpoint
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import candidates
from loops.errors import (
    CheckpointDamagedError,
    CheckpointMismatchError,
    MissingFeaturesError,
    NotEnoughSamplesError,
    NotFittedError,
    TrainingInterruptedError,
    UnknownPredictorError,
)
from loops.predictors.network import Network
from loops.predictors.network_spec import choose_network

LABELS = {i: i % 3 for i in range(12)}
POOL = np.arange(12, 60)


class StopAfter(pl.Callback):
    """Asks Lightning to stop after a number of batches, as the trainer process does on SIGTERM."""

    def __init__(self, batches):
        self.batches = batches

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step >= self.batches:
            trainer.should_stop = True


@pytest.fixture
def make(store, quick_cnn):
    def make_predictor(**changes):
        settings = {"num_classes": 3, "seed": 0, "accelerator": "cpu"} | changes
        return Network(settings.pop("spec", quick_cnn), settings.pop("store", store), **settings)

    return make_predictor


@pytest.fixture
def save_every_epoch(monkeypatch):
    monkeypatch.setattr("loops.epoch_checkpoint.EVERY_S", 0.0)


def weights_of(predictor, folder):
    return read_checkpoint(predictor.save(folder / "weights.ckpt", {}).path)["state_dict"]


def assert_same_bits(first, second):
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_it_learns_what_anybody_could(make):
    predictor = make()
    predictor.fit(LABELS, round_number=1)

    assert (predictor.predict(POOL).argmax(1) == POOL % 3).mean() > 0.9


def test_predictions_are_probabilities_in_the_order_asked_for(make):
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    probs_N_C = predictor.predict(POOL)

    np.testing.assert_allclose(probs_N_C.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(predictor.predict(POOL[::-1]), probs_N_C[::-1], atol=1e-6)
    assert predictor.predict([]).shape == (0, 3)


def test_same_seed_and_same_labels_give_the_same_ranking_bit_for_bit(make, tmp_path):
    first, second = make(), make()
    first.fit(LABELS, round_number=1)
    torch.rand(7)  # whatever else the process drew meanwhile
    second.fit(dict(reversed(LABELS.items())), round_number=1)

    assert_same_bits(weights_of(first, tmp_path), weights_of(second, tmp_path))
    scores = [predictor.score(POOL, round_number=1).scores["bald"] for predictor in (first, second)]
    assert scores[0].tobytes() == scores[1].tobytes()


def test_a_fit_leaves_the_random_numbers_of_others_alone(make):
    torch.manual_seed(5)
    undisturbed = torch.rand(3)
    torch.manual_seed(5)
    make().fit(LABELS, round_number=1)

    assert torch.equal(torch.rand(3), undisturbed)


def test_each_round_starts_from_fresh_weights_of_its_own(make, tmp_path):
    predictor, alone = make(), make()
    predictor.fit(LABELS, round_number=1)
    first = weights_of(predictor, tmp_path)
    predictor.fit(LABELS, round_number=2)
    alone.fit(LABELS, round_number=2)

    assert_same_bits(weights_of(predictor, tmp_path), weights_of(alone, tmp_path))
    assert not torch.equal(weights_of(predictor, tmp_path)["head.4.bias"], first["head.4.bias"])


def test_weights_are_kept_if_asked_for_and_the_head_goes_first(make, tmp_path, monkeypatch):
    predictor = make(reset_weights=False)
    predictor.fit(LABELS, round_number=1)
    before = weights_of(predictor, tmp_path)
    seen = []
    predictor._callbacks = (Recorder(seen),)
    predictor.fit(LABELS, round_number=2)

    assert torch.equal(seen[0]["backbone.0.weight"], before["backbone.0.weight"])
    assert not torch.equal(seen[0]["head.4.weight"], before["head.4.weight"])
    assert not torch.equal(weights_of(predictor, tmp_path)["backbone.0.weight"], before["backbone.0.weight"])


def test_each_fold_has_callbacks_and_first_weights_of_its_own(make, tmp_path):
    asked, seen = [], []
    predictor = make(callbacks=lambda fold: asked.append(fold) or [Recorder(seen)])
    members = [predictor.fresh(fold) for fold in (0, 0, 1)]
    for member in members:
        member.fit(LABELS, round_number=1)

    assert asked == [None, 0, 0, 1]
    assert len(seen) == 12, "four epochs of each"
    weights = [weights_of(member, tmp_path) for member in members]
    assert_same_bits(weights[0], weights[1])
    assert not torch.equal(weights[0]["head.4.bias"], weights[2]["head.4.bias"])
    assert [member.fingerprint for member in members] == [predictor.fingerprint] * 3


def test_draws_are_the_answers_of_the_masks_that_score_a_round(make):
    predictor = make(mc_iterations=4)
    predictor.fit(LABELS, round_number=1)
    draws_N_C_K = predictor.draws(POOL, count=4, round_number=1)

    kept = predictor.score(POOL, round_number=1).draws_N_C_K
    np.testing.assert_allclose(draws_N_C_K, kept.astype(np.float32), atol=2e-3)  # kept in float16
    assert (draws_N_C_K != predictor.draws(POOL, count=4, round_number=2)).any()


class Recorder(pl.Callback):
    """Notes the weights after each epoch."""

    def __init__(self, seen):
        self.seen = seen

    def on_train_epoch_end(self, _trainer, module):
        self.seen.append({name: value.clone() for name, value in module.state_dict().items()})


@pytest.mark.parametrize("reset_weights", [True, False])
@pytest.mark.parametrize("stop_after", [3, 4, 9, 11])
def test_a_resumed_fit_equals_an_uninterrupted_one_to_the_last_bit(
    make, tmp_path, save_every_epoch, stop_after, reset_weights
):
    whole, stopped = make(reset_weights=reset_weights), make(reset_weights=reset_weights)
    for predictor in (whole, stopped):
        predictor.fit(LABELS, round_number=1)
    labels = LABELS | {12: 0, 13: 1}
    whole.fit(labels, round_number=2, checkpoint_dir=tmp_path / "whole")
    stopped._callbacks = (StopAfter(stop_after),)
    with pytest.raises(TrainingInterruptedError, match=f"after {stop_after} of 12 steps"):
        stopped.fit(labels, round_number=2, checkpoint_dir=tmp_path / "stopped")
    seen = []
    stopped._callbacks = (Recorder(seen),)
    stopped.fit(labels, round_number=2, checkpoint_dir=tmp_path / "stopped")

    assert len(seen) == 4 - stop_after // 3  # of 4 epochs of 3 steps, only the unfinished ones
    assert_same_bits(weights_of(whole, tmp_path), weights_of(stopped, tmp_path))


def test_an_interrupted_fit_leaves_the_model_before_in_force(make):
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    before = predictor.predict(POOL)
    predictor._callbacks = (StopAfter(5),)
    with pytest.raises(TrainingInterruptedError):
        predictor.fit(LABELS, round_number=2)
    predictor._callbacks = ()

    assert (predictor.predict(POOL) == before).all()


class InterruptAt(pl.Callback):
    """What Ctrl+C does: Lightning catches it and returns as if nothing had happened."""

    def on_predict_batch_end(self, _trainer, _module, _outputs, _batch, batch_idx, *_):
        if batch_idx == 2:
            raise KeyboardInterrupt

    def on_train_batch_start(self, _trainer, _module, _batch, batch_idx):
        if batch_idx == 2:
            raise KeyboardInterrupt


def test_an_interrupted_pass_is_an_error_not_a_short_pool(make):
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    predictor._callbacks = (InterruptAt(),)

    with pytest.raises(TrainingInterruptedError, match="training was stopped after 2 of 12 steps"):
        predictor.fit(LABELS, round_number=1)
    with pytest.raises(TrainingInterruptedError, match="scoring was stopped"):
        predictor.score(POOL, round_number=1)
    with pytest.raises(TrainingInterruptedError, match="scoring was stopped"):
        predictor.predict(POOL)


@pytest.mark.parametrize("change", ["labels", "round", "seed"])
def test_an_epoch_checkpoint_of_another_fit_is_not_used(make, tmp_path, save_every_epoch, change):
    make().fit(LABELS, round_number=1, checkpoint_dir=tmp_path)
    seen = []
    predictor = make(callbacks=lambda _fold: [Recorder(seen)], seed=1 if change == "seed" else 0)
    labels = LABELS | {0: 2} if change == "labels" else LABELS
    predictor.fit(labels, round_number=2 if change == "round" else 1, checkpoint_dir=tmp_path)

    assert len(seen) == 4


def test_a_damaged_epoch_checkpoint_costs_epochs_but_not_the_fit(make, tmp_path, save_every_epoch):
    make().fit(LABELS, round_number=1, checkpoint_dir=tmp_path)
    path = tmp_path / "epoch.ckpt"
    path.write_bytes(path.read_bytes()[:-100])
    seen = []
    make(callbacks=lambda _fold: [Recorder(seen)]).fit(LABELS, round_number=1, checkpoint_dir=tmp_path)

    assert len(seen) == 4


def test_fault_of_the_ancestor_ranking_equals_brute_force_by_id(make):
    """One sample at a time, in shuffled order: the same scores under the same ids."""
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    pool_scores = predictor.score(POOL, round_number=1)
    shuffled = np.random.default_rng(0).permutation(POOL)
    alone = {i: predictor.score([i], round_number=1) for i in shuffled.tolist()}

    assert pool_scores.sample_ids.tolist() == POOL.tolist()
    for name in pool_scores.scores:
        brute_force = np.array([alone[i].scores[name][0] for i in shuffled.tolist()])
        by_id = dict(zip(POOL.tolist(), pool_scores.scores[name].tolist(), strict=True))
        np.testing.assert_allclose([by_id[i] for i in shuffled.tolist()], brute_force, atol=1e-5)
        order = rank(POOL, pool_scores.scores[name], 10)
        scores = [by_id[i] for i in order.tolist()]
        assert scores == sorted(by_id.values(), reverse=True)[:10]


def test_scores_are_the_acquisition_functions_of_the_draws(make):
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    pool_scores = predictor.score(POOL, round_number=1)
    draws = pool_scores.draws_N_C_K.astype(np.float32)

    of_draws = score_probabilities(draws)
    assert pool_scores.scores.keys() == of_draws.keys()
    for name, scores_N in of_draws.items():
        np.testing.assert_allclose(pool_scores.scores[name], scores_N, atol=2e-3)  # draws are kept in float16
    np.testing.assert_allclose(pool_scores.probs_N_C, draws.mean(-1), atol=1e-3)


def test_draws_differ_for_a_fitted_learner(make):
    predictor = make()
    predictor.fit(LABELS, round_number=1)

    assert predictor.score(POOL, round_number=1).draws_N_C_K.std(-1).max() > 0


def test_scoring_and_predicting_use_evaluation_transforms(make, monkeypatch):
    predictor = make()
    predictor.fit(LABELS, round_number=1)

    def augmented(*_):
        raise AssertionError("augmentation ran outside training")

    monkeypatch.setattr("loops.predictors.layers.RandomAffine._draw", augmented)
    predictor.predict(POOL)
    predictor.score(POOL, round_number=1)
    with pytest.raises(AssertionError, match="outside training"):
        predictor.fit(LABELS, round_number=2)


def test_scoring_twice_gives_the_same_and_training_between_changes_it(make):
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    first, again = (predictor.score(POOL, round_number=1).scores["bald"] for _ in range(2))
    predictor.fit(LABELS | {12: 0}, round_number=1)

    assert (first == again).all()
    assert not (first == predictor.score(POOL, round_number=1).scores["bald"]).any()


def test_draws_are_left_out_when_the_pool_is_too_large_to_keep_them(make, monkeypatch):
    monkeypatch.setattr("loops.predictors.network.KEEP_DRAWS_UP_TO", 48 * 3 * 20 - 1)
    predictor = make()
    predictor.fit(LABELS, round_number=1)

    assert predictor.score(POOL, round_number=1).draws_N_C_K is None
    assert predictor.score(POOL[1:], round_number=1).draws_N_C_K is not None


def test_a_saved_model_is_loaded_with_the_loop_state_and_predicts_the_same(make, tmp_path):
    predictor, fresh = make(), make()
    predictor.fit(LABELS, round_number=1)
    saved = predictor.save(tmp_path / "model.ckpt", {"state_dict": {"seed": 0}, "progress": {"completed": 2}})

    assert fresh.load(saved.path, sha256=saved.sha256, size=saved.size) == {
        "state_dict": {"seed": 0},
        "progress": {"completed": 2},
    }
    assert (fresh.predict(POOL) == predictor.predict(POOL)).all()
    first, second = (it.score(POOL, round_number=1).scores["bald"] for it in (predictor, fresh))
    assert (first == second).all()


def test_a_model_of_other_classes_is_refused_and_the_model_before_stays(make, tmp_path):
    predictor, other = make(), make(num_classes=4)
    predictor.fit(LABELS, round_number=1)
    other.fit(LABELS, round_number=1)
    before = other.predict(POOL)
    saved = predictor.save(tmp_path / "model.ckpt", {})

    with pytest.raises(CheckpointMismatchError, match="4 classes wanted, pixels-16 with 3 found"):
        other.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert (other.predict(POOL) == before).all()


def test_a_damaged_model_is_refused(make, tmp_path):
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    saved = predictor.save(tmp_path / "model.ckpt", {})
    content = bytearray(saved.path.read_bytes())
    content[len(content) // 2] ^= 1
    saved.path.write_bytes(content)

    with pytest.raises(CheckpointDamagedError):
        predictor.load(saved.path, sha256=saved.sha256, size=saved.size)


def test_a_model_of_gray_images_goes_on_working_when_a_color_image_comes(make, store, tmp_path):
    predictor = make()
    predictor.fit(LABELS, round_number=1)
    before = predictor.predict(POOL)
    store.append([60], np.zeros((1, 3, 16, 16), np.uint8))

    np.testing.assert_allclose(predictor.predict(POOL), before, atol=1e-5)
    predictor.fit(LABELS, round_number=2)
    assert predictor.predict([60]).shape == (1, 3)


def test_nothing_is_predicted_before_there_is_a_model(make, tmp_path):
    with pytest.raises(NotFittedError, match="fit the predictor or load"):
        make().predict([1])
    with pytest.raises(NotFittedError):
        make().score([1], round_number=1)
    with pytest.raises(NotFittedError):
        make().save(tmp_path / "model.ckpt", {})


def test_without_labels_or_samples_there_is_nothing_to_do(make):
    predictor = make()
    with pytest.raises(NotEnoughSamplesError):
        predictor.fit({}, round_number=1)
    predictor.fit(LABELS, round_number=1)
    with pytest.raises(NotEnoughSamplesError):
        predictor.score([], round_number=1)


def test_a_sample_that_was_never_embedded_is_named(make):
    with pytest.raises(MissingFeaturesError, match="999"):
        make().fit({999: 0}, round_number=1)


def test_a_single_label_can_be_fitted(make):
    predictor = make()
    predictor.fit({0: 0}, round_number=1)

    assert predictor.predict([1]).shape == (1, 3)


def test_the_features_learner_fits_and_scores(make, tmp_path):
    rows = np.random.default_rng(0).normal(0, 0.05, (60, 2560)).astype(np.float32)
    rows[np.arange(60), np.arange(60) % 3] += 10
    features = FeatureStore(tmp_path / "efficientnet", "efficientnet_lite")
    features.append(np.arange(60), rows)
    predictor = make(spec=replace(choose_network("features", candidates([])), epochs=5), store=features)
    predictor.fit(LABELS, round_number=1)
    saved = predictor.save(tmp_path / "model.ckpt", {})
    predictor.load(saved.path, sha256=saved.sha256, size=saved.size)

    assert (predictor.predict(POOL).argmax(1) == POOL % 3).mean() > 0.9
    assert predictor.score(POOL, round_number=1).scores["margin"].shape == (48,)


def test_the_embedding_is_the_stored_rows_laid_flat(make):
    embedding = make().embedding([3, 1])

    assert embedding.shape == (2, 256)
    assert embedding.dtype == np.float32
    assert make().embedding([]).shape == (0, 256)


@pytest.mark.parametrize(
    ("name", "sizes", "predictor", "backbone"),
    [
        ("auto", [(8, 8)], "cnn", "pixels-16"),
        ("auto", [(28, 28)], "cnn", "pixels-28"),
        ("auto", [(30, 40)], "cnn", "pixels-32"),
        ("auto", [(64, 900)], "cnn", "pixels-64"),
        ("auto", [(65, 900)], "features", "efficientnet_lite"),
        ("auto", [(8, 8), (30, 30), (900, 900)], "cnn", "pixels-32"),
        ("cnn", [(900, 900)], "cnn", "pixels-64"),
        ("features", [(8, 8)], "features", "efficientnet_lite"),
    ],
)
def test_the_learner_follows_from_the_median_shorter_side(name, sizes, predictor, backbone):
    spec = choose_network(name, candidates(sizes))

    assert (spec.name, spec.backbone) == (predictor, backbone)


def test_bald_is_never_the_default_of_the_features_learner():
    assert choose_network("features", candidates([])).acquisition == "margin"
    assert choose_network("cnn", candidates([])).acquisition == "bald"


def test_an_unknown_learner_is_refused():
    with pytest.raises(UnknownPredictorError, match=r"'cn'.*cnn"):
        choose_network("cn", candidates([]))


def test_fitting_leaves_no_files_of_lightnings_own(make, tmp_path, monkeypatch):
    folder = tmp_path / "working"
    folder.mkdir()
    monkeypatch.chdir(folder)
    make().fit(LABELS, round_number=1)

    assert not list(folder.iterdir())


def test_importing_loops_loads_no_torch():
    check = "import sys, loops, loops.errors, loops.seeding; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], env=dict(os.environ), check=False).returncode == 0
