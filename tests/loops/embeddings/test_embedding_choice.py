"""Which of two embeddings is begun with, of pools whose groups one of them sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loops.embeddings.embedding_choice import (
    EmbeddingChoice,
    choose_by_structure,
    in_embedding_order,
    read_embedding_choice,
    write_embedding_choice,
)
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.embeddings.kinds import rivals_of

IDS = np.arange(200)
GROUPS = IDS % 10


def stores(folder: Path, *, features_in_groups: bool, pixels_in_groups: bool) -> list[FeatureStore]:
    """Pixels and features of 200 samples: around ten corners, or anywhere."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (200, 1, 16, 16), dtype=np.uint8)
    if pixels_in_groups:
        pixels = (generator.integers(0, 256, (10, 1, 16, 16))[GROUPS] * 0.9 + pixels * 0.1).astype(np.uint8)
    features = generator.normal(size=(200, 1280)).astype(np.float32)
    if features_in_groups:
        features = generator.normal(size=(10, 1280))[GROUPS].astype(np.float32) + 0.1 * features
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
    assert choice.sentence.startswith("The images are looked at in features of a pretrained network; undecided")


def test_pixels_that_part_the_pool_clearly_stay(tmp_path: Path) -> None:
    assert choice_of(stores(tmp_path, features_in_groups=False, pixels_in_groups=True)).chosen == "pixels-16"


def test_what_does_not_lead_measurably_does_not_replace_the_first(tmp_path: Path) -> None:
    first, second = stores(tmp_path, features_in_groups=True, pixels_in_groups=False)
    twin = FeatureStore(tmp_path / "twin", "pixels-16")
    twin.append(IDS, first.rows(IDS))
    assert second.backbone.name == EFFICIENTNET

    assert choice_of([first, twin]).chosen == "pixels-16"


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
