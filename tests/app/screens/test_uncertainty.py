from __future__ import annotations

from app.screens.uncertainty_page.pool_selection import CHOSEN_KEY


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
    assert "Sample 2" in texts(screen.subheader)
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
    assert "Sample 3" in texts(screen.subheader)
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


def test_the_map_says_how_much_of_the_pool_it_draws(filled, open_screen):
    scored(filled, sample_ids=[1, 2, 3])
    filled.write_map([1, 2, 3])
    screen = open_screen("uncertainty.py")
    screen.segmented_control(key="uncertainty_view").set_value("Map").run()
    assert "All 3 samples of the pool" in texts(screen.caption)


def test_the_map_of_labels_shows_samples_that_left_the_pool_too(filled, open_screen):
    filled.label(4, 2)
    scored(filled, sample_ids=[1, 2, 3])
    filled.write_map([1, 2, 3, 4])
    screen = open_screen("uncertainty.py")
    screen.segmented_control(key="uncertainty_view").set_value("Map").run()
    screen.segmented_control(key="map_color").set_value("label").run()
    assert "All 4 samples, labeled ones included" in texts(screen.caption)


def test_a_sample_outside_the_pool_is_shown_with_its_label(filled, open_screen):
    filled.label(4, 2)
    scored(filled, sample_ids=[1, 2, 3])
    screen = open_screen("uncertainty.py")
    screen.session_state[CHOSEN_KEY] = 4
    screen.run()
    assert "Sample 4" in texts(screen.subheader)
    assert "This round did not score it" in texts(screen.caption)
