"""From texts to stored rows: TF-IDF of words and pairs of words, its leading directions fitted to the pool.

Words of scripts that put no spaces between them are taken letter by letter, so that pairs of letters stand for words.
What was fitted is kept beside the rows: texts that come later are embedded as those before.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.extmath import randomized_svd

from loops.embeddings.backbone import Backbone, Distort
from loops.embeddings.embedder import Embedder
from loops.embeddings.sentence_encoder import SentenceEmbedder
from loops.embeddings.texts import SENTENCES, TRANSFORM
from loops.files import replace_file
from loops.seeding import hash_of_ids, seed_of

DIMENSIONS = 256
FITTED = "fitted.npz"  # what `fit` keeps
FITTED_TO = 20_000  # texts; more tell no other words, and the first question waits for the fit
MOST_TERMS = 20_000  # words and pairs; each costs a kilobyte of what is kept
OFTEN = 1_000  # texts from which on a term must stand in two of them
_LETTER = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # of scripts without spaces
_TERM = rf"[{_LETTER}]|[^\W{_LETTER}]+|[^\w\s]"
_CHECKED_EVERY = 500  # texts

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class FittedTfidf:
    """What was learned from a pool."""

    terms: Sequence[str]  # V of them, in the order of their columns
    idf_V: NDArray[np.float32]
    directions_V_D: NDArray[np.float32]
    mean_D: NDArray[np.float32]  # of the pool's rows; without it all texts lie in one direction

    def rows(self, texts: Sequence[str]) -> Rows:
        """Rows of length 1: `[N, D]`, float32."""
        projected = np.asarray(self._weights(texts) @ self.directions_V_D, np.float32)
        return _of_length_1(_of_length_1(projected) - self.mean_D)

    def _weights(self, texts: Sequence[str]) -> csr_matrix:
        vectorizer = _vectorizer(vocabulary=list(self.terms))
        vectorizer.idf_ = self.idf_V
        return vectorizer.transform(texts)

    def write(self, path: Path) -> None:
        """Keeps it, atomically; arrays and JSON, so that reading it runs no code."""
        terms = np.frombuffer(json.dumps(list(self.terms)).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez(
            buffer, made_by=np.array(TRANSFORM), terms=terms, idf=self.idf_V, directions=self.directions_V_D,
            mean=self.mean_D,
        )  # fmt: skip
        replace_file(path, buffer.getvalue())

    @staticmethod
    def read(path: Path) -> FittedTfidf:
        """What `write` kept."""
        with np.load(path, allow_pickle=False) as kept:
            terms = json.loads(kept["terms"].tobytes())
            return FittedTfidf(terms, kept["idf"], kept["directions"], kept["mean"])


def fit_tfidf(texts: Sequence[str]) -> FittedTfidf:
    """Learns which words and pairs tell texts apart, and the directions in which they go together.

    Args:
        texts: At least one; the order does not matter to anybody but the last bit.
    """
    vectorizer = _vectorizer(min_df=2 if len(texts) >= OFTEN else 1, max_features=MOST_TERMS)
    weights = vectorizer.fit_transform(texts)
    dimensions = max(1, min(DIMENSIONS, *(size - 1 for size in weights.shape)))
    _, _, directions_D_V = randomized_svd(weights, dimensions, n_iter=5, random_state=0)
    directions = np.ascontiguousarray(directions_D_V.T, np.float32)
    mean = _of_length_1(np.asarray(weights @ directions, np.float32)).mean(axis=0)
    terms = vectorizer.get_feature_names_out().tolist()
    return FittedTfidf(terms, vectorizer.idf_.astype(np.float32), directions, mean)


def fit(
    backbone: Backbone, folder: Path, pool: NDArray[np.int64], load: Callable[[int], Any], check: Callable[[], None]
) -> None:
    """Learns from up to 20,000 texts of the pool, drawn by their ids; nothing where it did so before, or need not."""
    path = _path(folder)
    if backbone.name == SENTENCES or _is_fitted(path) or not len(pool):
        return
    drawn = np.sort(pool[np.argsort(hash_of_ids(pool, seed_of("tfidf")), kind="stable")[:FITTED_TO]])
    texts = list(_readable(drawn.tolist(), load, check))
    if texts:
        fit_tfidf(texts).write(path)


def embedder(backbone: Backbone, folder: Path, device: torch.device) -> Embedder:  # noqa: ARG001 - no network
    """The sentence encoder, or what `fit` learned."""
    if backbone.name == SENTENCES:
        return SentenceEmbedder()
    return TextEmbedder(FittedTfidf.read(_path(folder)))


def distortion(backbone: Backbone) -> Distort | None:  # noqa: ARG001 - of neither
    """None: what is stored has no words that could be left out."""
    return None


class TextEmbedder:
    """Texts to rows of length 1."""

    batch_size = 1_000

    def __init__(self, fitted: FittedTfidf) -> None:
        self._fitted = fitted

    def prepare(self, sample: str) -> str:
        """The text as it is."""
        return sample

    def embed(self, prepared: Sequence[str]) -> Rows:
        """Rows `[N, D]`."""
        return self._fitted.rows(prepared)


def _vectorizer(**options: Any) -> TfidfVectorizer:  # noqa: ANN401 - scikit-learn's own
    return TfidfVectorizer(
        preprocessor=_same_characters, token_pattern=_TERM, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32,
        **options,
    )  # fmt: skip


def _same_characters(text: str) -> str:
    return normalize("NFC", text).lower()


def _of_length_1(rows_N_D: Rows) -> Rows:
    """A text without a known word keeps its zeros."""
    lengths = np.linalg.norm(rows_N_D, axis=1, keepdims=True)
    return np.asarray(np.divide(rows_N_D, lengths, out=np.zeros_like(rows_N_D), where=lengths > 0), np.float32)


def _readable(sample_ids: Sequence[int], load: Callable[[int], Any], check: Callable[[], None]) -> Iterator[str]:
    for number, sample_id in enumerate(sample_ids):
        if number % _CHECKED_EVERY == 0:
            check()
        with suppress(Exception):  # whoever embeds it says so
            yield load(sample_id)


def _path(folder: Path) -> Path:
    return folder / FITTED


def _is_fitted(path: Path) -> bool:
    if not path.exists():
        return False
    with np.load(path, allow_pickle=False) as kept:
        return str(kept["made_by"]) == TRANSFORM
