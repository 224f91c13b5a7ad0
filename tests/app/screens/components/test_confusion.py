from __future__ import annotations

import pytest

from app.screens.components.confusion import confusion_rows, per_class_rows
from storage.metrics import MetricInfo, NewConfusion

# of 4 cats, 3 are found and 1 is called a dog; the only dog is found
COUNTS = [NewConfusion("audit", 0, 0, 3), NewConfusion("audit", 0, 1, 1), NewConfusion("audit", 1, 1, 1)]
NAMES = ["cat", "dog", "emu"]


def test_every_cell_has_its_share_of_the_true_class():
    rows = confusion_rows(COUNTS, NAMES).set_index(["true", "predicted"])
    assert len(rows) == 9
    assert rows.loc[("cat", "cat"), "share"] == pytest.approx(0.75)
    assert rows.loc[("cat", "dog"), "count"] == 1
    assert rows.loc[("emu", "emu"), "share"] == 0


def test_recall_and_precision_come_from_the_matrix_where_none_was_published():
    rows = per_class_rows([], COUNTS, NAMES, {0: 7}).set_index("Class")
    assert rows.loc["cat", "Recall"] == pytest.approx(0.75)
    assert rows.loc["cat", "Precision"] == 1
    assert rows.loc["dog", "Precision"] == pytest.approx(0.5)
    assert rows["Recall"].isna().tolist() == [False, False, True]
    assert rows["Labels"].tolist() == [7, 0, 0]


def test_a_published_recall_brings_its_interval():
    recall = MetricInfo(1, 4, "recall_audit", 0.75, 0.3, 0.95, 4, 0)
    rows = per_class_rows([recall], COUNTS, NAMES, {})
    assert rows["Recall, 95 %"].tolist() == ["30 to 95 %", "not known", "not known"]
