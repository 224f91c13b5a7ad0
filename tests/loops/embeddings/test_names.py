"""Names of classes, read by a network of two towers; the library is a stand-in with the same calls."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from loops.embeddings import named_networks
from loops.embeddings.features import FeatureStore
from loops.embeddings.names import ClassName, NameRows, name_rows, worth_of
from loops.embeddings.own_source import own_backbone
from tests.loops.embeddings.named_libraries import weights, write_packages

CLASSES = (ClassName("red thing"), ClassName("sky", "what is blue"), ClassName("green", retired=True))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delitem(sys.modules, "open_clip", raising=False)
    (tmp_path / "packages").mkdir()
    monkeypatch.syspath_prepend(write_packages(tmp_path / "packages"))
    (tmp_path / "twice.pt").write_bytes(weights(scale=[2.0, 2.0, 2.0]))
    yield tmp_path
    sys.modules.pop("open_clip", None)


def store_of(folder: Path, model: str) -> FeatureStore:
    return FeatureStore(folder / "features", own_backbone(f"open_clip:{model}={folder / 'twice.pt'}"))


def test_names_and_descriptions_become_rows_of_length_one_and_retired_classes_none(library: Path) -> None:
    found = name_rows(store_of(library, "ViT/laion"), CLASSES)

    assert found is not None
    assert found.rows_C_D.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert found.scale == pytest.approx(10.0)


def test_they_are_read_once_and_again_when_a_class_is_called_otherwise(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[str]] = []
    read_texts = named_networks.read_texts
    monkeypatch.setattr(
        named_networks, "read_texts", lambda network, texts: read.append(texts) or read_texts(network, texts)
    )  # type: ignore[func-returns-value]
    store = store_of(library, "ViT/laion")
    for _ in range(2):
        name_rows(store, CLASSES)
    assert read == [["a photo of a red thing.", "a photo of a sky.", "sky: what is blue"]]
    renamed = name_rows(store, [ClassName("blue thing")])
    assert renamed is not None
    assert renamed.rows_C_D.tolist() == [[0, 0, 1]]


def test_where_text_cannot_be_read_there_are_no_names(library: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert name_rows(store_of(library, "Other/laion"), CLASSES) is None
    assert caplog.text.count("the names of the classes are not read: ") == 1, "a network is not loaded again in vain"
    assert "the words of Other are not here" in caplog.text


def test_an_embedding_that_reads_no_text_has_no_names(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.eye(3, dtype=np.float32))
    assert name_rows(FeatureStore(tmp_path / "own", own_backbone(str(tmp_path / "rows.npy"))), CLASSES) is None
    assert name_rows(FeatureStore(tmp_path / "pixels", "pixels-16"), CLASSES) is None


def test_the_nearest_name_answers_as_surely_as_the_scale_says() -> None:
    """Cosines 1 and 0, scale ln 3: odds of 3 to 1."""
    names = NameRows(np.eye(2, dtype=np.float32), math.log(3))
    assert names.probs(np.array([[5, 0]], np.float32)).tolist() == [pytest.approx([0.75, 0.25])]


def test_a_class_that_is_retired_is_never_answered_however_far_the_others_are() -> None:
    names = NameRows(np.array([[1, 0], [0, 0]], np.float32), 10.0)
    assert names.probs(np.array([[-1, 0]], np.float32)).tolist() == [[1.0, 0.0]]


def test_a_damaged_file_is_read_anew(library: Path) -> None:
    store = store_of(library, "ViT/laion")
    found = name_rows(store, CLASSES)
    for damage in (b"", b"PK\x03\x04 torn", b"\x93NUMPY"):
        (store.folder / "names.npz").write_bytes(damage)
        again = name_rows(store, CLASSES)
        assert found is not None
        assert again is not None
        assert again.rows_C_D.tolist() == found.rows_C_D.tolist()


@pytest.mark.parametrize(
    ("right", "labels", "classes", "worth"),
    [
        (0, 0, 2, 10.0),
        (4, 4, 2, 10.0),
        (0, 2, 2, 0.0),
        (2, 6, 2, 0.0),
        (0, 3, 10, 10 / 3),
        (5, 8, 2, 4.0),
        (1, 1, 1, 0),
    ],
)
def test_names_are_worth_ten_labels_and_less_with_each_that_they_have_wrong(
    right: int, labels: int, classes: int, worth: float
) -> None:
    """(0 + 2) / (3 + 2) = .4, of ten classes .3 of .9 above chance; (5 + 2) / (8 + 2) = .7, of two .2 of .5."""
    assert worth_of(right, labels, classes) == pytest.approx(worth)
