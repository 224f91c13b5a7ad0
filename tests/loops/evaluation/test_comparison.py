from __future__ import annotations

import numpy as np
import pytest

from loops.predictors.in_force import InForce, verdict


def evidence(*, network: list[bool], graph: list[bool], weight: list[float], **more: float) -> InForce:
    return verdict(
        truth=np.zeros(len(network), np.int64),
        network=np.where(network, 0, 1),
        graph=np.where(graph, 0, 1),
        weight=np.array(weight),
        **more,
    )


def test_a_clearly_better_network_takes_over() -> None:
    judged = evidence(network=[True] * 40, graph=[True] * 20 + [False] * 20, weight=[1.0] * 40)
    assert judged.network
    assert (judged.network_right, judged.graph_right) == pytest.approx((1.0, 0.5))
    assert judged.compared_at == 40


def test_a_lead_of_one_label_is_no_lead() -> None:
    assert not evidence(network=[True] * 40, graph=[True] * 39 + [False], weight=[1.0] * 40).network


def test_a_lead_of_one_label_is_one_where_any_will_do() -> None:
    assert evidence(network=[True] * 40, graph=[True] * 39 + [False], weight=[1.0] * 40, sure=0.0).network


@pytest.mark.parametrize("more", [{}, {"sure": 0.0}])
def test_equals_leave_the_graph_in_force(more: dict[str, float]) -> None:
    assert not evidence(network=[True] * 40, graph=[True] * 40, weight=[1.0] * 40, **more).network


def test_a_network_that_is_right_about_the_rim_alone_does_not_take_over() -> None:
    # The ten labels on which it is better stand for a hundredth of the pool.
    judged = evidence(
        network=[True] * 10 + [True] * 9 + [False], graph=[False] * 10 + [True] * 10, weight=[0.001] * 10 + [0.099] * 10
    )
    assert not judged.network
    assert judged.graph_right == pytest.approx(0.99)


def test_a_comparison_is_due_at_first_and_when_there_is_half_as_much_again() -> None:
    assert not InForce().is_due(29, 30)
    assert InForce().is_due(30, 30)
    assert not InForce(compared_at=30).is_due(44, 30)
    assert InForce(compared_at=30).is_due(45, 30)


def test_the_sentence_says_who_answers_and_why() -> None:
    assert "too few labels" in InForce().sentence
    said = InForce(network=True, compared_at=40, network_right=1.0, graph_right=0.5).sentence
    assert said == (
        "The network answers: it is better (network 100 %, graph 50 % of 40 labels held out, weighted to the pool)."
    )


def test_a_checkpoint_keeps_it() -> None:
    judged = InForce(network=True, compared_at=40, network_right=0.9, graph_right=0.8)
    assert InForce(**judged.as_dict()) == judged
