from __future__ import annotations

import numpy as np
import pytest

from app.screens.shared.doubt import all_draws_equal
from app.screens.uncertainty_page.charts import histogram_rows
from app.screens.uncertainty_page.pool_selection import selected_range, slider_top


def test_equal_draws_are_an_alarm_unless_the_model_is_simply_sure():
    assert all_draws_equal(np.array([[0.7, 0.7], [0.3, 0.3]]))
    assert not all_draws_equal(np.array([[0.7, 0.6], [0.3, 0.4]]))
    assert not all_draws_equal(np.array([[1.0, 1.0], [0.0, 0.0]]))


def test_every_sample_of_the_pool_is_in_one_bin():
    rows = histogram_rows(np.array([0.0, 0.1, 0.5, 1.0]), top=1.0, bins=2)
    assert rows["samples"].tolist() == [2, 2]
    assert rows["low"].tolist() == [0.0, 0.5]


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        ({}, None),
        ({"bar": [], "brush": {}}, None),
        ({"bar": [{"low": 0.2, "high": 0.3}], "brush": {}}, (0.2, 0.3)),
        ({"bar": [{"low": 0.6, "high": 0.7}, {"low": 0.2, "high": 0.3}]}, (0.2, 0.7)),
        ({"brush": {"low": [-0.1, 0.4]}, "bar": [{"low": 0.6, "high": 0.7}]}, (0.0, 0.4)),
        ({"brush": {"low": [0.4, 2.0]}}, (0.4, 1.0)),
    ],
)
def test_a_brush_or_the_clicked_bars_become_a_range(selection, chosen):
    assert selected_range(selection, top=1.0) == chosen


def test_the_slider_ends_at_the_next_thousandth():
    assert slider_top(np.array([0.1234])) == pytest.approx(0.124)
    assert slider_top(np.array([0.0])) > 0
