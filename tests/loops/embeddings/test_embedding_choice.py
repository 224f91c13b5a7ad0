"""Which of two embeddings is begun with, of pools whose groups one of them sees."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from loops.embeddings.embedding_choice import (
    EmbeddingChoice,
    choose_by_structure,
    in_embedding_order,
    read_embedding_choice,
    reviewed,
    write_embedding_choice,
)
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.kinds import rivals_of
from loops.evaluation.comparison import Comparison

IDS = np.arange(200)
GROUPS = IDS % 10


def stores(folder: Path, *, features_in_groups: bool, pixels_in_groups: bool) -> list[FeatureStore]:
    """Pixels and features of 200 samples: around ten corners, or anywhere."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (200, 1, 16, 16), dtype=np.uint8)
    if pixels_in_groups:
        pixels = (generator.integers(0, 256, (10, 1, 16, 16))[GROUPS] * 0.9 + pixels * 0.1).astype(np.uint8)
    features = generator.normal(size=(200, 2560)).astype(np.float32)
    if features_in_groups:
        features = generator.normal(size=(10, 2560))[GROUPS].astype(np.float32) + 0.1 * features
    made = [FeatureStore(folder / name, name) for name in ("pixels-16", EFFICIENTNET)]
    for store, rows in zip(made, (pixels, features), strict=True):
        store.append(IDS, rows)
    return made


def choice_of(made: list[FeatureStore]) -> EmbeddingChoice:
    choice = choose_by_structure(made, in_embedding_order(IDS, 0), lambda _id: None, seed=0)
    assert choice is not None
    return choice


def test_features_that_part_the_pool_clearly_are_chosen_over_pixels_that_do_not(tmp_path: Path) -> None:
    choice = choice_of(stores(tmp_path, features_in_groups=True, pixels_in_groups=False))

    assert choice.chosen == EFFICIENTNET
    assert choice.doubts[EFFICIENTNET] < choice.doubts["pixels-16"]
    assert choice.in_order(["pixels-16", EFFICIENTNET]) == (EFFICIENTNET, "pixels-16")
    assert choice.sentence.startswith("Samples are looked at in features of a pretrained network; undecided")


def test_pixels_that_part_the_pool_clearly_stay(tmp_path: Path) -> None:
    assert choice_of(stores(tmp_path, features_in_groups=False, pixels_in_groups=True)).chosen == "pixels-16"


def test_where_neither_leads_it_is_the_pretrained_network_in_whatever_order(tmp_path: Path) -> None:
    made = stores(tmp_path, features_in_groups=False, pixels_in_groups=False)
    equal = np.full(12, 0.5)
    with patch("loops.embeddings.embedding_choice._doubts", lambda *_: equal):
        assert choice_of(made).chosen == choice_of(made[::-1]).chosen == EFFICIENTNET


def test_pixels_must_lead_by_a_quarter_of_a_deviation(tmp_path: Path) -> None:
    """Over twelve draws that differ by 0.01 in the mean of squares, a lead of .002 is too little and .003 is enough."""
    made = stores(tmp_path, features_in_groups=False, pixels_in_groups=False)
    spread = 0.01 * np.array([1.0, -1.0] * 6) * (11 / 12) ** 0.5
    for lead, chosen in ((0.002, EFFICIENTNET), (0.003, "pixels-16")):
        doubts = {"pixels-16": 0.5 - lead + spread, EFFICIENTNET: np.full(12, 0.5)}
        with patch("loops.embeddings.embedding_choice._doubts", lambda store, *_, d=doubts: d[store.backbone.name]):
            assert choice_of(made).chosen == chosen


def test_of_ninety_nine_samples_nothing_is_told(tmp_path: Path) -> None:
    made = stores(tmp_path, features_in_groups=True, pixels_in_groups=False)

    assert choose_by_structure(made, IDS[:99], lambda _id: None, seed=0) is None


def test_it_breaks_off_when_it_is_told_to(tmp_path: Path) -> None:
    def stopped() -> None:
        raise InterruptedError

    made = stores(tmp_path, features_in_groups=True, pixels_in_groups=False)
    with pytest.raises(InterruptedError):
        choose_by_structure(made, IDS, lambda _id: None, seed=0, check=stopped)


def test_the_choice_comes_back_from_its_file_and_an_unreadable_one_is_none(tmp_path: Path) -> None:
    choice = EmbeddingChoice("pixels-16", {"pixels-16": 0.5, EFFICIENTNET: 0.625})
    write_embedding_choice(choice, tmp_path)

    assert read_embedding_choice(tmp_path) == choice
    assert read_embedding_choice(tmp_path / "nowhere") is None
    (tmp_path / "embedding-choice.json").write_text('{"chosen": 1')
    assert read_embedding_choice(tmp_path) is None


def test_a_choice_that_is_no_candidate_any_more_changes_no_order() -> None:
    assert EmbeddingChoice("pixels-64", {}).in_order(["pixels-32", EFFICIENTNET]) == ("pixels-32", EFFICIENTNET)


def test_images_are_compared_by_structure_and_texts_are_not() -> None:
    assert rivals_of("image", ["pixels-16", EFFICIENTNET]) == ("pixels-16", EFFICIENTNET)
    assert rivals_of("text", ["sentences", "tfidf"]) == ()
    assert rivals_of("image", ["pixels-16"]) == ()


BETTER, AS_GOOD = Comparison(True, 0.25, 0.75), Comparison(False, 0.5, 0.5)
BEFORE = EmbeddingChoice("pixels-16", {"pixels-16": 0.5, EFFICIENTNET: 0.625})


def test_labels_held_out_take_back_what_structure_chose() -> None:
    after = reviewed(BEFORE, "pixels-16", {EFFICIENTNET: BETTER, "other": AS_GOOD}, labels=20)

    assert (after.chosen, after.reviewed_at, after.doubts) == (EFFICIENTNET, 20, BEFORE.doubts)
    assert after.sentence == (
        "Samples are looked at in features of a pretrained network; right of 20 labels held out, weighted to the pool: "
        "25 % by pixels, 75 % by features of a pretrained network, 50 % by features of a pretrained network."
    )


def test_what_is_not_measurably_better_changes_nothing_but_is_noted() -> None:
    assert reviewed(BEFORE, "pixels-16", {EFFICIENTNET: AS_GOOD}, labels=20).chosen == "pixels-16"
    after = reviewed(BEFORE, "pixels-16", {EFFICIENTNET: None}, labels=20)
    assert (after.chosen, after.reviewed_at, after.right) == ("pixels-16", 20, {})
