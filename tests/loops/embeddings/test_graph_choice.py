from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loops.embeddings.graph_choice import GraphChoice, read_choice, write_choice

BY_STRUCTURE = GraphChoice(learned=True, clearer=True, computed_doubt=0.41, learned_doubt=0.38)


def test_the_sentence_says_what_is_in_force_and_why() -> None:
    assert GraphChoice().sentence("upright pixels") == "Neighbors are looked for in upright pixels."
    assert BY_STRUCTURE.sentence("learned features") == (
        "Neighbors are looked for in learned features: learned features part the pool more clearly into groups "
        "(undecided 38.0 % against 41.0 % in computed ones)."
    )
    assert replace(BY_STRUCTURE, learned=False).sentence("pixels") == (
        "Neighbors are looked for in pixels for the first 10 labels, then in learned features, which part the pool "
        "more clearly into groups (undecided 38.0 % against 41.0 % in computed ones)."
    )
    by_labels = GraphChoice(False, True, 0.41, 0.38, compared_at=30, computed_right=0.9, learned_right=0.7)
    assert by_labels.sentence("pixels") == (
        "Neighbors are looked for in pixels (learned features 70 %, computed ones 90 % of 30 labels held out, "
        "weighted to the pool)."
    )


def test_a_choice_is_kept_by_seed_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    write_choice(BY_STRUCTURE, tmp_path, 0)
    assert read_choice(tmp_path, 0) == BY_STRUCTURE
    assert read_choice(tmp_path, 1) == GraphChoice()
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text()[:20])
    assert read_choice(tmp_path, 0) == GraphChoice()
