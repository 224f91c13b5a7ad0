from __future__ import annotations

import pytest
import streamlit as st

from app.screens.group_page import answer as page_answer
from app.screens.group_page.answer import ANSWER_KEY, answer_to
from app.screens.group_page.offers import GroupSearch
from storage.labels import list_events

KEY = "b" * 32


@pytest.fixture
def page(filled, monkeypatch):
    """Anna's page over a model that is sure that samples 2 to 6 are cats; no sample is kept for the audit."""
    filled.publish(labels=0)
    filled.write_scores(0, sample_ids=[1, 2, 3, 4, 5, 6])
    for module in ("shared.decisions", "group_page.answer"):
        monkeypatch.setattr(f"app.screens.{module}.annotator_id", lambda: filled.annotator_id)
    settings = filled.project.settings_path
    settings.write_text(settings.read_text().replace("audit_share = 0.1", "audit_share = 0.0"))
    assert filled.project.settings().audit_share == 0.0
    yield filled
    st.session_state.pop(ANSWER_KEY, None)


def sent(seq, *, begin=None, decisions=(), held=()):
    return {
        "seq": seq,
        "name": answer_to(None, GroupSearch())["name"],
        "begin": begin,
        "decisions": decisions,
        "held": held,
    }


def begun(seq=1, offer="class:0"):
    return answer_to(sent(seq, begin={"key": KEY, "offer": offer, "class_index": 0}), GroupSearch())


def judged(number, sample_id, class_index=0):
    told = {"id": f"{number:032x}", "kind": "label", "mode": "group", "group": KEY, "draw": number}
    return {**told, "sample_id": sample_id, "class_index": class_index}


def of_group(number, kind):
    return {"id": f"{number:032x}", "kind": kind, "group": KEY, "sample_id": 0}


def events(page):
    with page.database.read() as session:
        return list_events(session, project_id=page.project_id)


def test_each_class_that_the_model_is_sure_of_is_offered_and_says_when_it_is_too_small(page):
    (offer,) = answer_to(sent(1), GroupSearch())["offers"]
    assert (offer["name"], offer["class_index"], offer["count"], offer["needed"]) == ("class:0", 0, 5, None)


def test_all_classes_are_one_group_in_which_each_member_is_what_the_model_says(page, monkeypatch):
    monkeypatch.setattr("app.screens.grid_page.choice.ENOUGH", 5)
    monkeypatch.setattr("app.project.groups.ALLOWED", 0.9)
    monkeypatch.setattr("loops.evaluation.purity.ALPHA", 1.0)  # so that one right member is enough
    offers = {offer["name"]: offer for offer in answer_to(sent(1), GroupSearch())["offers"]}
    assert (offers["all"]["class_index"], offers["all"]["count"]) == (-1, 5)
    told = answer_to(sent(2, begin={"key": KEY, "offer": "all", "class_index": -1}), GroupSearch())
    assert (told["group"]["class_index"], {one["class_index"] for one in told["due"]}) == (-1, {0})
    answer_to(sent(3, decisions=[judged(1, told["due"][0]["sample_id"])]), GroupSearch())
    told = answer_to(sent(4, decisions=[of_group(9, "take")]), GroupSearch())
    assert told["taken"] == {"key": KEY, "count": 4, "name": None}
    assert {event.class_index for event in events(page)} == {0}


def test_a_search_of_no_class_is_not_begun_as_if_each_member_had_one(page):
    begin = {"key": KEY, "offer": "found", "class_index": -1}
    (notice,) = answer_to(sent(1, begin=begin), GroupSearch(text="3.png"))["notices"]
    assert "class" in notice["sentence"]
    assert answer_to(sent(2), GroupSearch(text="3.png"))["group"] is None


def test_what_is_searched_for_is_offered_without_a_class(page):
    offers = answer_to(sent(1), GroupSearch(text="3.png"))["offers"]
    assert (offers[0]["name"], offers[0]["class_index"], offers[0]["count"]) == ("found", None, 1)


def test_a_group_that_is_begun_comes_with_its_first_members_and_the_same_choice_twice_is_one(page):
    told = begun()
    assert (told["group"]["key"], told["group"]["judged"], told["group"]["rest"]) == (KEY, 0, 5)
    assert [one["draw"] for one in told["due"]] == [1, 2, 3, 4, 5]
    assert {one["sample_id"] for one in told["due"]} == {2, 3, 4, 5, 6}
    assert begun(seq=2)["due"][0]["sample_id"] == told["due"][0]["sample_id"]


def test_a_choice_that_is_not_offered_any_more_is_said(page):
    (notice,) = begun(offer="class:2")["notices"]
    assert "not there any more" in notice["sentence"]


def test_a_judgment_names_the_group_and_its_draw_and_the_next_member_comes(page):
    first, second = (one["sample_id"] for one in begun()["due"][:2])
    told = answer_to(sent(2, decisions=[judged(1, first)], held=[second]), GroupSearch())
    assert told["confirmed"] == [f"{1:032x}"]
    assert (told["group"]["judged"], told["due"][0]) == (
        1,
        {"sample_id": second, "draw": 2, "class_index": 0, "content": None},
    )
    (event,) = events(page)
    assert (event.acquisition, event.purpose, event.group_key, event.group_draw) == ("group", "train", KEY, 1)


def test_the_rest_is_refused_before_it_is_proven(page):
    begun()
    told = answer_to(sent(2, decisions=[of_group(1, "take")]), GroupSearch())
    assert "does not prove enough" in told["refused"][0]["sentence"]
    assert events(page) == []


def test_a_proven_rest_is_labeled_told_and_taken_back(page, monkeypatch):
    monkeypatch.setattr("app.project.groups.ALLOWED", 0.9)
    monkeypatch.setattr("loops.evaluation.purity.ALPHA", 1.0)  # so that one right member is enough
    due = [one["sample_id"] for one in begun()["due"]]
    told = answer_to(sent(2, decisions=[judged(1, due[0])]), GroupSearch())
    assert (told["group"]["holds"], told["group"]["rest"]) == (True, 4)
    told = answer_to(sent(3, decisions=[of_group(9, "take")]), GroupSearch())
    assert (told["group"], told["taken"]) == (None, {"key": KEY, "count": 4, "name": "cat"})
    assert events(page)[-1].group_bound == 0.5  # 3 wrong of 5: chance 2 in 5; 2 wrong: 3 in 5
    told = answer_to(sent(4, decisions=[of_group(10, "give_back")]), GroupSearch())
    assert (told["taken"], told["group"]["holds"]) == (None, True)
    assert events(page)[-1].action == "undo"


def test_who_leaves_a_group_is_offered_groups_again(page):
    begun()
    told = answer_to(sent(2, decisions=[of_group(1, "leave")]), GroupSearch())
    assert told["group"] is None
    assert told["offers"]


def test_after_a_wrong_member_those_most_like_it_go_back(page, monkeypatch):
    monkeypatch.setattr(page_answer, "FEWEST_RIGHT", 0)
    monkeypatch.setattr(page_answer, "fullest_folder", lambda _: "features")
    monkeypatch.setattr(page_answer, "open_rows", lambda _: None)
    monkeypatch.setattr(page_answer, "not_like", lambda _, not_drawn, **__: not_drawn[1:])
    first, gone, *_ = (one["sample_id"] for one in begun()["due"])
    told = answer_to(sent(2, decisions=[judged(1, first, class_index=1)]), GroupSearch())
    assert (told["group"]["wrong"], told["group"]["sent_back"], told["group"]["rest"]) == (1, 1, 3)
    assert gone not in [one["sample_id"] for one in told["due"]]
