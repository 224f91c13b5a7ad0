"""Networks by their names, of weights that were placed; the libraries are stand-ins with the same calls."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from loops.embeddings.hub_names import address_of
from loops.embeddings.own_embedding import own_embedder
from loops.embeddings.own_source import fingerprint, kind_of, named_network, samples_of
from loops.errors import OwnEmbeddingError
from tests.loops.embeddings.named_libraries import weights, write_packages

RED = np.full((8, 8, 3), (255, 0, 0), np.uint8)
NAMES = ("timm", "open_clip", "sentence_transformers")


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # is put back, whatever is made of it meanwhile
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "packages").mkdir()
    monkeypatch.syspath_prepend(write_packages(tmp_path / "packages"))
    (tmp_path / "twice.pt").write_bytes(weights(scale=[2.0, 2.0, 2.0]))
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)


def rows_of(source: str, *samples: object) -> list[list[float]]:
    embedder = own_embedder(source, torch.device("cpu"))
    return np.asarray(embedder.embed([embedder.prepare(sample) for sample in samples])).tolist()


@pytest.mark.parametrize(
    ("source", "kind", "samples"),
    [
        ("timm:tiny", "timm", "image"),
        ("open_clip:ViT-B-32/laion2b=w.bin", "open_clip", "image"),
        ("sentence-transformers:all-MiniLM-L6-v2", "sentence-transformers", "text"),
    ],
)
def test_the_name_of_a_library_says_what_a_source_is_and_what_it_embeds(source: str, kind: str, samples: str) -> None:
    assert kind_of(source) == kind
    assert samples_of(source) == samples
    assert named_network(source).source == source  # type: ignore[union-attr]


def test_timm_makes_a_network_of_a_placed_file(libraries: Path) -> None:
    assert rows_of(f"timm:tiny.in1k={libraries / 'twice.pt'}", RED) == [[2.0, 0.0, 0.0]]
    assert os.environ["HF_HUB_OFFLINE"] == "1", "no library of this process asks the hub for what it lacks"


def test_without_a_place_weights_come_from_the_cache_and_from_nowhere_else(
    libraries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(libraries / "cache"))
    with pytest.raises(OwnEmbeddingError, match=r"not on this machine; .* say where: timm:tiny=FILE"):
        rows_of("timm:tiny", RED)
    kept = libraries / "cache/labelloop/networks/timm--tiny.in1k/1234"
    kept.mkdir(parents=True)
    (kept / "pytorch_model.bin").write_bytes((libraries / "twice.pt").read_bytes())
    assert rows_of("timm:tiny", RED) == [[2.0, 0.0, 0.0]]


def test_a_network_for_large_images_is_made_for_small_ones(libraries: Path) -> None:
    assert rows_of(f"timm:large={libraries / 'twice.pt'}", RED) == [[2.0, 0.0, 0.0]]
    assert own_embedder(f"timm:large={libraries / 'twice.pt'}", torch.device("cpu")).prepare(RED).shape == (224, 224, 3)


def test_open_clip_makes_a_network_as_its_weights_were_published(libraries: Path) -> None:
    place = libraries / "twice.pt"
    assert rows_of(f"open_clip:ViT/laion={place}", RED) == [[4.0, 0.0, 0.0]]
    assert rows_of(f"open_clip:ViT={place}", RED) == [[2.0, -2.0, -2.0]], "of no published weights, as they mostly are"


def test_sentence_transformers_reads_texts_from_a_placed_folder(libraries: Path) -> None:
    (libraries / "words").mkdir()
    (libraries / "words" / "config.json").write_text('{"words": ["good", "bad"]}')
    with pytest.raises(OwnEmbeddingError, match=r"holds no weights of words that can be used: .*No such file"):
        rows_of(f"sentence-transformers:words={libraries / 'words'}", "good")
    (libraries / "words" / "model.safetensors").write_bytes(b"")
    source = f"sentence-transformers:words={libraries / 'words'}"
    assert rows_of(source, "good good", "bad") == [[2.0, 0.0], [0.0, 1.0]]
    before = fingerprint(source)
    (libraries / "words" / "model.safetensors").write_bytes(b"other")
    assert fingerprint(source) != before


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("timm:huge", "timm has no network 'huge'"),
        ("timm:tiny={}/other.pt", r"other\.pt holds no weights of tiny that can be used: .*shift"),
        ("open_clip:ViT={}/other.pt", "holds no weights of ViT that can be used"),
    ],
)
def test_what_is_no_network_or_another_one_is_refused(libraries: Path, source: str, said: str) -> None:
    (libraries / "other.pt").write_bytes(weights(shift=[1.0]))
    with pytest.raises(OwnEmbeddingError, match=said):
        rows_of(source.format(libraries), RED)


class Code:
    """What runs as a pickle is read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("name", ["timm:tiny", "open_clip:ViT"])
def test_a_file_of_weights_runs_no_code(libraries: Path, name: str) -> None:
    torch.save(Code(libraries / "ran"), libraries / "code.pt")
    with pytest.raises(OwnEmbeddingError, match=r"code\.pt holds no weights of .* that can be used"):
        rows_of(f"{name}={libraries / 'code.pt'}", RED)
    assert not (libraries / "ran").exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("timm:tiny.bad", "timm has no weights 'tiny.bad'"),
        ("timm:tiny.alone", r"are on no hub; place their file, and name it as timm:tiny\.alone=FILE"),
        ("open_clip:ViT/openai", r"no weights 'openai' of ViT on a hub \(MODEL/WEIGHTS\); it has laion"),
    ],
)
def test_what_lies_on_no_hub_is_refused_before_it_is_asked(libraries: Path, source: str, said: str) -> None:
    with pytest.raises(OwnEmbeddingError, match=said):
        address_of(named_network(source))  # type: ignore[arg-type]


def test_each_library_says_where_its_networks_lie(libraries: Path) -> None:
    def repository(source: str) -> str:
        return address_of(named_network(source)).repository  # type: ignore[arg-type]

    assert repository("timm:tiny") == "timm/tiny.in1k"
    assert repository("open_clip:ViT/laion") == "laion/vit"
    assert repository("sentence-transformers:mini") == "sentence-transformers/mini"
    assert repository("sentence-transformers:who/mini") == "who/mini"


def test_a_library_that_is_not_installed_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(OwnEmbeddingError, match=r"open_clip cannot be used: .*; install labelloop\[open-clip\]"):
        rows_of("open_clip:ViT=w.pt", RED)
