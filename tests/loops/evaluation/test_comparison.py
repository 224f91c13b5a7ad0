from __future__ import annotations

import numpy as np
import pytest

from loops.evaluation.comparison import Comparison, compare, is_due


def compared(*, other: list[bool], answering: list[bool], weight: list[float], **more: float) -> Comparison:
    return compare(
        truth=np.zeros(len(other), np.int64),
        other=np.where(other, 0, 1),
        answering=np.where(answering, 0, 1),
        weight=np.array(weight),
        **more,
    )


def test_one_that_is_clearly_better_is_better() -> None:
    found = compared(other=[True] * 40, answering=[True] * 20 + [False] * 20, weight=[1.0] * 40)
    assert found.other_is_better
    assert (found.other_right, found.right) == pytest.approx((1.0, 0.5))


def test_a_lead_of_one_label_is_no_lead() -> None:
    assert not compared(other=[True] * 40, answering=[True] * 39 + [False], weight=[1.0] * 40).other_is_better


def test_a_lead_of_one_label_is_one_where_any_will_do() -> None:
    found = compared(other=[True] * 40, answering=[True] * 39 + [False], weight=[1.0] * 40, sure=0.0)
    assert found.other_is_better


@pytest.mark.parametrize("more", [{}, {"sure": 0.0}])
def test_of_equals_none_is_better(more: dict[str, float]) -> None:
    assert not compared(other=[True] * 40, answering=[True] * 40, weight=[1.0] * 40, **more).other_is_better


def test_one_that_is_right_about_the_rim_alone_is_not_better() -> None:
    # The ten labels on which it is better stand for a hundredth of the pool.
    found = compared(
        other=[True] * 10 + [True] * 9 + [False],
        answering=[False] * 10 + [True] * 10,
        weight=[0.001] * 10 + [0.099] * 10,
    )
    assert not found.other_is_better
    assert found.right == pytest.approx(0.99)


def test_a_comparison_is_due_at_first_and_when_there_is_half_as_much_again() -> None:
    assert not is_due(29, compared_at=0, fewest=30)
    assert is_due(30, compared_at=0, fewest=30)
    assert not is_due(44, compared_at=30, fewest=30)
    assert is_due(45, compared_at=30, fewest=30)


def test_a_comparison_that_costs_nothing_is_due_every_time() -> None:
    assert is_due(31, compared_at=31, fewest=30, growth=1.0)
