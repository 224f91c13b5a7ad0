"""What the classes are called, in the space of an embedding that reads text as well as images."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from loops.embeddings.features import FeatureStore
from loops.embeddings.own_source import NamedNetwork, named_network
from loops.errors import OwnEmbeddingError
from loops.files import replace_file

_KEPT = "names.npz"  # in the folder of the features: a network of two towers takes seconds to load
WORTH = 10.0  # labels, spread over the pool: a region that is labeled once is believed as much as its names
_BELIEVED = 2.0  # labels that the names have right, before there is one
_logger = logging.getLogger(__name__)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ClassName:
    """A class as people read it."""

    name: str
    description: str = ""
    retired: bool = False  # nobody is asked for it any more, so it is not read

    @property
    def sentences(self) -> list[str]:
        """What is read of it: networks of two towers learned from captions, and know little of single words."""
        if self.retired:
            return []
        named = f"a photo of a {self.name}."
        return [named, f"{self.name}: {self.description}"] if self.description else [named]


@dataclass(frozen=True)
class NameRows:
    """The classes' names beside the rows of samples: the nearer a row is to a name, the likelier the class."""

    rows_C_D: Floats  # of length 1; of a class that is retired 0: it is never answered
    scale: float  # by which the network multiplies a cosine before its softmax

    def probs(self, rows_N_D: Floats) -> Floats:
        """Class probabilities `[N, C]` of samples, by which name is how near (Radford et al. 2021)."""
        logits_N_C = self.scale * unit(rows_N_D) @ self.rows_C_D.T
        logits_N_C[:, ~self.rows_C_D.any(axis=1)] = -np.inf  # a cosine may be below 0, which no name has
        raised = np.exp(logits_N_C - logits_N_C.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def worth_of(right: int, labels: int, num_classes: int) -> float:
    """What names are worth, in labels: ten before there is one, and by labels as much as they are better than chance.

    Args:
        right: Labels that the names have right.
        labels: All of them.
        num_classes: C.
    """
    share, chance = (right + _BELIEVED) / (labels + _BELIEVED), 1.0 / num_classes
    return WORTH * max(0.0, (share - chance) / (1.0 - chance)) if num_classes > 1 else 0.0


def name_rows(store: FeatureStore, classes: Sequence[ClassName]) -> NameRows | None:
    """Reads the names; None where the embedding reads no text, or what it reads text with is not here.

    Args:
        store: Of the samples' rows; what was read is kept in its folder.
        classes: By class index.
    """
    network = named_network(store.backbone.source)
    if network is None or network.library != "open_clip" or all(one.retired for one in classes):
        return None
    read = json.dumps([store.backbone.name, [one.sentences for one in classes]])
    digest = hashlib.sha256(read.encode()).hexdigest()
    path = store.folder / _KEPT
    kept = _kept(path, digest)
    if kept is not None:
        return kept
    found = _readable(network, tuple(classes))
    if found is None:
        return None
    file = io.BytesIO()
    np.savez(file, rows=found.rows_C_D, scale=found.scale, digest=digest)
    replace_file(path, file.getvalue())
    return found


def _kept(path: Path, digest: str) -> NameRows | None:
    """What was read before; None where it is of other names, or damaged: it can be read again."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return NameRows(kept["rows"], float(kept["scale"])) if str(kept["digest"]) == digest else None
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None


@lru_cache(maxsize=1)  # what cannot be read is not tried again for every round: a network takes seconds to load
def _readable(network: NamedNetwork, classes: tuple[ClassName, ...]) -> NameRows | None:
    try:
        return _read(network, classes)
    except OwnEmbeddingError as error:
        _logger.warning("the names of the classes are not read: %s", error)
        return None


def _read(network: NamedNetwork, classes: Sequence[ClassName]) -> NameRows:
    """The mean direction of what is said of each class."""
    from loops.embeddings.named_networks import read_texts  # torch only where something is to be read

    rows_S_D, scale = read_texts(network, [sentence for one in classes for sentence in one.sentences])
    ends = np.cumsum([len(one.sentences) for one in classes])[:-1]
    rows_C_D = np.stack([part.sum(axis=0) for part in np.split(unit(rows_S_D), ends)])
    return NameRows(unit(rows_C_D), scale)


def unit(rows_N_D: Floats) -> Floats:
    """Rows of length 1."""
    return np.asarray(rows_N_D / np.maximum(np.linalg.norm(rows_N_D, axis=1, keepdims=True), 1e-9), np.float32)
