from __future__ import annotations

import json
from dataclasses import replace
from math import log

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.project.settings import save_settings
from app.screens.label_page.why import NO_DRAWS, NO_MODEL, NOT_SCORED, why_this_one
from app.screens.shared.doubt import Doubt
from storage.rounds import NewQuery
from storage.samples import get_samples


def store(filled, rows, *, backbone="pixels-2", shape=(1, 2, 2)):
    """Keep features as the trainer does: one row per sample id."""
    folder = filled.project.features_dir / backbone
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"backbone": backbone, "row_shape": list(shape)}))
    np.array(list(rows), np.int64).tofile(folder / "ids.bin")
    np.array(list(rows.values()), np.uint8 if backbone.startswith("pixels") else np.float32).tofile(
        folder / f"rows-{shape[0]}.bin"
    )
    return folder


def why(filled, *sample_ids):
    with filled.database.read() as session:
        samples = get_samples(session, sample_ids=sample_ids)
    return why_this_one([samples[sample_id] for sample_id in sample_ids])


def scored(filled, **scores):
    filled.publish(labels=0)
    return filled.write_scores(filled.publish(labels=4), **scores)


def test_two_sure_disagreeing_draws_are_model_doubt_alone(filled):
    scored(filled, sample_ids=[1, 2, 3], torn=[2])
    card = why(filled, 2)[2]
    assert (card["total"], card["epistemic"], card["aleatoric"]) == pytest.approx((log(2), log(2), 0.0))
    assert card["epistemic_share"] == 1.0
    assert card["most"] == pytest.approx(log(3))  # three classes
    assert card["round"] == 1


def test_the_draws_are_those_of_the_likeliest_classes(filled):
    scored(filled, sample_ids=[1, 2, 3], torn=[2])
    card = why(filled, 2)[2]
    assert card["draws"] == [
        {"name": "cat", "probs": [1.0, 0.0]},
        {"name": "dog", "probs": [0.0, 1.0]},
        {"name": "emu", "probs": [0.0, 0.0]},
    ]
    assert card["iterations"] == 2
    assert "alarm" not in card


def test_identical_draws_of_an_unsure_model_raise_the_alarm(filled):
    path = scored(filled, sample_ids=[1], torn=[])
    table = pq.read_table(path)
    same = pa.array([[0.5, 0.5, 0.5, 0.5, 0.0, 0.0]], pa.list_(pa.float32()))
    pq.write_table(table.set_column(table.schema.get_field_index("draws"), "draws", same), path)
    assert why(filled, 1)[1]["alarm"].startswith("All 2 draws of this sample are identical")


def test_draws_that_were_not_kept_are_said_to_be_missing(filled):
    path = scored(filled, sample_ids=[1], torn=[1])
    table = pq.read_table(path)
    none = pa.nulls(1, pa.list_(pa.float32()))
    pq.write_table(table.set_column(table.schema.get_field_index("draws"), "draws", none), path)
    card = why(filled, 1)[1]
    assert NO_DRAWS in card["missing"]
    assert card["total"] == pytest.approx(log(2))


def test_before_the_first_model_the_card_says_so(filled):
    filled.publish(labels=0)
    assert NO_MODEL in why(filled, 1)[1]["missing"]


def test_a_sample_that_was_not_scored_is_told_apart_from_those_that_were(filled):
    scored(filled, sample_ids=[1, 2], torn=[1])
    cards = why(filled, 1, 5)
    assert NOT_SCORED in cards[5]["missing"]
    assert NOT_SCORED not in cards[1]["missing"]


def test_a_damaged_scores_file_is_a_sentence_on_the_card(filled):
    path = scored(filled, sample_ids=[1])
    path.write_bytes(path.read_bytes()[:100])
    assert "cannot be read as scores" in why(filled, 1)[1]["missing"][0]


def test_the_neighbors_are_the_labeled_samples_that_look_most_alike(filled):
    # Sample 1 is bright on the left; 2 and 4 too, 3 on the right, 5 half way, 6 is not labeled.
    left, half, right = [200, 0, 200, 0], [200, 100, 200, 0], [0, 200, 0, 200]
    store(filled, {1: left, 2: left, 3: right, 4: [100, 0, 100, 0], 5: half, 6: left})
    for sample_id, class_index in ((2, 0), (3, 1), (4, 2), (5, 1)):
        filled.label(sample_id, class_index)
    neighbors = why(filled, 1)[1]["neighbors"]
    assert [(entry["sample_id"], entry["name"]) for entry in neighbors] == [(2, "cat"), (4, "emu"), (5, "dog")]
    assert [entry["similarity"] for entry in neighbors[:2]] == pytest.approx([1.0, 1.0])
    assert neighbors[0]["content"]["address"].startswith("data:image/")


def test_a_sample_is_never_its_own_neighbor(filled):
    store(filled, {1: [9, 0, 0, 0], 2: [0, 9, 0, 0]})
    filled.label(1, 0)
    filled.label(2, 1)
    cards = why(filled, 1, 2)
    assert [entry["sample_id"] for entry in cards[1]["neighbors"]] == [2]
    assert [entry["sample_id"] for entry in cards[2]["neighbors"]] == [1]


def test_a_label_taken_anew_is_on_the_next_card(filled):
    store(filled, {1: [9, 0, 0, 0], 2: [0, 9, 0, 0], 3: [0, 9, 9, 0]})
    filled.label(2, 0)
    assert [entry["name"] for entry in why(filled, 1)[1]["neighbors"]] == ["cat"]
    filled.label(3, 1)
    assert {entry["name"] for entry in why(filled, 1)[1]["neighbors"]} == {"cat", "dog"}


def test_skipped_samples_are_no_neighbors(filled):
    store(filled, {1: [9, 0, 0, 0], 2: [9, 0, 0, 0]})
    filled.label(2, None)
    assert "No labeled neighbors yet" in why(filled, 1)[1]["missing"][-1]


def test_a_flat_image_is_like_nothing_and_breaks_nothing(filled):
    store(filled, {1: [7, 7, 7, 7], 2: [9, 0, 0, 0]})
    filled.label(2, 0)
    assert why(filled, 1)[1]["neighbors"][0]["similarity"] == 0.0


def test_features_of_photographs_are_read_as_real_numbers(filled):
    store(filled, {1: [0.5, 0.0], 2: [0.5, 0.1], 3: [0.0, 0.5]}, backbone="efficientnet_lite", shape=(2,))
    filled.label(2, 0)
    filled.label(3, 1)
    assert [entry["name"] for entry in why(filled, 1)[1]["neighbors"]] == ["cat", "dog"]


@pytest.mark.parametrize("content", ["", "{}", '{"backbone": "pixels-2", "row_shape": [1, 2, 2]'])
def test_features_that_cannot_be_read_are_a_sentence(filled, content):
    folder = store(filled, {1: [9, 0, 0, 0], 2: [9, 0, 0, 0]})
    (folder / "meta.json").write_text(content)
    filled.label(2, 0)
    assert "cannot be read" in why(filled, 1)[1]["missing"][-1]


def test_rows_the_trainer_is_just_writing_are_left_out(filled):
    folder = store(filled, {1: [9, 0, 0, 0], 2: [9, 0, 0, 0], 3: [9, 0, 0, 0]})
    rows = (folder / "rows-1.bin").read_bytes()
    (folder / "rows-1.bin").write_bytes(rows[:-1])
    filled.label(2, 0)
    filled.label(3, 1)
    assert [entry["sample_id"] for entry in why(filled, 1)[1]["neighbors"]] == [2]


def test_the_card_is_plain_json(filled):
    scored(filled, sample_ids=[1, 2], torn=[2])
    store(filled, {1: [9, 0, 0, 0], 2: [9, 0, 0, 0]})
    filled.label(1, 0)
    cards = why(filled, 1, 2)
    assert json.loads(json.dumps(cards)).keys() == {"1", "2"}


def test_no_doubt_at_all_has_no_share():
    assert Doubt(0.0, 0.0, log(3)).epistemic_share == 0.0
    assert Doubt(0.1, 0.3, log(3)).epistemic_share == pytest.approx(0.25)


def test_a_sample_others_are_still_to_decide_on_is_no_neighbor(filled):
    save_settings(filled.project.settings_path, replace(filled.project.settings(), overlap=2))
    filled.publish(labels=0, queries=[NewQuery(2, 0, "train", None, None, annotators=2)])
    store(filled, {1: [9, 0, 0, 0], 2: [9, 0, 0, 0], 3: [0, 9, 0, 0]})
    filled.label(2, 0)
    filled.label(3, 1)
    assert [entry["sample_id"] for entry in why(filled, 1)[1]["neighbors"]] == [3]


def test_the_card_names_who_asked_and_how_many_labels_it_had_seen(filled):
    asked = NewQuery(1, 0, "train", 1.0, None, predictor="graph", predictor_version="1", predictor_labels=12)
    filled.publish(labels=0, queries=[asked, NewQuery(2, 1, "train", 0.5, None)])
    cards = why(filled, 1, 2)
    assert cards[1]["asked"] == "Asked by graph, which had seen 12 labels."
    assert "asked" not in cards[2]
