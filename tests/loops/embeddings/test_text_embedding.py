from __future__ import annotations

import numpy as np
import pytest

from loops.embeddings.embedders import distortion_of, embedder_of, fit
from loops.embeddings.features import FeatureStore, embed
from loops.embeddings.kinds import backbone_of, candidates_of
from loops.embeddings.text_embedding import DIMENSIONS, FittedTfidf, fit_tfidf
from loops.errors import UnknownPredictorError
from loops.predictors.network_spec import choose_network

GOALS = ["the goal was late", "a late goal", "goal after goal", "no goal at all"]
RAIN = ["rain all day", "a day of rain", "rain and more rain", "all that rain"]
TEXTS = [*GOALS, *RAIN]


def stored(folder, texts, pool=None) -> FeatureStore:
    """A store of these texts, fitted to all of them or to those of the pool."""
    store = FeatureStore(folder, "tfidf")
    ids = np.arange(len(texts))
    fit(store.backbone, store.folder, ids if pool is None else np.array(pool), texts.__getitem__)
    embed(store, ids, texts.__getitem__, progress=lambda *_: None, on_broken=lambda *_: None, should_stop=lambda: False)
    return store


def test_rows_have_length_1_and_texts_with_the_same_words_lie_together(tmp_path):
    rows = stored(tmp_path, TEXTS).rows(np.arange(8))
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(8), abs=1e-5)
    alike = rows @ rows.T
    assert alike[:4, :4].mean() > 0 > alike[:4, 4:].mean()


def test_the_same_texts_give_the_same_rows_to_the_last_bit(tmp_path):
    first, again = (stored(tmp_path / name, TEXTS).rows(np.arange(8)) for name in ("one", "two"))
    assert (first == again).all()


def test_a_text_that_comes_later_is_embedded_by_what_was_fitted_before(tmp_path):
    before = stored(tmp_path, TEXTS).rows([1])
    again = stored(tmp_path, [*TEXTS, "a late goal", "snow"])
    assert (again.rows([8]) == before).all()
    assert np.isfinite(again.rows([9])).all()


def test_texts_outside_the_pool_have_no_part_in_the_fit(tmp_path):
    fitted = stored(tmp_path, [*TEXTS, "snow"], pool=range(8)) and FittedTfidf.read(tmp_path / "fitted.npz")
    assert "rain" in fitted.terms
    assert "snow" not in fitted.terms


def test_what_was_fitted_is_arrays_alone_and_reads_back_as_it_was(tmp_path):
    fitted = fit_tfidf(TEXTS)
    fitted.write(tmp_path / "fitted.npz")
    with np.load(tmp_path / "fitted.npz", allow_pickle=False) as kept:
        assert set(kept.files) == {"made_by", "terms", "idf", "directions", "mean"}
    assert (FittedTfidf.read(tmp_path / "fitted.npz").rows(["late rain"]) == fitted.rows(["late rain"])).all()


@pytest.mark.parametrize("texts", [["one"], ["one", "two"], ["same", "same", "same"], ["日本", "本日"], ["...", "!"]])
def test_the_smallest_pools_can_be_fitted(texts):
    rows = fit_tfidf(texts).rows([*texts, "something else"])
    assert rows.shape[1] >= 1
    assert np.isfinite(rows).all()


def test_there_are_never_more_numbers_than_the_limit():
    texts = [f"word{number} word{number + 1} word{number * 7 % 50}" for number in range(400)]
    assert fit_tfidf(texts).rows(texts).shape == (400, DIMENSIONS)


def test_scripts_without_spaces_are_told_apart_by_their_letters():
    cats, dogs = ["猫が好きです", "黒い猫", "猫と暮らす"], ["犬が好きです", "黒い犬", "犬と暮らす"]
    rows = fit_tfidf([*cats, *dogs]).rows(["猫", "犬", "白い猫"])
    assert rows[2] @ rows[0] > rows[2] @ rows[1]


def test_how_letters_are_composed_does_not_matter():
    fitted = fit_tfidf(["caf\u00e9 noir", "th\u00e9 vert", "eau"])
    assert (fitted.rows(["cafe\u0301"]) == fitted.rows(["Caf\u00e9"])).all()


def test_a_text_that_cannot_be_read_is_left_out_of_the_fit(tmp_path):
    def load(sample_id):
        if sample_id == 3:
            raise OSError("gone")
        return TEXTS[sample_id]

    fit(backbone_of("tfidf"), tmp_path, np.arange(8), load)
    assert "no" not in FittedTfidf.read(tmp_path / "fitted.npz").terms


def test_a_fit_can_be_broken_off_and_leaves_nothing_behind(tmp_path):
    def check():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit(backbone_of("tfidf"), tmp_path, np.arange(8), TEXTS.__getitem__, check)
    assert list(tmp_path.iterdir()) == []


def test_texts_have_features_and_no_pixels():
    assert choose_network("auto", candidates_of("text", [])).name == "features"
    with pytest.raises(UnknownPredictorError, match="known are auto, features"):
        choose_network("cnn", candidates_of("text", []))


def test_stored_texts_cannot_be_distorted_and_stored_pixels_can():
    assert distortion_of(backbone_of("tfidf")) is None
    assert distortion_of(backbone_of("efficientnet_lite")) is None
    assert distortion_of(backbone_of("pixels-16")) is not None


def test_the_embedder_needs_nothing_but_what_is_beside_the_rows(tmp_path):
    store = stored(tmp_path, TEXTS)
    embedder = embedder_of(store.backbone, tmp_path)
    assert (embedder.embed([embedder.prepare("rain all day")]) == store.rows([4])).all()
