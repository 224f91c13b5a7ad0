from __future__ import annotations

import csv

import pytest

from app.simulation.bar import Bar
from app.simulation.run import labels_to
from app.simulation.summary import (
    accuracy_at,
    draw_curves,
    honest_text,
    labels_to_rows,
    saved_rows,
    saved_text,
    table_rows,
    table_text,
    write_table,
)


def result(name, *curve):
    reached = {f"{threshold:.2f}": labels_to(curve, threshold) for threshold in (0.9, 0.95)}
    return {"asked_for": name, "curve": [list(point) for point in curve], "labels_to": reached}


RESULTS = [
    result("bald", (10, 0.5), (20, 0.9), (30, 0.95)),
    result("random", (10, 0.6), (20, 0.7), (30, 0.8)),
    result("bald", (10, 0.3), (20, 0.8), (30, 0.92)),
    result("random", (10, 0.4), (20, 0.6), (30, 0.9)),
    result("bald", (10, 0.4), (20, 0.91), (30, 0.96)),
    result("random", (10, 0.5), (20, 0.8), (30, 0.7)),
]


def test_labels_to_is_where_it_stays_not_the_first_crossing():
    assert labels_to([(10, 0.91), (20, 0.89), (30, 0.9), (40, 0.95)], 0.9) == 30
    assert labels_to([(10, 0.91), (20, 0.89)], 0.9) is None


def test_accuracy_at_a_budget_is_that_of_the_last_model_paid_with_it():
    curve = [[10, 0.5], [22, 0.8]]
    assert [accuracy_at(curve, labels) for labels in (9, 10, 21, 22, 99)] == [None, 0.5, 0.5, 0.8, 0.8]


def test_the_table_has_median_and_worst_of_the_seeds():
    rows = {(row["acquisition"], row["labels"]): (row["median"], row["worst"]) for row in table_rows(RESULTS, 30)}
    assert rows == {
        ("bald", 10): (0.4, 0.3),
        ("bald", 20): (0.9, 0.8),
        ("bald", 30): (0.95, 0.92),
        ("random", 10): (0.5, 0.4),
        ("random", 20): (0.7, 0.6),
        ("random", 30): (0.8, 0.7),
    }


def test_a_seed_that_never_gets_there_is_the_worst_and_is_said():
    rows = {(row["acquisition"], row["accuracy"]): (row["median"], row["worst"]) for row in labels_to_rows(RESULTS)}
    assert rows["bald", 0.9] == (20, 30)
    assert rows["bald", 0.95] == (30, None)
    assert rows["random", 0.9] == (None, None)
    assert "| to 95 % and staying | 30 (never) | never (never) |" in table_text(RESULTS, 30)


def test_a_person_reads_the_worst_seed_in_brackets():
    lines = table_text(RESULTS, 30).splitlines()
    assert lines[0] == "Test accuracy: median (worst) of 3 seeds."
    assert lines[2] == "| labels | bald | random |"
    assert "| 20 | 90.0 % (80.0 %) | 70.0 % (60.0 %) |" in lines


def test_one_seed_has_no_worst():
    lines = table_text(RESULTS[:2], 30).splitlines()
    assert lines[0] == "Test accuracy of 1 seed."
    assert "| 20 | 90.0 % | 70.0 % |" in lines


def test_table_and_plot_are_files(tmp_path):
    write_table(tmp_path / "table.csv", table_rows(RESULTS, 30))
    draw_curves(tmp_path / "curves.png", RESULTS)
    with (tmp_path / "table.csv").open(newline="") as file:
        assert next(csv.DictReader(file)) == {
            "acquisition": "bald", "labels": "10", "seeds": "3", "median": "0.4", "worst": "0.3",
        }  # fmt: skip
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_bar_counts_labels_of_runs_under_way_and_what_was_finished_before_took_no_time():
    bar = Bar(runs=4, finished=1, budget=100)
    bar.progress("bald-seed-1", 50)
    bar.progress("bald-seed-2", 50)
    assert bar.share == pytest.approx(0.5)
    # a quarter of everything in 60 s: the other half takes two minutes
    assert bar.text(60.0) == "[###############...............] 1 of 4 runs, 50%, about 2 min left"
    bar.finished_run("bald-seed-1", failed=False)
    assert (bar.finished, bar.share) == (2, pytest.approx(0.625))


def said(name, low, high, accuracy=0.8):
    band = {"labels": 20, "audited": 25, "wanted": 40.0, "low": low, "high": high}
    run = {**result(name, (12, 0.5), (25, accuracy)), "trained": [10, 20]}
    return {**run, "seed": 0, "labels_saved": band}


RANDOM = {**result("random", (12, 0.6), (25, 0.7), (37, 0.8)), "trained": [10, 20, 30], "seed": 0, "labels_saved": None}


@pytest.mark.parametrize(
    ("low", "high", "accuracy", "needed", "held"),
    [
        (25, 35, 0.8, 30, True),
        (31, 50, 0.8, 30, False),
        (25, None, 0.8, 30, True),
        (25, None, 0.9, None, True),
        (10, 29, 0.9, None, False),
        (10, 50, 0.9, None, None),
    ],
)
def test_what_was_said_of_labels_saved_stands_beside_what_random_took(low, high, accuracy, needed, held):
    (row,) = saved_rows([said("bald", low, high, accuracy), RANDOM])
    assert (row["random"], row["held"]) == (needed, held)


def test_a_person_reads_band_and_truth():
    text = saved_text(saved_rows([said("bald", 25, None), RANDOM]))
    assert "| bald, seed 0 | 20 | 25 | 40 (25 to more) | 30 | yes |" in text
    assert saved_text(saved_rows([RANDOM])) == ""


def test_what_was_said_is_shown_without_random_runs_too():
    (row,) = saved_rows([said("bald", 25, None)])
    assert (row["random"], row["drawn"], row["held"]) == (None, 0, None)
    assert "| random was not run | not known |" in saved_text([row])


def test_what_a_run_said_of_itself_stands_beside_the_test_set():
    run = {
        **result("power_bald", (20, 0.8), (40, 0.9)),
        "seed": 3,
        "audit_curve": [[40, 0.95, 0.85, 0.99]],
        "accuracies": {"lure": {"accuracy": 0.88, "low": 0.7, "high": 0.96, "n": 30}},
        "advice": {"verdict": "stop"},
        "stop_at": [20, 0.8],
    }
    cells = honest_text([run]).splitlines()[-1].split(" | ")
    assert cells == [
        "| power_bald, seed 3",
        "90.0 % at 40 labels",
        "95.0 % (85.0 to 99.0)",
        "88.0 % (70.0 to 96.0)",
        "-",
        "stop at 20 labels (80.0 %) |",
    ]


def test_a_run_without_a_model_says_nothing_of_itself():
    run = {"asked_for": "auto", "seed": 0, "curve": [], "audit_curve": [], "accuracies": {}, "advice": None}
    assert honest_text([{**run, "stop_at": None}]).splitlines()[-1] == "| auto, seed 0 | - | - | - | - | - |"


def test_the_bar_says_what_is_learned_before_the_runs_begin():
    bar = Bar(runs=2, finished=0, budget=10)
    bar.prepared("seed 0", 40)
    assert bar.text(5.0) == "learning features from the pool: seed 0 40 %"
    bar.begin_runs()
    assert bar.text(5.0).startswith("[......")
