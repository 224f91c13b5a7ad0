from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.project.scores import write_scores
from app.project.settings import save_settings
from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY
from loops.acquisition.catalog import MEASURES
from loops.oracle import PoolScores
from storage.current import current_labels
from storage.events import list_events
from storage.rounds import NewQuery
from storage.samples import list_samples


def texts(elements):
    return " ".join(element.value for element in elements)


def scored(filled, **scores):
    filled.publish(labels=0)
    number = filled.publish(labels=4)
    return filled.write_scores(number, **scores)


def test_without_a_trained_round_the_screen_says_what_to_do(filled, open_screen):
    filled.publish(labels=0)
    assert "label 4 more samples" in texts(open_screen("uncertainty.py").info)


def test_the_most_doubted_sample_is_explained_first(filled, open_screen):
    scored(filled, sample_ids=[1, 2, 3], torn=[2])
    screen = open_screen("uncertainty.py")
    assert "Sample 2" in texts(screen.header)
    assert "Total uncertainty: 0.693 nats" in texts(screen.markdown)  # ln 2
    assert "3 of 3 samples of the pool" in texts(screen.caption)


def test_a_narrower_range_shows_fewer_samples(filled, open_screen):
    scored(filled, sample_ids=[1, 2, 3], torn=[2])
    screen = open_screen("uncertainty.py")
    screen.slider(key="range_bald_1").set_value((0.5, 0.694)).run()
    assert "1 of 3 samples of the pool" in texts(screen.caption)
    assert screen.button(key="uncertainty_choose_2").label == r"0\.693 nats"


def test_pressing_a_score_explains_that_sample(filled, open_screen):
    filled.label(3, 2)
    scored(filled, sample_ids=[1, 2, 3], torn=[2])
    screen = open_screen("uncertainty.py")
    screen.button(key="uncertainty_choose_3").click().run()
    assert screen.session_state[CHOSEN_KEY] == 3
    assert "Sample 3" in texts(screen.header)
    assert "emu" in texts(screen.markdown)


def test_a_pool_whose_draws_never_differ_raises_the_alarm(filled, open_screen):
    scored(filled, sample_ids=[1, 2], torn=[])
    assert "Health alarm" in texts(open_screen("uncertainty.py").error)


def test_a_damaged_scores_file_is_a_sentence(filled, open_screen):
    path = scored(filled, sample_ids=[1, 2])
    path.write_bytes(path.read_bytes()[:100])
    screen = open_screen("uncertainty.py")
    assert "0001/scores.parquet cannot be read as scores" in texts(screen.error)


def test_without_a_map_the_screen_says_when_it_comes(filled, open_screen):
    scored(filled, sample_ids=[1, 2])
    screen = open_screen("uncertainty.py")
    screen.segmented_control(key="uncertainty_view").set_value("Map").run()
    assert "The map is not there yet" in texts(screen.info)


def test_the_map_draws_the_whole_pool_and_by_label_what_had_left_it(filled, open_screen):
    filled.label(4, 2)
    scored(filled, sample_ids=[1, 2, 3])
    filled.write_map([1, 2, 3, 4])
    screen = open_screen("uncertainty.py")
    screen.segmented_control(key="uncertainty_view").set_value("Map").run()
    assert not screen.exception
    assert "All 3 samples of the pool. By label, the 1 that this round did not score" in texts(screen.caption)


def test_a_sample_outside_the_pool_is_shown_with_its_label(filled, open_screen):
    filled.label(4, 2)
    scored(filled, sample_ids=[1, 2, 3])
    screen = open_screen("uncertainty.py")
    screen.session_state[CHOSEN_KEY] = 4
    screen.run()
    assert "Sample 4" in texts(screen.header)
    assert "This round did not score it" in texts(screen.caption)


def test_the_card_names_the_one_predictor_it_is_of(filled, open_screen):
    filled.publish(labels=0)
    asked = [NewQuery(1, 0, "train", 0.5, 1.0, 0, 0.9, predictor="graph", predictor_labels=4)]
    filled.write_scores(filled.publish(labels=4, queries=asked), sample_ids=[1, 2, 3])
    assert "predictor\\: graph of round 1, which had seen 4 labels" in texts(open_screen("uncertainty.py").caption)


def test_the_sample_on_the_card_is_labeled_there(filled, open_screen):
    scored(filled, sample_ids=[1, 2, 3], torn=[2])
    screen = open_screen("uncertainty.py")
    screen.button(key="uncertain_class_2").click().run()
    assert "decision on sample 2 is stored" in texts(screen.success)
    with filled.database.read() as session:
        (label,) = current_labels(session, project_id=filled.project_id)
        (event,) = list_events(session, project_id=filled.project_id)
    assert (label.sample_id, label.class_index, label.purpose, label.annotator) == (2, 2, "train", "tester")
    assert (event.acquisition, event.acquisition_probability) == ("hand_picked", None)
    assert screen.button(key="uncertain_class_2").disabled


def test_a_sample_that_is_kept_for_the_audit_is_not_labeled_by_hand(filled, open_screen):
    save_settings(filled.project.settings_path, replace(filled.project.settings(), audit_share=0.5))
    with filled.database.read() as session:
        samples = list_samples(session, project_id=filled.project_id, split="pool")
    kept = next(sample.id for sample in samples if sample.audit_key < 0.5)
    scored(filled, sample_ids=[sample.id for sample in samples], torn=[kept])
    screen = open_screen("uncertainty.py")
    assert "It is kept for the audit" in texts(screen.caption)
    assert "uncertain_class_0" not in [button.key for button in screen.button]


def test_two_rounds_are_compared(filled, open_screen):
    filled.publish(labels=0)
    filled.write_scores(filled.publish(labels=4), sample_ids=[1, 2, 3], torn=[])
    path = filled.write_scores(filled.publish(labels=8), sample_ids=[1, 2, 3])
    now = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [1.0, 0.0, 0.0]], np.float32)
    measures = dict.fromkeys(MEASURES, np.array([0.1, 0.2, 0.3], np.float32))
    write_scores(path, PoolScores(np.array([1, 2, 3]), measures, now), acquisition="bald")
    screen = open_screen("uncertainty.py")
    screen.segmented_control(key="uncertainty_view").set_value("Changes").run()
    assert "1 of 3 samples (33\u00a0%) are answered otherwise than in round 1" in texts(screen.caption)
    assert screen.dataframe[0].value.to_numpy().tolist() == [["cat", "dog", 1]]
    assert screen.button(key="changes_choose_2").label == "2"


def test_a_sample_is_found_by_the_name_of_its_file(filled, open_screen):
    scored(filled, sample_ids=[1, 2, 3], torn=[2])
    screen = open_screen("uncertainty.py")
    screen.text_input(key="uncertainty_find").set_value("3.png").run()
    assert "1 sample was found" in texts(screen.caption)
    screen.button(key="found_choose_3").click().run()
    assert "Sample 3" in texts(screen.header)
