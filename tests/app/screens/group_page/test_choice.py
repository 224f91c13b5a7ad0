"""More like this, from where a sample is looked at to the groups of the Grid page."""

from __future__ import annotations

from app.screens.group_page.choice import GROUPS, LIKE_KEY, MODE_KEY


def test_more_like_this_on_review_leads_to_the_groups_of_that_sample(filled, open_screen):
    filled.publish(labels=0)
    filled.write_scores(0, sample_ids=[2, 3, 4, 5, 6])
    filled.label(1, 0)
    screen = open_screen("review.py")
    screen.session_state["review_sample"] = 1
    screen.run()
    screen.button(key="more_like_this").click().run()
    assert not screen.exception
    assert (screen.session_state[LIKE_KEY], screen.session_state[MODE_KEY]) == (1, GROUPS)
    assert screen.button(key="group_forget").label == "Forget sample 1"


def test_uncertainty_has_the_same_way_to_the_groups(filled, open_screen):
    filled.publish(labels=0)
    filled.write_scores(0, sample_ids=[1, 2, 3, 4, 5, 6])
    screen = open_screen("uncertainty.py")
    screen.button(key="more_like_this").click().run()
    assert not screen.exception
    assert screen.session_state[LIKE_KEY] == 1  # the one with the highest BALD
