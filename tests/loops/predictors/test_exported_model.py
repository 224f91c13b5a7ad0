import json
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from loops.embeddings.embedding import EfficientNetEmbedder
from loops.embeddings.features import FeatureStore
from loops.predictors import layers as networks
from loops.predictors.champion import Champion
from loops.predictors.committee import Committee
from loops.predictors.exported_model import ExportedModel, save_model, save_onnx
from loops.predictors.graph import GraphPredictor
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.weighing import Weights

LABELS = {i: i % 3 for i in range(12)}
POOL = np.arange(12, 60)


def exported(predictor, folder, store):
    """The model after a round trip over its file, as its card says."""
    model = ExportedModel(predictor.as_module(), store, num_classes=predictor.num_classes)
    save_model(model, folder / "model.pt2")
    return torch.export.load(folder / "model.pt2").module()


def rgba(rows):
    """Stored pixels as images."""
    colors = np.broadcast_to(rows, (len(rows), 3, *rows.shape[2:])).transpose(0, 2, 3, 1)
    return torch.from_numpy(np.concatenate([colors, np.full((*colors.shape[:3], 1), 255, np.uint8)], axis=3))


@pytest.fixture
def predictor(store, quick_cnn):
    fitted = Network(quick_cnn, store, num_classes=3, seed=0, mc_iterations=2)
    fitted.fit(LABELS, round_number=1)
    return fitted


def test_a_reloaded_cnn_says_what_the_learner_says_for_batches_of_any_size(predictor, store, tmp_path):
    model = exported(predictor, tmp_path, store)

    for ids in (POOL, POOL[:1], POOL[:2]):
        probs = model(rgba(store.rows(ids))).numpy()
        assert probs == pytest.approx(predictor.predict(ids), abs=1e-5)


def test_a_cnn_of_colored_images_takes_three_channels(quick_cnn, tmp_path):
    store = FeatureStore(tmp_path / "features", "pixels-16")
    rows = np.random.default_rng(0).integers(0, 256, (12, 3, 16, 16), dtype=np.uint8)
    store.append(np.arange(12), rows)
    predictor = Network(quick_cnn, store, num_classes=3, seed=0, mc_iterations=2)
    predictor.fit(LABELS, round_number=1)

    assert exported(predictor, tmp_path, store)(rgba(rows)).numpy() == pytest.approx(
        predictor.predict(np.arange(12)), abs=1e-5
    )


def test_the_features_learner_takes_images_once_exported(tmp_path):
    squares = np.random.default_rng(0).integers(0, 256, (6, 224, 224, 3), dtype=np.uint8)
    squares[::2] //= 4
    store = FeatureStore(tmp_path / "features", "efficientnet_lite")
    store.append(np.arange(6), EfficientNetEmbedder(torch.device("cpu")).embed(list(squares)))
    spec = NetworkSpec("features", "efficientnet_lite", "margin", 2, 4, 1e-2, 0.0, 2, 2)
    predictor = Network(spec, store, num_classes=2, seed=0, mc_iterations=2)
    predictor.fit({i: i % 2 for i in range(4)}, round_number=1)

    images = rgba(squares.transpose(0, 3, 1, 2))
    assert exported(predictor, tmp_path, store)(images).numpy() == pytest.approx(
        predictor.predict(np.arange(6)), abs=1e-5
    )


def test_a_committee_is_exported_as_its_mean_vote(store, quick_cnn, tmp_path):
    committee = Committee(Network(quick_cnn, store, num_classes=3, seed=0, mc_iterations=2), num_folds=3)
    committee.fit(LABELS, round_number=1)
    model = exported(committee, tmp_path, store)

    probs = model(rgba(store.rows(POOL))).numpy()
    assert probs == pytest.approx(committee.predict(POOL), abs=1e-5)
    assert len({tuple(member.predict(POOL[:1])[0]) for member in committee._members}) == 3


def test_the_file_names_no_folder_of_the_machine_that_wrote_it(predictor, store, tmp_path):
    exported(predictor, tmp_path, store)

    with zipfile.ZipFile(tmp_path / "model.pt2") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert str(Path(networks.__file__).parent).encode() not in content
    assert str(Path(torch.__file__).parent).encode() not in content


def test_a_graph_is_exported_with_its_points_and_says_what_it_says_of_samples_that_are_not_on_it(store, tmp_path):
    graph = GraphPredictor(store, num_classes=3, seed=0)
    graph.fit(LABELS, round_number=1)
    graph.graph(pool=np.arange(40))
    others = np.arange(40, 60)

    probs = exported(graph, tmp_path, store)(rgba(store.rows(others))).numpy()
    assert probs == pytest.approx(graph.predict(others), abs=1e-5)


def test_the_champion_is_exported_as_the_weighted_mean_of_its_members(store, quick_cnn, tmp_path):
    graph = GraphPredictor(store, num_classes=3, seed=0)
    champion = Champion(graph, [Network(quick_cnn, store, num_classes=3, seed=0, mc_iterations=2)])
    champion.fit(LABELS, round_number=1)
    champion._team[1].fit(LABELS, round_number=1)
    champion._weights = Weights((0.25, 0.75))
    champion._first.graph(pool=np.arange(40))
    others = np.arange(40, 60)

    probs = exported(champion, tmp_path, store)(rgba(store.rows(others))).numpy()
    assert probs == pytest.approx(champion.predict(others), abs=1e-5)
    assert champion.predict(others) != pytest.approx(graph.predict(others), abs=1e-2)


def test_onnx_says_the_same_and_names_its_classes(predictor, store, tmp_path):
    model = ExportedModel(predictor.as_module(), store, num_classes=3)
    save_onnx(model, tmp_path / "model.onnx", {"classes": ["a", "b", "c"]})

    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    probs = session.run(None, {"images": rgba(store.rows(POOL)).numpy()})[0]
    assert probs == pytest.approx(predictor.predict(POOL), abs=1e-5)
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == ["a", "b", "c"]
    assert str(Path(networks.__file__).parent).encode() not in (tmp_path / "model.onnx").read_bytes()


def test_a_model_of_rows_takes_rows(tmp_path):
    store = FeatureStore(tmp_path / "features", "sentences")
    rows = np.random.default_rng(0).normal(size=(12, 512)).astype(np.float32)
    store.append(np.arange(12), rows)
    spec = NetworkSpec("features", "sentences", "margin", 2, 4, 1e-2, 0.0, 2, 2)
    predictor = Network(spec, store, num_classes=3, seed=0, mc_iterations=2)
    predictor.fit(LABELS, round_number=1)

    assert exported(predictor, tmp_path, store)(torch.from_numpy(rows)).numpy() == pytest.approx(
        predictor.predict(np.arange(12)), abs=1e-5
    )
