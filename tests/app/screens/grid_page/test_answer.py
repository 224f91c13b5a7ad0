from __future__ import annotations

import pytest
import streamlit as st

from app.screens.grid_page.answer import ANSWER_KEY, answer_to
from storage.labels import list_events


@pytest.fixture
def page(filled, monkeypatch):
    """Anna's page over a model that takes samples 1 to 6 for cats; no sample is kept for the audit."""
    filled.publish(labels=0)
    filled.write_scores(0, sample_ids=[1, 2, 3, 4, 5, 6])
    for module in ("shared.decisions", "grid_page.answer"):
        monkeypatch.setattr(f"app.screens.{module}.annotator_id", lambda: filled.annotator_id)
    monkeypatch.setattr("app.screens.grid_page.deal.claim_grid", no_audit())
    yield filled
    st.session_state.pop(ANSWER_KEY, None)


def no_audit():
    from storage.grid import claim_grid

    return lambda *given, audit_share, **named: claim_grid(*given, audit_share=0.0, **named)


def sent(seq, *, name=None, decisions=(), held=(), want=1):
    name = answer_to(None)["name"] if name is None else name
    return {"seq": seq, "name": name, "decisions": list(decisions), "size": 12, "want": want, "held": list(held)}


def label(sample, number):
    told = {"id": f"{number:032x}", "kind": "label", "mode": "grid", "sample_id": sample, "class_index": 0}
    return {**told, "suggestion_shown": True, "why_shown": False, "lead_time_s": 0.5, "shown_together": 6}


def events(page):
    with page.database.read() as session:
        return list_events(session, project_id=page.project_id)


def test_before_the_first_message_the_page_learns_its_name_and_the_classes(page):
    told = answer_to(None)
    assert (told["seq"], told["grids"], told["waiting"]) == (None, [], None)
    assert told["classes"] == [
        {"name": "cat", "key": "1", "retired": False, "position": 0, "color": ""},
        {"name": "dog", "key": "2", "retired": False, "position": 1, "color": ""},
        {"name": "emu", "key": "3", "retired": False, "position": 2, "color": ""},
    ]


def test_a_grid_comes_with_its_images_and_the_models_probabilities(page):
    told = answer_to(sent(1))
    (grid,) = told["grids"]
    assert (told["seq"], told["round"], grid["class_index"]) == (1, 0, 0)
    assert [one["sample_id"] for one in grid["samples"]] == [2, 3, 4, 5, 6]  # 1 is given 50 %
    assert [one["probability"] for one in grid["samples"]] == [1.0] * 5
    assert all(one["content"]["address"].startswith("data:image/") for one in grid["samples"])
    assert len({one["token"] for one in grid["samples"]}) == 5


def test_confirmed_samples_are_stored_each_as_an_event_of_its_own_that_says_grid(page):
    answer_to(sent(1))
    told = answer_to(sent(2, decisions=[label(2, 1), label(3, 2)], held=[1]))
    assert told["confirmed"] == [f"{1:032x}", f"{2:032x}"]
    for event in events(page):
        assert (event.acquisition, event.purpose, event.round_number) == ("grid", "train", 0)
        assert (event.lead_time_s, event.shown_together, event.suggestion_shown) == (0.5, 6, True)
        assert (event.rank, event.score, event.acquisition_probability) == (None, None, None)


def test_the_same_message_drawn_again_is_answered_the_same_and_deals_nothing_anew(page):
    message = sent(1, decisions=[label(2, 1)])
    assert answer_to(message) is answer_to(message)
    assert len(events(page)) == 1


def test_decisions_made_under_another_name_are_not_stored_under_this_one(page):
    told = answer_to(sent(1, name="project-of-bert", decisions=[label(2, 1)]))
    assert (told["confirmed"], told["grids"]) == ([], [])
    assert events(page) == []


def test_a_decision_that_can_never_be_stored_is_refused_with_a_sentence(page):
    told = answer_to(sent(1, decisions=[{**label(2, 1), "class_index": 99}]))
    assert told["confirmed"] == []
    (refused,) = told["refused"]
    assert refused["id"] == f"{1:032x}"
    assert "class 99" in refused["sentence"].lower()


def test_a_class_that_the_project_does_not_have_is_no_choice(page):
    assert answer_to({**sent(1), "class_index": 99})["grids"][0]["class_index"] == 0
