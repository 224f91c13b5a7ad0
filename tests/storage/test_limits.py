from __future__ import annotations

import pytest

from storage.errors import LimitReachedError
from storage.labels import current_labels
from storage.limits import Limits, reached
from storage.metrics import NewMetric


def test_one_label_more_than_the_budget_is_refused_and_a_correction_is_not(world):
    two = Limits(labels=2)
    world.label(1, 0, limits=two)
    world.label(2, 0, limits=two)
    with pytest.raises(LimitReachedError, match="All 2 labels of the budget are given"):
        world.label(3, 0, limits=two)
    world.label(2, 1, limits=two)
    world.label(3, None, action="skip", limits=two)
    assert [label.class_index for label in world.ask(current_labels)] == [0, 1, None]


def test_a_label_sent_again_is_no_label_more(world):
    one = Limits(labels=1)
    stored = world.label(1, 0, request_id="token", limits=one)
    assert world.label(1, 0, request_id="token", limits=one) == stored


@pytest.mark.parametrize(("low", "is_reached"), [(0.89, False), (0.9, True)])
def test_the_target_is_reached_by_the_least_lower_bound_of_the_newest_round(world, low, is_reached):
    world.publish(metrics=[NewMetric("accuracy_test", 0.99, 0.95, 1.0, 50)])
    world.publish(
        metrics=[NewMetric("accuracy_test", 0.99, 0.95, 1.0, 50), NewMetric("accuracy_audit", 0.95, low, 0.99, 50)]
    )
    found = world.ask(reached, limits=Limits(accuracy=0.9))
    assert (found is not None) is is_reached


@pytest.mark.parametrize(("proven", "title"), [(0.89, None), (0.9, "The target is proven")])
def test_the_target_is_reached_by_what_is_proven_of_the_rest(world, proven, title):
    world.publish(metrics=[NewMetric("accuracy_test", 0.8, 0.7, 0.9, 50), NewMetric("proven", 0.95, proven)])
    found = world.ask(reached, limits=Limits(accuracy=0.9))
    assert (found and found.title) == title


def test_a_criterion_that_the_newest_round_met_ends_labeling_and_one_of_an_earlier_round_does_not(world):
    named = Limits(criterion="loops.stopping:SettledAccuracy")
    world.publish(1, 2, metrics=[NewMetric("stopping_criterion_met", 1.0)])
    assert world.ask(reached, limits=Limits()) is None, "it was taken out of the settings"
    assert world.ask(reached, limits=named).title == "The stopping criterion is met"
    with pytest.raises(LimitReachedError, match="SettledAccuracy says"):
        world.label(1, 0, limits=named)
    world.publish(1, 2)
    assert world.ask(reached, limits=named) is None
