from __future__ import annotations

import numpy as np
import pytest

from loops.embeddings import sentence_encoder
from loops.embeddings.embedders import embedder_of
from loops.embeddings.kinds import backbone_of
from loops.embeddings.sentence_encoder import LONGEST, SentenceEmbedder
from loops.errors import FeatureStoreError

EMBEDDER = SentenceEmbedder()


def rows(*texts: str) -> np.ndarray:
    return EMBEDDER.embed([EMBEDDER.prepare(text) for text in texts])


def test_rows_are_of_length_1_and_what_means_the_same_in_other_words_lies_nearer_than_what_shares_words():
    asked, same, other = rows("The battery dies quickly.", "It runs out of power soon.", "The battery is in the box.")

    assert (asked.shape, asked.dtype) == ((512,), np.float32)
    assert np.linalg.norm([asked, same, other], axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert asked @ same > 0
    assert backbone_of("sentences").row_shape == (512,)


def test_a_text_in_another_language_lies_near_its_translation():
    english, german, unrelated = rows("The cat sleeps.", "Die Katze schl\u00e4ft.", "Interest rates rose.")

    assert english @ german > english @ unrelated


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\U0001f600", "x" * (2 * LONGEST)])
def test_whatever_is_written_gives_a_finite_row(text):
    assert np.isfinite(rows(text)).all()


def test_a_text_gives_the_same_row_alone_and_among_others():
    assert rows("good", "bad", "very good")[2] == pytest.approx(rows("very good")[0], abs=1e-6)


def test_other_weights_are_refused_before_they_make_rows(monkeypatch):
    monkeypatch.setattr(sentence_encoder, "_SHA256", {"sp.model": "0" * 64})
    sentence_encoder._encoder.cache_clear()
    with pytest.raises(FeatureStoreError, match=r"sp\.model is not the one"):
        rows("anything")


def test_the_embedder_of_sentences_needs_nothing_that_was_fitted(tmp_path):
    assert embedder_of(backbone_of("sentences"), tmp_path).embed(["good"]).shape == (1, 512)
