import json

import numpy as np
import pytest

from loops.embeddings.features import FeatureStore, embed
from loops.errors import FeatureStoreError, MissingFeaturesError, UnknownPredictorError


def gray(*values):
    """Rows `[N, 1, 16, 16]`, one value each."""
    return np.array(values, np.uint8)[:, None, None, None] * np.ones((1, 1, 16, 16), np.uint8)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features" / "pixels-16"


@pytest.fixture
def filled(folder):
    store = FeatureStore(folder, "pixels-16")
    store.append([30, 10, 20], gray(3, 1, 2))
    return store


class Log:
    """Collects what `embed` reports."""

    def __init__(self):
        self.progress, self.broken = [], {}

    def run(self, store, ids, load, should_stop=lambda: False):
        embed(
            store,
            ids,
            load,
            progress=lambda done, total: self.progress.append((done, total)),
            on_broken=self.broken.__setitem__,
            should_stop=should_stop,
            accelerator="cpu",
        )
        return self


def test_rows_come_in_the_order_of_the_ids_asked_for(filled):
    assert filled.rows([10, 20, 30, 10])[:, 0, 0, 0].tolist() == [1, 2, 3, 1]
    assert filled.rows([]).shape == (0, 1, 16, 16)


def test_missing_samples_are_named_in_the_error(filled):
    with pytest.raises(MissingFeaturesError, match=r"2 samples have no cached features \(ids 11, 99\)"):
        filled.rows([10, 11, 99])
    assert filled.missing([99, 10, 11]).tolist() == [99, 11]


def test_another_process_finds_what_was_appended(filled, folder):
    again = FeatureStore(folder, "pixels-16")
    again.append([40], gray(4))

    assert FeatureStore(folder, "pixels-16").rows([30, 40])[:, 0, 0, 0].tolist() == [3, 4]
    assert len(again) == 4


@pytest.mark.parametrize("torn_bytes", [1, 100, 256, 300])
def test_a_torn_append_is_as_if_it_had_not_been(filled, folder, torn_bytes):
    """Killed after some of the rows were written, before their ids."""
    with (folder / "rows-1.bin").open("ab") as file:
        file.write(b"\xff" * torn_bytes)
    store = FeatureStore(folder, "pixels-16")
    store.append([40], gray(4))

    assert FeatureStore(folder, "pixels-16").rows([10, 30, 40])[:, 0, 0, 0].tolist() == [1, 3, 4]


@pytest.mark.parametrize("torn_bytes", [1, 7])
def test_torn_ids_are_as_if_they_had_not_been(filled, folder, torn_bytes):
    with (folder / "ids.bin").open("ab") as file:
        file.write(b"\xff" * torn_bytes)
    store = FeatureStore(folder, "pixels-16")
    store.append([40], gray(4))

    assert FeatureStore(folder, "pixels-16").rows([10, 40])[:, 0, 0, 0].tolist() == [1, 4]


def test_rows_that_were_cut_off_are_embedded_again(filled, folder):
    rows = folder / "rows-1.bin"
    rows.write_bytes(rows.read_bytes()[:-1])

    assert FeatureStore(folder, "pixels-16").missing([30, 10, 20]).tolist() == [20]


def test_a_store_stays_gray_until_the_first_color(filled, folder):
    colors = np.zeros((1, 3, 16, 16), np.uint8)
    colors[:, 2] = 9
    filled.append([40], colors)
    filled.append([50], gray(5))
    rows = FeatureStore(folder, "pixels-16").rows([10, 40, 50])

    assert rows[:, :, 0, 0].tolist() == [[1, 1, 1], [0, 0, 9], [5, 5, 5]]
    assert sorted(path.name for path in folder.iterdir()) == ["ids.bin", "meta.json", "rows-3.bin"]


def test_a_crash_while_widening_leaves_the_gray_store_whole(filled, folder, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("loops.embeddings.stored_rows.replace_file", crash)
    with pytest.raises(KeyboardInterrupt):
        filled.append([40], np.ones((1, 3, 16, 16), np.uint8))
    monkeypatch.undo()
    store = FeatureStore(folder, "pixels-16")

    assert store.rows([10, 20])[:, 0, 0, 0].tolist() == [1, 2]
    store.append([40], np.full((1, 3, 16, 16), 7, np.uint8))
    assert store.rows([10, 40])[:, :, 0, 0].tolist() == [[1, 1, 1], [7, 7, 7]]


def test_a_sample_is_appended_once(filled):
    with pytest.raises(FeatureStoreError, match="features already"):
        filled.append([10], gray(1))
    with pytest.raises(FeatureStoreError, match="features already"):
        filled.append([50, 50], gray(1, 1))


def test_rows_of_another_shape_are_refused(filled):
    with pytest.raises(FeatureStoreError, match=r"\(1, 16, 16\) wanted"):
        filled.append([40], np.zeros((1, 1, 8, 8), np.uint8))


def test_features_of_another_backbone_are_refused(filled, folder):
    with pytest.raises(FeatureStoreError, match="pixels-16, not of pixels-28"):
        FeatureStore(folder, "pixels-28")
    assert json.loads((folder / "meta.json").read_text())["backbone"] == "pixels-16"


@pytest.mark.parametrize("name", ["pixels", "pixels-x", "resnet"])
def test_an_unknown_backbone_is_refused(folder, name):
    with pytest.raises(UnknownPredictorError, match=name):
        FeatureStore(folder, name)


def test_only_what_is_missing_is_embedded_and_progress_is_told(filled):
    loaded = []

    def load(sample_id):
        loaded.append(sample_id)
        return np.full((8, 8, 1), sample_id, np.uint8)

    log = Log().run(filled, [10, 41, 42], load)

    assert loaded == [41, 42]
    assert log.progress == [(0, 2), (2, 2)]
    assert filled.rows([41, 42])[:, 0, 0, 0].tolist() == [41, 42]


def test_a_broken_image_is_reported_and_left_out(filled):
    def load(sample_id):
        if sample_id == 42:
            raise OSError("truncated")
        if sample_id == 43:
            return np.zeros((0, 5, 3), np.uint8)
        return np.zeros((8, 8, 3), np.uint8)

    log = Log().run(filled, [41, 42, 43, 44], load)

    assert log.broken[42] == "OSError: truncated"
    assert "uint8 [H, W, 1..4]" in log.broken[43]
    assert log.progress[-1] == (4, 4)
    assert filled.missing([41, 42, 43, 44]).tolist() == [42, 43]


def test_a_batch_of_broken_images_only_is_no_batch(filled):
    log = Log().run(filled, [41], lambda _: np.zeros((0, 0), np.uint8))

    assert list(log.broken) == [41]
    assert len(filled) == 3


def test_embedding_stops_between_batches_and_goes_on_later(filled, monkeypatch):
    monkeypatch.setattr("loops.embeddings.embedding.PixelEmbedder.batch_size", 2)
    stops = iter([False, True])
    image = np.ones((16, 16), np.uint8)
    Log().run(filled, [41, 42, 43], lambda _: image, should_stop=lambda: next(stops))

    assert filled.missing([41, 42, 43]).tolist() == [43]
    assert Log().run(filled, [41, 42, 43], lambda _: image).progress == [(0, 1), (1, 1)]


def test_ids_in_any_order_are_found_before_and_after_they_are_sorted_in(folder, monkeypatch):
    monkeypatch.setattr("loops.embeddings.stored_rows._SORTED_AT_ONCE", 3)
    store = FeatureStore(folder, "pixels-16")
    for sample_id in (7, 3, 9, 1, 8):
        store.append([sample_id], gray(sample_id))

    assert store.rows([1, 3, 7, 8, 9])[:, 0, 0, 0].tolist() == [1, 3, 7, 8, 9]
    assert store.missing([9, 2, 1]).tolist() == [2]
    assert len(store) == 5


def test_a_reader_holds_the_rows_that_were_there_when_it_was_made(filled, folder):
    reader, of_the_first = FeatureStore(folder, "pixels-16"), FeatureStore(folder, "pixels-16", first=2)
    filled.append([40], gray(4))

    assert reader.missing([30, 40]).tolist() == [40]
    assert of_the_first.missing([30, 10, 20]).tolist() == [20]
    assert FeatureStore(folder, "pixels-16").rows([40])[0, 0, 0, 0] == 4


def test_a_reader_survives_the_first_color(filled, folder):
    reader = FeatureStore(folder, "pixels-16")
    filled.append([40], np.full((1, 3, 16, 16), 9, np.uint8))

    assert reader.rows([10, 30])[:, :, 0, 0].tolist() == [[1, 1, 1], [3, 3, 3]]


def test_nothing_missing_is_done_at_once(filled):
    assert Log().run(filled, [10], None).progress == [(0, 0)]


def test_rows_of_another_transform_are_never_used(tmp_path, monkeypatch):
    FeatureStore(tmp_path, "pixels-16").append([1, 2], np.zeros((2, 1, 16, 16), np.uint8))
    assert len(FeatureStore(tmp_path, "pixels-16")) == 2

    monkeypatch.setattr("loops.embeddings.images.TRANSFORM", "circles 1")
    store = FeatureStore(tmp_path, "pixels-16")
    assert store.missing([1, 2]).tolist() == [1, 2]
    store.append([2], np.ones((1, 1, 16, 16), np.uint8))

    assert (FeatureStore(tmp_path, "pixels-16").rows([2]) == 1).all()


def test_rows_of_other_weights_are_never_used(tmp_path, monkeypatch):
    FeatureStore(tmp_path / "rows", "efficientnet_lite").append([1], np.zeros((1, 2560), np.float32))
    (tmp_path / "other.pth").write_bytes(b"other weights")
    monkeypatch.setattr("loops.embeddings.images.weights_file", lambda _network: tmp_path / "other.pth")

    assert len(FeatureStore(tmp_path / "rows", "efficientnet_lite")) == 0


def test_a_store_from_before_transforms_were_noted_is_taken_over(tmp_path):
    store = FeatureStore(tmp_path, "pixels-16")
    store.append([1], np.zeros((1, 1, 16, 16), np.uint8))
    (tmp_path / "meta.json").write_text('{"backbone": "pixels-16", "row_shape": [1, 16, 16]}')

    assert len(FeatureStore(tmp_path, "pixels-16")) == 1
    assert "made_by" in (tmp_path / "meta.json").read_text()
