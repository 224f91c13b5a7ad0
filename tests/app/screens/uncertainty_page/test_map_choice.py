"""What a lasso is answered, in words."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import streamlit as st

from app.project.pool_map import PoolMap
from app.screens.group_page.offers import CHOSEN, CHOSEN_WORDS, GroupSearch, Offer, find_offers
from app.screens.shared.pool_view import PoolView
from app.screens.shared.round_scores import read_round_scores
from app.screens.uncertainty_page import map_choice
from app.screens.uncertainty_page.map_points import pack_points
from storage.projects import ClassInfo


def offer(count):
    return Offer(CHOSEN, None, CHOSEN_WORDS, tuple(range(count)))


def test_a_lasso_says_what_its_group_would_cost():
    assert map_choice.group_words(9000, offer(8000)) == (
        "9,000 chosen, 8,000 of them open: judge 73 of them, and take the other 7,927."
    )
    assert map_choice.group_words(10, offer(10)).startswith("10 chosen: too few for a group")
    assert "decided already or kept for the audit" in map_choice.group_words(3, offer(0))


@pytest.fixture
def view(filled, monkeypatch):
    filled.publish(labels=0)
    path = filled.write_scores(0, sample_ids=[1, 2, 3, 4, 5, 6])
    settings = filled.project.settings_path
    settings.write_text(settings.read_text().replace("audit_share = 0.1", "audit_share = 0.0"))
    filled.label(2, 0)
    for key in (map_choice.SENT_KEY, map_choice.GROUP_KEY, map_choice.TURN_KEY):
        st.session_state.pop(key, None)
    return PoolView(read_round_scores(path), ["cat", "dog", "emu"], {2: "cat"})


@pytest.fixture
def points(view):
    return pack_points(view.scores, PoolMap(np.arange(1, 7), np.arange(12, dtype=float).reshape(6, 2)))


def test_decided_samples_are_left_out_of_what_was_lassoed(view, points):
    rows = base64.b64encode(b"\xff").decode()
    map_choice._act({"turn": "t", "ask": "lasso", "rows": rows}, points)
    group = st.session_state[map_choice.GROUP_KEY]
    assert group["sample_ids"] == (1, 3, 4, 5, 6)
    assert group["sentence"].startswith("6 chosen, 5 of them open: too few")
    assert (len(group["shown"]), group["is_worth"], group["turn"]) == (5, False, "t")


def test_the_points_are_sent_once_and_again_when_the_browser_has_lost_them(view, points):
    first, second = (map_choice._told(view, points, "v1") for _ in range(2))
    assert first["points"] == points.packed
    assert first["names"].split("\n")[0].endswith(".png")
    assert (second["points"], second["names"], second["labels"]) == (None, None, None)
    map_choice._act({"turn": "t", "ask": "points"}, points)
    assert map_choice._told(view, points, "v1")["points"] == points.packed


def test_another_label_sends_the_labels_alone(view, points):
    map_choice._told(view, points, "v1")
    told = map_choice._told(PoolView(view.scores, view.classes, {2: "dog"}), points, "v1")
    assert told["points"] is None
    assert told["labels"] is not None


def test_what_was_lassoed_is_offered_as_a_group_without_what_was_decided_since(filled, view):
    with filled.database.read() as session:
        (found,) = (
            one
            for one in find_offers(
                session,
                filled.project,
                project_id=filled.project_id,
                classes=[ClassInfo(index, name) for index, name in enumerate(view.classes)],
                out={3},
                wanted=GroupSearch(chosen=(1, 3, 4)),
            )
            if one.name == CHOSEN
        )
    assert (found.class_index, found.sample_ids, found.words) == (None, (1, 4), "were chosen on the map")
