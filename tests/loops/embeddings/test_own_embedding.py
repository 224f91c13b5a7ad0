"""One's own embeddings: every kind gives one row per image, and what cannot be used is refused in a sentence."""

from __future__ import annotations

import base64
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from loops.embeddings.features import FeatureStore, embed
from loops.embeddings.own_embedding import GivenRows, own_embedder
from loops.embeddings.own_source import kind_of, open_rows, own_backbone
from loops.errors import OwnEmbeddingError

# Mean over places of float images [2, 3, 8, 8], as `onnx.helper` wrote it: GlobalAveragePool and Flatten.
ONNX_MEANS = base64.b64decode(
    "CAgSADphChkKAXgSAXAiEUdsb2JhbEF2ZXJhZ2VQb29sCg8KAXASAXkiB0ZsYXR0ZW4SAWdaGwoBeBIWChQIARIQCgIIAgoCCAMK"
    "AggICgIICGITCgF5Eg4KDAgBEggKAggCCgIIA0IECgAQDQ=="
)
RED = np.full((8, 8, 3), (255, 0, 0), np.uint8)
GRAY = np.full((4, 4, 1), 51, np.uint8)  # 0.2

FUNCTION = """
import numpy as np
def brightness(images):
    return np.array([[image.mean(), image.shape[0]] for image in images])
def torn(images):
    return np.zeros((1, 2))
def strange(images):
    return np.array(["cat"] * len(images))
def endless(images):
    return np.full((len(images), 2), np.inf)
def failing(images):
    raise KeyError("no such layer")
def exiting(images):
    exit(0)
"""


class Means(nn.Module):
    """Mean of each channel."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


class Pair(nn.Module):
    """What is no single tensor."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


def rows_of(source: str, *images: np.ndarray) -> np.ndarray:
    embedder = own_embedder(source, torch.device("cpu"))
    return np.asarray(embedder.embed([embedder.prepare(image) for image in images]))


def torchscript(module: nn.Module, path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save(str(path))
    return str(path)


@pytest.fixture
def functions(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(FUNCTION)
    return str(tmp_path / "mine.py")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("mine:embed", "function"),
        ("a.b:embed", "function"),
        ("/x/mine.py:embed", "function"),
        ("x.npy", "rows"),
        ("C:/x.PT", "torchscript"),
        ("x.onnx", "onnx"),
        ("timm:resnet18", "timm"),
        ("timm:resnet18=w.safetensors", "timm"),
    ],
)
def test_the_form_of_a_source_says_what_it_is(source: str, kind: str) -> None:
    assert kind_of(source) == kind


@pytest.mark.parametrize("source", ["", "resnet18", "x.pth", "timm:", "mine:", ":embed", "mine:two words"])
def test_any_other_form_is_refused_with_those_there_are(source: str) -> None:
    with pytest.raises(OwnEmbeddingError, match=r"module:function, FILE\.npy"):
        kind_of(source)


def test_a_function_gets_images_in_color_and_gives_rows(functions: str) -> None:
    assert rows_of(f"{functions}:brightness", RED, GRAY).tolist() == [[85.0, 8.0], [51.0, 4.0]]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torn", r"numbers \[2, dimensions\] for 2 images; found float64 \[1, 2\]"),
        ("strange", "found <U3"),
        ("endless", "not finite"),
        ("failing", "the embedding function failed: KeyError: 'no such layer'"),
        ("exiting", "the embedding function failed: SystemExit: 0"),
        ("missing", "has no function missing"),
    ],
)
def test_what_a_function_does_wrong_is_said(functions: str, name: str, said: str) -> None:
    with pytest.raises(OwnEmbeddingError, match=said):
        rows_of(f"{functions}:{name}", RED, GRAY)


def test_a_module_that_is_not_there_or_fails_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OwnEmbeddingError, match=r"there is no module no_such_module; give a file as FILE\.py:function"):
        rows_of("no_such_module:embed", RED)
    (tmp_path / "bad.py").write_text("import no_such_thing")
    with pytest.raises(OwnEmbeddingError, match="cannot be imported: ModuleNotFoundError"):
        rows_of(f"{tmp_path}/bad.py:embed", RED)
    (tmp_path / "exits.py").write_text("exit(3)")
    with pytest.raises(OwnEmbeddingError, match="cannot be imported: SystemExit: 3"):
        rows_of(f"{tmp_path}/exits.py:embed", RED)


def test_torchscript_gets_standardized_squares(tmp_path: Path) -> None:
    red, green, _ = rows_of(torchscript(Means(), tmp_path / "means.pt"), RED, GRAY)[0]
    assert red == pytest.approx((1 - 0.485) / 0.229, abs=1e-5)
    assert green == pytest.approx((0 - 0.456) / 0.224, abs=1e-5)


def test_maps_of_features_become_their_means(tmp_path: Path) -> None:
    assert rows_of(torchscript(nn.Identity(), tmp_path / "same.pt"), RED, GRAY).shape == (2, 3)


def test_a_network_that_gives_something_else_or_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OwnEmbeddingError, match="must give one tensor; found tuple"):
        rows_of(torchscript(Pair(), tmp_path / "pair.pt"), RED)
    with pytest.raises(OwnEmbeddingError, match="does not take 1 images of 224 x 224 pixels"):
        rows_of(torchscript(nn.Linear(3, 3), tmp_path / "linear.pt"), RED)
    torch.save({"weights": torch.zeros(1)}, tmp_path / "weights.pt")
    with pytest.raises(OwnEmbeddingError, match="is no TorchScript file"):
        rows_of(str(tmp_path / "weights.pt"), RED)


def test_onnx_says_how_large_its_images_and_its_batches_are(tmp_path: Path) -> None:
    (tmp_path / "means.onnx").write_bytes(ONNX_MEANS)
    source = str(tmp_path / "means.onnx")
    assert rows_of(source, RED, GRAY)[:, 0] == pytest.approx([(1 - 0.485) / 0.229, (0.2 - 0.485) / 0.229], abs=1e-5)
    assert rows_of(source, GRAY).shape == (1, 3), "the last batch may be smaller than the network's"
    assert own_embedder(source, torch.device("cpu")).batch_size == 2


def test_a_broken_onnx_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(OwnEmbeddingError, match="is no ONNX file"):
        rows_of(str(tmp_path / "bad.onnx"), RED)


def test_rows_are_taken_as_they_are_and_bad_ones_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.array([[1, 2], [3, 4]]))
    rows = open_rows(tmp_path / "rows.npy")
    assert GivenRows().embed([GivenRows().prepare(row) for row in rows]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    for number in (np.nan, -np.inf, 1e300):  # the last is infinite in 32 bits
        with pytest.raises(OwnEmbeddingError, match="not finite"):
            GivenRows().prepare(np.array([1.0, number]))


@pytest.mark.parametrize(
    "array", [np.zeros(3), np.zeros((3, 0)), np.array([["a"]]), np.array([[None]], object)], ids=str
)
def test_an_array_file_of_anything_but_rows_of_numbers_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "rows.npy", array)
    with pytest.raises(OwnEmbeddingError, match=r"rows\.npy"):
        open_rows(tmp_path / "rows.npy")


def test_another_content_of_the_file_is_another_backbone(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.zeros((2, 2)))
    first = own_backbone(str(path))
    assert own_backbone(str(path)) == first
    np.save(path, np.ones((2, 2)))
    assert own_backbone(str(path)).name != first.name
    assert not first.is_pixels
    with pytest.raises(OwnEmbeddingError, match="cannot be read: No such file"):
        own_backbone(str(tmp_path / "gone.npy"))


def test_the_first_rows_tell_a_store_their_width(tmp_path: Path, functions: str) -> None:
    backbone = own_backbone(f"{functions}:brightness")
    store = FeatureStore(tmp_path / "features", backbone)
    embed(
        store,
        [7, 5],
        lambda sample_id: RED if sample_id == 7 else GRAY,
        progress=lambda *_: None,
        on_broken=lambda *_: pytest.fail("nothing is broken"),
        should_stop=lambda: False,
    )
    again = FeatureStore(tmp_path / "features", backbone)
    assert again.rows([5, 7]).tolist() == [[51.0, 4.0], [85.0, 8.0]]
    assert again.row_shape == (2,)


def test_timm_without_its_library_or_its_weights_says_what_to_do() -> None:
    with pytest.raises(OwnEmbeddingError, match=r"install labelloop\[timm\]|not on this machine"):
        rows_of("timm:resnet18", RED)
