import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from loops.checkpoint import write_checkpoint
from loops.embeddings.embedding import EfficientNetEmbedder
from loops.embeddings.features import FeatureStore
from loops.errors import CheckpointDamagedError
from loops.predictors import layers as networks
from loops.predictors.committee import Committee
from loops.predictors.exported_model import model_of_checkpoint, save_model
from loops.predictors.graph import GraphPredictor
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec

LABELS = {i: i % 3 for i in range(12)}
POOL = np.arange(12, 60)


def exported(predictor, folder):
    """The model after a round trip over both files."""
    saved = predictor.save(folder / "model.ckpt", {})
    model = model_of_checkpoint(saved.path, sha256=saved.sha256, size=saved.size)
    save_model(model, folder / "model.pt2")
    return torch.export.load(folder / "model.pt2").module()  # as the README beside it says


@pytest.fixture
def predictor(store, quick_cnn):
    fitted = Network(quick_cnn, store, num_classes=3, seed=0, mc_iterations=2)
    fitted.fit(LABELS, round_number=1)
    return fitted


def test_a_reloaded_cnn_says_what_the_learner_says_for_batches_of_any_size(predictor, store, tmp_path):
    model = exported(predictor, tmp_path)

    for ids in (POOL, POOL[:1], POOL[:2]):
        probs = model(torch.from_numpy(store.rows(ids))).numpy()
        assert probs == pytest.approx(predictor.predict(ids), abs=1e-5)


def test_a_cnn_of_colored_images_takes_three_channels(quick_cnn, tmp_path):
    store = FeatureStore(tmp_path / "features", "pixels-16")
    rows = np.random.default_rng(0).integers(0, 256, (12, 3, 16, 16), dtype=np.uint8)
    store.append(np.arange(12), rows)
    predictor = Network(quick_cnn, store, num_classes=3, seed=0, mc_iterations=2)
    predictor.fit(LABELS, round_number=1)

    assert exported(predictor, tmp_path)(torch.from_numpy(rows)).numpy() == pytest.approx(
        predictor.predict(np.arange(12)), abs=1e-5
    )


def test_the_features_learner_takes_images_once_exported(tmp_path):
    squares = np.random.default_rng(0).integers(0, 256, (6, 224, 224, 3), dtype=np.uint8)
    squares[::2] //= 4
    store = FeatureStore(tmp_path / "features", "efficientnet_lite0")
    store.append(np.arange(6), EfficientNetEmbedder(torch.device("cpu")).embed(list(squares)))
    spec = NetworkSpec("features", "efficientnet_lite0", "margin", 2, 4, 1e-2, 0.0, 2, 2)
    predictor = Network(spec, store, num_classes=2, seed=0, mc_iterations=2)
    predictor.fit({i: i % 2 for i in range(4)}, round_number=1)

    images = torch.from_numpy(squares.transpose(0, 3, 1, 2).copy())
    assert exported(predictor, tmp_path)(images).numpy() == pytest.approx(predictor.predict(np.arange(6)), abs=1e-5)


def test_a_committee_is_exported_as_its_mean_vote(store, quick_cnn, tmp_path):
    committee = Committee(Network(quick_cnn, store, num_classes=3, seed=0, mc_iterations=2), num_folds=3)
    committee.fit(LABELS, round_number=1)
    model = exported(committee, tmp_path)

    probs = model(torch.from_numpy(store.rows(POOL))).numpy()
    assert probs == pytest.approx(committee.predict(POOL), abs=1e-5)
    assert len({tuple(member.predict(POOL[:1])[0]) for member in committee._members}) == 3


def test_the_file_names_no_folder_of_the_machine_that_wrote_it(predictor, tmp_path):
    exported(predictor, tmp_path)

    with zipfile.ZipFile(tmp_path / "model.pt2") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert str(Path(networks.__file__).parent).encode() not in content
    assert str(Path(torch.__file__).parent).encode() not in content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"weights": 1}, "no model of ours"),
        (
            {"learner": {"backbone": "pixels-16", "num_classes": 3, "inputs": 1}, "state_dict": {"x": torch.ones(1)}},
            "do not fit",
        ),
    ],
)
def test_a_sound_file_without_a_model_is_refused(content, reason, tmp_path):
    saved = write_checkpoint(content, tmp_path / "model.ckpt")
    with pytest.raises(CheckpointDamagedError, match=reason):
        model_of_checkpoint(saved.path, sha256=saved.sha256, size=saved.size)


def test_who_answers_without_a_network_has_no_model_to_hand_on(store, tmp_path):
    graph = GraphPredictor(store, num_classes=3, seed=0)
    graph.fit(LABELS, round_number=1)
    saved = graph.save(tmp_path / "model.ckpt", {})

    assert model_of_checkpoint(saved.path, sha256=saved.sha256, size=saved.size) is None
