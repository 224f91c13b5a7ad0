from __future__ import annotations

import pytest

from app.screens.progress_page.confusion import (
    confused_pairs,
    confusion_rows,
    drawn_classes,
    matrix_side,
    per_class_rows,
    wilson_words,
)
from storage.metrics import NewConfusion

# of 4 cats, 3 are found and 1 is called a dog; the only dog is found
COUNTS = [NewConfusion("audit", 0, 0, 3), NewConfusion("audit", 0, 1, 1), NewConfusion("audit", 1, 1, 1)]
NAMES = ["cat", "dog", "emu"]


def test_every_cell_has_its_share_of_the_true_class():
    rows = confusion_rows(COUNTS, NAMES).set_index(["true", "predicted"])
    assert len(rows) == 9
    assert rows.loc[("cat", "cat"), "share"] == pytest.approx(0.75)
    assert rows.loc[("cat", "dog"), "count"] == 1
    assert rows.loc[("emu", "emu"), "share"] == 0


def test_recall_and_precision_come_from_the_matrix():
    rows = per_class_rows(COUNTS, NAMES, {0: 7}).set_index("Class")
    assert rows.loc["cat", "Recall"] == pytest.approx(0.75)
    assert rows.loc["cat", "Precision"] == 1
    assert rows.loc["dog", "Precision"] == pytest.approx(0.5)
    assert rows["Recall"].isna().tolist() == [False, False, True]
    assert rows["Labels"].tolist() == [7, 0, 0]
    assert rows["Measured"].tolist() == [4, 1, 0]
    assert rows.loc["emu", "Recall, 95 %"] == "not known"


@pytest.mark.parametrize(
    ("right", "n", "words"),
    # All of n right: the lower end is n / (n + 1.96^2), 4 of 4 is 4 / 7.84; none right mirrors it.
    [(4, 4, "51 to 100 %"), (0, 4, "0 to 49 %"), (50, 100, "40 to 60 %"), (0, 0, "not known")],
)
def test_a_share_brings_its_wilson_interval(right, n, words):
    assert wilson_words(right, n) == words


def test_the_most_confused_pair_comes_first_and_the_diagonal_never():
    counts = [*COUNTS, NewConfusion("audit", 2, 0, 5), NewConfusion("audit", 2, 2, 9)]
    pairs = confused_pairs(confusion_rows(counts, NAMES))
    assert pairs[["Label", "Prediction", "Samples"]].to_numpy().tolist() == [["emu", "cat", 5], ["cat", "dog", 1]]


def test_every_one_of_fifty_classes_has_a_line_of_its_own():
    assert matrix_side(50) / 50 >= 16
    assert matrix_side(10) == 440


def test_of_many_classes_those_with_mistakes_are_drawn_and_the_measured_ones_listed_first():
    names = [f"kind {number}" for number in range(60)]
    counts = [NewConfusion("test", 3, 3, 5), NewConfusion("test", 9, 7, 2)]
    assert drawn_classes(confusion_rows(counts, names), names) == ["kind 7", "kind 9"]
    assert per_class_rows(counts, names, {})["Class"].tolist()[:3] == ["kind 3", "kind 9", "kind 0"]
    assert drawn_classes(confusion_rows(COUNTS, NAMES), NAMES) == NAMES
