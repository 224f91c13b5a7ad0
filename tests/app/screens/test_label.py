from __future__ import annotations

from dataclasses import replace

import pytest

from app.settings import save_settings
from storage.labels import current_labels, list_events, record_decision
from storage.projects import add_classes
from storage.rounds import NewQuery
from storage.trainer import beat, pending_request


@pytest.fixture
def asked(filled):
    """Samples 1 to 5 are asked in this order; 3 is an audit sample and the model suggests dog for 1."""
    queries = [NewQuery(n, n - 1, "audit" if n == 3 else "train", 1.0, None) for n in range(1, 6)]
    queries[0] = replace(queries[0], suggestion=1, suggestion_probability=0.75)
    filled.publish(labels=0, queries=queries)
    return filled


def events(filled):
    with filled.database.read() as session:
        return list_events(session, project_id=filled.project_id)


def standing(filled):
    with filled.database.read() as session:
        return {now.sample_id: now.class_index for now in current_labels(session, project_id=filled.project_id)}


def press(screen, start):
    """The one button whose key begins so; the rest of it is the token of the sample on screen."""
    [button] = [button for button in screen.button if (button.key or "").startswith(start)]
    return button.click().run()


def keys(screen, start):
    return [button.key for button in screen.button if (button.key or "").startswith(start)]


def said(screen):
    return " ".join(element.value for element in [*screen.caption, *screen.markdown])


def test_one_press_is_one_label_and_goes_on(asked, open_screen):
    screen = press(open_screen("label.py"), "class_2_")
    press(screen, "class_0_")
    assert standing(asked) == {1: 2, 2: 0}
    assert [event.action for event in events(asked)] == ["label", "label"]
    assert all(event.lead_time_s is not None and event.lead_time_s >= 0 for event in events(asked))


def test_a_second_press_on_the_same_drawing_labels_neither_twice_nor_the_next_sample(asked, open_screen):
    screen = open_screen("label.py")
    [button] = [button for button in screen.button if button.key.startswith("class_1_")]
    button.click().run()
    assert button.key not in keys(screen, "class_1_")
    [first] = events(asked)
    assert button.key == f"class_1_{first.request_id}"
    with asked.database.write() as session:  # the same press, arriving again
        again = record_decision(
            session,
            project_id=asked.project_id,
            sample_id=first.sample_id,
            annotator_id=asked.annotator_id,
            action="label",
            class_index=2,
            request_id=first.request_id,
        )
    assert again == first
    assert standing(asked) == {1: 1}


def test_a_refresh_comes_back_on_the_same_sample(asked, open_screen):
    first = keys(open_screen("label.py"), "class_0_")
    assert keys(open_screen("label.py"), "class_0_") == first


def test_undo_brings_the_sample_back_and_stores_an_event(asked, open_screen):
    screen = press(open_screen("label.py"), "class_2_")
    screen = press(screen, "undo_")
    assert standing(asked) == {}
    assert [event.action for event in events(asked)] == ["label", "undo"]
    press(screen, "class_1_")
    assert standing(asked) == {1: 1}


def test_a_skipped_sample_leaves_the_pool(asked, open_screen):
    press(press(open_screen("label.py"), "skip_"), "class_0_")
    assert standing(asked) == {1: None, 2: 0}


def test_a_flag_keeps_the_sample_on_screen(asked, open_screen):
    screen = press(open_screen("label.py"), "flag_")
    press(screen, "class_0_")
    assert [(event.sample_id, event.action) for event in events(asked)] == [(1, "flag"), (1, "label")]


def test_the_history_brings_a_sample_back_to_be_corrected(asked, open_screen):
    screen = press(open_screen("label.py"), "class_2_")
    screen = press(screen, "class_2_")
    first = events(asked)[0]
    screen = press(screen, f"past_button_{first.id}")
    press(screen, "class_0_")
    assert standing(asked) == {1: 0, 2: 2}
    assert events(asked)[-1].supersedes == first.id


def test_the_arrows_walk_the_history_and_back_to_the_queue(asked, open_screen):
    screen = press(press(open_screen("label.py"), "class_2_"), "class_2_")
    screen = press(press(screen, "walk_Older"), "walk_Older")
    screen = press(press(screen, "walk_Newer"), "walk_Newer")
    press(screen, "class_1_")
    assert standing(asked) == {1: 2, 2: 2, 3: 1}


def test_a_blind_second_look_shows_nothing_of_the_first(asked, open_screen):
    screen = press(open_screen("label.py"), "class_2_")
    again = NewQuery(1, 0, "recheck", None, None, suggestion=0, suggestion_probability=0.9)
    asked.publish(labels=1, queries=[again, NewQuery(2, 1, "train", None, None)])
    first = events(asked)[0]
    screen = press(screen, "class_1_")  # sample 2 was on screen already; the next one is sample 1 again
    assert f"past_button_{first.id}" not in keys(screen, "past_button_")
    assert all(button.proto.type != "primary" for button in screen.button if button.key.startswith("class_"))
    assert not any(word in said(screen).lower() for word in ("recheck", "second look", "suspect"))
    screen = press(screen, "class_0_")
    assert [(event.sample_id, event.purpose, event.supersedes) for event in events(asked)][2:] == [
        (1, "recheck", first.id)
    ]
    assert standing(asked)[1] == 0


def test_the_suggestion_is_hidden_and_its_showing_is_recorded(asked, open_screen):
    screen = open_screen("label.py")
    assert keys(screen, "accept_") == []
    screen.toggle(key="label_suggestion").set_value(True).run()
    press(screen, "accept_")
    [event] = events(asked)
    assert (event.class_index, event.suggestion_shown) == (1, True)


def test_keys_do_not_depend_on_the_number_of_classes_and_the_rest_is_searched(asked, open_screen):
    names = [f"class {number}" for number in range(4, 26)]
    with asked.database.write() as session:
        add_classes(session, project_id=asked.project_id, names=names)
    screen = open_screen("label.py")
    assert len(keys(screen, "class_")) == 20
    [search] = [box for box in screen.selectbox if box.key.startswith("search_")]
    search.set_value(24).run()
    assert standing(asked) == {1: 24}


def test_the_line_counts_towards_the_round_and_leaves_audit_samples_out(asked, open_screen):
    screen = open_screen("label.py")
    for _ in range(3):
        screen = press(screen, "class_0_")
    screen.run()
    assert "**Round 0** · 2 of 4 · 1 for the audit · 3 labels in all · 2 labels not yet in the model" in said(screen)
    assert "cat: **3** · dog: **0** · emu: **0**" in said(screen)


def test_before_the_first_round_the_screen_says_what_the_trainer_does(filled, open_screen):
    with filled.database.write() as session:
        beat(
            session,
            project_id=filled.project_id,
            generation=filled.generation,
            state="embedding",
            done=3,
            total=6,
        )
    screen = open_screen("label.py")
    assert "Choosing the first samples" in said(screen)
    assert "Looking at the images" in said(screen)


def test_the_first_samples_appear_by_themselves(filled, open_screen):
    screen = open_screen("label.py")
    assert keys(screen, "class_") == []
    filled.publish(labels=0, queries=[NewQuery(1, 0, "train", 1.0, None)])
    assert len(keys(screen.run(), "class_")) == 3


def test_a_used_up_queue_says_so_and_offers_training(filled, open_screen):
    filled.publish(labels=0, queries=[NewQuery(1, 0, "train", 1.0, None)])
    with filled.database.write() as session:
        beat(session, project_id=filled.project_id, generation=filled.generation, state="idle")
    screen = press(open_screen("label.py"), "class_0_").run()
    assert "The queue is used up" in said(screen)
    screen.button(key="trainer_train").click().run()
    with filled.database.read() as session:
        request = pending_request(session, project_id=filled.project_id, after_id=0)
    assert request is not None
    assert request.kind == "train"


def test_a_reached_budget_says_so(filled, open_screen):
    save_settings(filled.project.settings_path, replace(filled.project.settings(), labeling_budget=1))
    filled.publish(labels=0, queries=[NewQuery(1, 0, "train", 1.0, None)])
    screen = press(open_screen("label.py"), "class_0_").run()
    assert "The labeling budget is reached" in said(screen)


def test_a_failed_training_shows_its_reason_and_can_be_tried_again(asked, open_screen):
    with asked.database.write() as session:
        beat(
            session,
            project_id=asked.project_id,
            generation=asked.generation,
            state="failed",
            message="the disk is full",
            round_number=1,
        )
    screen = open_screen("label.py")
    assert any("the disk is full" in error.value for error in screen.error)
    screen.button(key="trainer_retry").click().run()
    with asked.database.read() as session:
        request = pending_request(session, project_id=asked.project_id, after_id=0)
    assert request is not None
    assert request.kind == "retry"
