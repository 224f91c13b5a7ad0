"""The Label screen without its browser: what it is told and answers. (With one: end_to_end/labeler/.)"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from app.project.settings import save_settings
from app.project.watched import note_outcome, watch, watched_as
from app.screens.label_page import feed
from storage.classes import describe_class, retire_class
from storage.labels import list_events, record_decision
from storage.metrics import NewConfusion, NewMetric
from storage.models.training import TrainerHeartbeat
from storage.plain import utc_now
from storage.projects import add_classes
from storage.refusals import mark_broken
from storage.rounds import NewQuery
from storage.samples import get_samples
from storage.trainer import beat, pending_request


@pytest.fixture
def asked(filled):
    """Samples 1 to 5 are asked in this order; 3 is an audit sample and the model suggests dog for 1."""
    queries = [NewQuery(n, n - 1, "audit" if n == 3 else "train", 1.0, None) for n in range(1, 6)]
    queries[0] = replace(queries[0], suggestion=1, suggestion_probability=0.75)
    filled.publish(labels=0, queries=queries)
    return filled


class Page:
    """The browser's part: it speaks and listens, but draws nothing."""

    def __init__(self):
        self.name = feed.answer({})["name"]
        self.seq = 0
        self.known = {}  # of what is told once

    def say(
        self,
        decisions=(),
        *,
        screen=(),
        have=(),
        want=10,
        hello=False,
        why=False,
        looking=None,
        guide=False,
        is_lost=False,
    ):
        self.seq += 1
        message = {"name": self.name, "seq": self.seq, "hello": hello, "decisions": list(decisions)}
        wishes = {"have": list(have), "want": want, "why": why, "looking": looking, "guide": guide}
        told = feed.answer(message | {"screen": list(screen)} | wishes | self.known)
        if is_lost:
            return None
        if told["progress"]:
            self.known["round"] = told["progress"]["round"]
        if told["corrected"] is not None:
            self.known["corrected"] = told["corrected"]
        return told


@pytest.fixture
def anna(filled, monkeypatch):
    monkeypatch.setattr("streamlit.session_state", {})
    for module in ("shared.decisions", "label_page.feed", "label_page.counts"):
        monkeypatch.setattr(f"app.screens.{module}.annotator_id", lambda: filled.annotator_id)


@pytest.fixture
def browser(asked, anna):
    return Page()


def decision(entry, class_index=0, **more):
    return {
        "id": entry["token"],
        "kind": "label",
        "sample_id": entry["sample_id"],
        "class_index": class_index,
    } | more


def order(told):
    return [entry["sample_id"] for entry in told["queue"]]


def events(filled):
    with filled.database.read() as session:
        return list_events(session, project_id=filled.project_id)


def told_to_browser(screen):
    [told] = [json.loads(part.proto.json) for part in screen.get("bidi_component") if "seq" in part.proto.json]
    return told


def said(screen):
    return " ".join(element.value for element in [*screen.caption, *screen.markdown])


def test_the_page_begins_with_the_classes_and_their_keys_and_waits_to_be_asked(asked, open_screen):
    told = told_to_browser(open_screen("label.py"))
    assert told["classes"] == [
        {"index": 0, "name": "cat", "key": "1", "retired": False, "position": 0, "color": ""},
        {"index": 1, "name": "dog", "key": "2", "retired": False, "position": 1, "color": ""},
        {"index": 2, "name": "emu", "key": "3", "retired": False, "position": 2, "color": ""},
    ]
    assert (told["seq"], told["queue"]) == (None, None)


def test_classes_beyond_the_twentieth_have_no_key(asked, open_screen):
    with asked.database.write() as session:
        add_classes(session, project_id=asked.project_id, names=[f"class {number}" for number in range(4, 26)])
    keys = [entry["key"] for entry in told_to_browser(open_screen("label.py"))["classes"]]
    assert keys[9:21] == ["0", *(f"shift+{digit}" for digit in "1234567890"), None]


def test_the_queue_comes_in_the_order_of_the_ranking_with_images_that_need_no_request(browser):
    told = browser.say(hello=True)
    assert order(told) == [1, 2, 3, 4, 5]
    assert all(entry["content"]["address"].startswith("data:image/png;base64,") for entry in told["queue"])
    assert (told["queue"][0]["suggestion"], told["queue"][0]["suggestion_probability"]) == (1, 0.75)


def test_a_class_that_was_retired_since_is_not_suggested(asked, browser):
    with asked.database.write() as session:
        retire_class(session, project_id=asked.project_id, name="dog", who="anna")
    told = browser.say()
    assert (told["queue"][0]["suggestion"], told["queue"][0]["suggestion_probability"]) == (None, 0.75)


def test_nothing_tells_an_audit_sample_from_another(browser):
    queue = browser.say()["queue"]
    assert {frozenset(entry) for entry in queue} == {frozenset(queue[0])}
    assert "audit" not in json.dumps(queue)


def test_an_image_that_is_gone_is_told_as_none_and_not_as_a_gray_one_that_could_be_labeled(asked, browser):
    with asked.database.read() as session:
        [first] = get_samples(session, sample_ids=[1]).values()
    Path(first.uri).unlink()
    contents = [entry["content"] for entry in browser.say()["queue"]]
    assert [content == {"kind": "image"} for content in contents] == [True, False, False, False, False]


def test_an_image_the_browser_holds_is_not_sent_again(browser):
    told = browser.say(have=[1, 3])
    assert [entry["content"] is None for entry in told["queue"]] == [True, False, True, False, False]


def test_a_decision_is_confirmed_and_its_sample_leaves_the_queue(asked, browser):
    queue = browser.say()["queue"]
    told = browser.say([decision(queue[0], 2)], screen=[queue[1]["token"]])
    assert told["confirmed"] == [queue[0]["token"]]
    assert order(told) == [2, 3, 4, 5]
    assert told["queue"][0]["token"] == queue[1]["token"]
    [event] = events(asked)
    assert (event.sample_id, event.class_index, event.purpose) == (1, 2, "train")


def test_a_new_ranking_changes_only_what_is_not_on_screen(asked, browser):
    queue = browser.say()["queue"]
    asked.publish(labels=0, queries=[NewQuery(n, 6 - n, "train", 1.0, None) for n in range(6, 0, -1)])
    told = browser.say(screen=[queue[0]["token"], queue[1]["token"]])
    assert order(told) == [1, 2, 6, 5, 4, 3]


def test_a_message_without_a_wish_leaves_the_queue_alone(browser):
    assert browser.say(want=0)["queue"] is None


def test_the_past_is_told_once_to_a_page_that_says_hello(asked, browser):
    queue = browser.say()["queue"]
    browser.say([decision(queue[0], 2), decision(queue[1], 0) | {"kind": "skip", "class_index": None}])
    told = browser.say(hello=True)
    assert [(entry["sample_id"], entry["kind"], entry["class_index"]) for entry in told["history"]] == [
        (2, "skip", None),
        (1, "label", 2),
    ]
    assert browser.say()["history"] is None


def test_a_flag_is_told_to_a_page_that_says_hello_and_can_be_taken_back_by_what_it_is_told(browser):
    shown = browser.say()["queue"][0]
    flag = {"id": "f" * 32, "kind": "flag", "sample_id": shown["sample_id"], "class_index": None}
    [flagged] = browser.say([flag], hello=True)["flags"]
    assert flagged["sample_id"] == shown["sample_id"]
    unflag = {"id": "e" * 32, "kind": "undo", "sample_id": shown["sample_id"], "undoes": flagged["id"]}
    told = browser.say([unflag], hello=True)
    assert (told["confirmed"], told["flags"]) == (["e" * 32], [])


def test_a_correction_comes_back_after_a_reload_with_what_it_corrected(browser):
    first, second = browser.say()["queue"][:2]
    correction = decision(first, 1) | {"id": "c" * 32}
    browser.say([decision(first, 2), decision(second, 0), correction])
    [corrected, other] = browser.say(hello=True)["history"]
    assert (corrected["id"], corrected["class_index"]) == ("c" * 32, 1)
    assert corrected["before"] == {
        "id": first["token"],
        "sample_id": first["sample_id"],
        "kind": "label",
        "class_index": 2,
        "before": None,
    }
    assert other["before"] is None


def test_why_a_sample_of_the_past_was_asked_is_told_of_own_decisions_only(browser):
    first, second = browser.say()["queue"][:2]
    assert browser.say([decision(first)])["past_why"] is None
    told = browser.say(looking=first["sample_id"])["past_why"]
    assert told["sample_id"] == first["sample_id"]
    assert told["why"]["missing"]
    assert browser.say(looking=second["sample_id"])["past_why"] is None


def test_decisions_made_under_another_name_are_not_stored_under_this_one(asked, browser):
    queue = browser.say()["queue"]
    browser.name = "somebody else"
    told = browser.say([decision(queue[0])])
    assert (told["seq"], told["confirmed"]) == (None, [])
    assert events(asked) == []


def test_the_counts_leave_audit_samples_out_of_the_round(asked, browser, monkeypatch):
    monkeypatch.setattr(feed, "COUNT_EVERY_S", 0.0)
    queue = browser.say()["queue"]
    told = browser.say([decision(entry) for entry in queue[:3]])
    assert told["progress"] == {
        "round": 0,
        "size": 4,
        "not_in_model": 2,
        "audit": 1,
        "labels": 3,
        "per_class": {"0": 3},
        "budget": 0,
        "wrong_suggestions": None,
        "seeds_wrong": True,
        "to_target": None,
    }


def test_the_way_to_the_target_is_told_in_labels(filled, anna, monkeypatch):
    monkeypatch.setattr(feed, "COUNT_EVERY_S", 0.0)
    queries = [NewQuery(n, n - 1, "audit" if n % 2 else "train", 1.0, None) for n in range(1, 5)]
    filled.publish(labels=0, queries=queries, metrics=[NewMetric("audits_needed", 10.0)])
    page = Page()
    queue = page.say()["queue"]
    told = page.say([decision(entry) for entry in queue[:1]])  # an audit label: 9 are left, and each second one is one
    assert told["progress"]["to_target"] == {"labels": 18, "goal": "95 % proven"}


def test_the_guide_says_what_the_classes_are_and_shows_labeled_examples(asked, browser):
    with asked.database.write() as session:
        describe_class(session, project_id=asked.project_id, name="cat", text="It purrs.", who="anna")
    queue = browser.say()["queue"]
    assert browser.say([decision(queue[0]), decision(queue[1], 2)])["guide"] is None
    cat, dog, emu = browser.say(guide=True)["guide"]
    assert (cat["description"], [one["sample_id"] for one in cat["examples"]]) == ("It purrs.", [1])
    assert cat["examples"][0]["content"]["address"].startswith("data:image/")
    assert (dog["description"], dog["examples"]) == ("", [])
    assert [one["sample_id"] for one in emu["examples"]] == [2]


def test_the_reasons_are_told_only_when_they_are_asked_for(browser):
    assert all("why" not in entry for entry in browser.say()["queue"])
    assert browser.say(why=True)["queue"][0]["why"]["missing"]


def test_before_the_first_round_the_page_says_why_there_is_nothing_yet(filled, anna):
    with filled.database.write() as session:
        beat(session, project_id=filled.project_id, generation=filled.generation, state="embedding", done=3, total=6)
    told = Page().say()
    assert (told["queue"], told["waiting"]["title"]) == ([], "Choosing the first samples")


@pytest.mark.parametrize("is_old", [False, True])
def test_nobody_waits_for_a_trainer_that_is_not_up_yet(filled, anna, is_old):
    a_minute_ago = update(TrainerHeartbeat).values(beat_at=utc_now() - timedelta(minutes=1))
    with filled.database.write() as session:
        session.execute(a_minute_ago if is_old else delete(TrainerHeartbeat))
    told = Page().say()
    assert told["queue"]
    assert told["waiting"] is None


def test_images_that_are_all_gone_are_not_called_none(filled, anna):
    with filled.database.write() as session:
        for sample_id in range(1, 7):
            mark_broken(session, sample_id=sample_id, reason="the file is gone")
    assert "None of the 6 samples can be read" in Page().say()["waiting"]["sentence"]


def test_the_trainers_work_is_said_below(filled, open_screen):
    with filled.database.write() as session:
        beat(session, project_id=filled.project_id, generation=filled.generation, state="embedding", done=3, total=6)
    assert "Looking at the images" in said(open_screen("label.py"))


def test_behind_a_used_up_queue_the_rest_follows_at_random_and_training_is_offered(asked, browser, open_screen):
    save_settings(asked.project.settings_path, replace(asked.project.settings(), audit_share=0.0))
    with asked.database.write() as session:
        beat(session, project_id=asked.project_id, generation=asked.generation, state="idle")
    queue = browser.say()["queue"]
    told = browser.say([decision(entry) for entry in queue])
    rest = set(range(1, 7)) - {entry["sample_id"] for entry in queue}
    assert {entry["sample_id"] for entry in told["queue"]} == rest
    assert told["waiting"] is None
    told = browser.say([decision(entry) for entry in told["queue"]])
    assert told["waiting"]["title"] == "The pool is finished"
    with asked.database.read() as session:
        events = list_events(session, project_id=asked.project_id)
    assert {event.sample_id for event in events if event.acquisition == "random"} == rest
    open_screen("label.py").button(key="trainer_train").click().run()
    with asked.database.read() as session:
        request = pending_request(session, project_id=asked.project_id, after_id=0)
    assert request is not None
    assert request.kind == "train"


def test_a_reached_budget_says_so(asked, browser):
    save_settings(asked.project.settings_path, replace(asked.project.settings(), labeling_budget=5))
    queue = browser.say()["queue"]
    assert browser.say([decision(entry) for entry in queue])["waiting"]["title"] == "The labeling budget is reached"


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


def test_a_rounds_end_is_told_once_with_what_it_gained_and_what_it_confuses(asked, browser, monkeypatch):
    monkeypatch.setattr(feed, "COUNT_EVERY_S", 0.0)
    browser.say()
    asked.publish(labels=1, metrics=[NewMetric("accuracy_test", 0.5, 0.3, 0.7, 20)])
    confusion = [NewConfusion("test", 0, 0, 9), NewConfusion("test", 0, 1, 4), NewConfusion("test", 1, 0, 2)]
    asked.publish(labels=2, metrics=[NewMetric("accuracy_test", 0.625, 0.4, 0.8, 20)], confusion=confusion)
    browser.say(is_lost=True)
    told = browser.say()["round_end"]
    assert told["sentence"] == (
        "Round 2 is learned: accuracy 62\u00a0%, 50\u00a0% before; most often it takes cat for dog."
    )
    assert browser.say()["round_end"] is None


def test_a_correction_on_review_is_told_until_the_page_has_heard_of_it(asked, browser, monkeypatch):
    monkeypatch.setattr(feed, "COUNT_EVERY_S", 0.0)
    [first, *_] = browser.say(hello=True)["queue"]
    browser.say([decision(first, 2)])
    assert browser.say()["history"] is None
    with asked.database.write() as session:
        record_decision(
            session, project_id=asked.project_id, sample_id=first["sample_id"], annotator_id=asked.annotator_id,
            action="label", class_index=1, request_id="correct:1:1",
        )  # fmt: skip
    browser.say(is_lost=True)
    assert [past["class_index"] for past in browser.say()["history"]] == [1]
    assert browser.say()["history"] is None


def test_a_rounds_end_tells_no_accuracy_that_was_measured_on_next_to_nothing(asked, browser, monkeypatch):
    monkeypatch.setattr(feed, "COUNT_EVERY_S", 0.0)
    browser.say()
    asked.publish(labels=1, metrics=[NewMetric("accuracy_audit", 1.0, 0.4, 1.0, 3)])
    assert browser.say()["round_end"]["sentence"] == "Round 1 is learned; the next samples are its questions."


def test_what_came_in_from_a_watched_source_is_said(asked, open_screen, tmp_path):
    watched = watched_as(tmp_path / "photos")
    watch(asked.project, watched, {})
    note_outcome(asked.project, watched, said="12 new samples came in; 1 refused.")
    said = [caption.value.replace("\\", "") for caption in open_screen("label.py").caption]
    assert [one for one in said if one.endswith("photos: 12 new samples came in; 1 refused.")] != [], said
