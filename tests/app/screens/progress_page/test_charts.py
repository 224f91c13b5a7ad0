from __future__ import annotations

from app.screens.progress_page.charts import accuracy_chart, accuracy_rows, barred_series, drawn_series
from storage.metrics import MetricInfo


def metrics(name, rounds):
    return [MetricInfo(n, 10 * n, f"accuracy_{name}", 0.8, 0.7, 0.9, 20, None) for n in range(1, rounds + 1)]


def test_every_accuracy_is_a_series_of_its_own():
    rows = accuracy_rows(metrics("audit", 1) + metrics("test", 1) + metrics("cross_validated", 1) + metrics("lure", 1))
    assert rows["dataset"].tolist() == ["Audit", "Test set", "Cross-validated", "LURE-weighted"]


def test_the_legend_names_what_is_drawn_and_no_more():
    rows = accuracy_rows(metrics("cross_validated", 1) + metrics("audit", 1))
    assert drawn_series(rows, forecast=False) == ["Audit", "Cross-validated"]
    assert drawn_series(rows, forecast=True) == ["Audit", "Cross-validated", "Forecast"]


def test_a_fence_of_bars_is_left_out_where_a_band_shows_the_same():
    rows = accuracy_rows(metrics("audit", 21) + metrics("test", 20) + metrics("cross_validated", 21))
    assert barred_series(rows) == ["Test set", "Cross-validated", "LURE-weighted", "Forecast"]


def test_samples_the_model_chose_get_no_band():
    chart = accuracy_chart(metrics("cross_validated", 3), None).to_dict()
    band, bars = chart["layer"][:2]
    without = {"not": {"field": "dataset", "oneOf": ["Cross-validated", "LURE-weighted"]}}
    assert band["transform"] == [{"filter": without}]
    assert "Cross-validated" in bars["transform"][0]["filter"]["oneOf"]
