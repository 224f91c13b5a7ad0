from __future__ import annotations

import pytest

from storage.labels import record_decision
from storage.metrics import NewConfusion, NewMetric
from storage.projects import add_classes
from storage.queue import claim_batch
from storage.rounds import NewQuery
from storage.trainer import beat


def texts(elements):
    return " ".join(element.value for element in elements)


def accuracy(name, value, n):
    return NewMetric(name, value, max(0.0, value - 0.1), min(1.0, value + 0.1), n)


def test_a_new_project_says_how_many_labels_are_missing(filled, open_screen):
    filled.label(1, 0)
    screen = open_screen("progress.py")
    assert "label 3 more samples on the Label screen" in texts(screen.info)


def test_the_key_figures_show_the_audit_accuracy_with_its_interval(filled, open_screen):
    filled.label(1, 0)
    filled.label(2, None)
    filled.publish(labels=0)
    filled.publish(labels=1, metrics=[accuracy("accuracy_audit", 0.8, 20), accuracy("accuracy_test", 0.7, 400)])
    screen = open_screen("progress.py")
    figures = {metric.label: (metric.value, metric.delta) for metric in screen.metric}
    assert figures["Labels"][0] == "1"
    assert figures["Skips"][0] == "1"
    assert figures["Pool left"][0] == "4"
    assert figures["Round"] == ("1", "open")
    assert figures["Accuracy (audit)"] == ("80.0 %", "70 to 90 %, 20 samples")
    assert figures["Accuracy (test set)"] == ("70.0 %", "60 to 80 %, 400 samples")
    assert "never trained on" in texts(screen.caption)


def test_what_answers_and_why_stands_under_the_key_figures_and_not_on_the_label_screen(filled, open_screen):
    with filled.database.write() as session:
        message = "Right on about 71 of 100.\nThe graph of neighbors answers."
        beat(session, project_id=filled.project_id, generation=filled.generation, state="idle", message=message)
    on_progress, on_label = open_screen("progress.py"), open_screen("label.py")
    assert "The graph of neighbors answers." in [caption.value for caption in on_progress.caption]
    for screen in (on_progress, on_label):
        (line,) = [text.value for text in screen.markdown if "Right on about" in text.value]
        assert "graph" not in line
    assert not [caption for caption in on_label.caption if "graph" in caption.value]


def test_three_measured_rounds_are_too_few_to_forecast(filled, open_screen):
    for labels in (0, 10, 20, 50):
        metrics = [accuracy("accuracy_test", 1 - 5 / labels, 400)] if labels else []
        filled.publish(labels=labels, metrics=metrics)
    screen = open_screen("progress.py")
    assert "Too few rounds to forecast (3 of 4" in texts(screen.info)


def test_four_measured_rounds_are_forecast_in_words(filled, open_screen):
    for labels in (10, 20, 50, 100):
        filled.publish(labels=labels, metrics=[NewMetric("accuracy_test", 1 - 5 / labels, n=400)])
    screen = open_screen("progress.py")
    assert "About 67 more labels for +2 points" in texts(screen.info)


@pytest.mark.parametrize(
    ("low", "high", "where", "said"),
    [
        (0.1, 0.3, "info", "Better than the simplest thing: with 32 labels each, the default's lead is +20 points"),
        (-0.3, -0.1, "warning", "questions are drawn at random now and logistic regression answers"),
    ],
)
def test_the_default_is_compared_with_the_simplest_thing(filled, open_screen, low, high, where, said):
    filled.publish(labels=0)
    assert "simplest thing" not in texts(open_screen("progress.py").info)
    filled.publish(labels=60, metrics=[NewMetric("gain_over_simplest", (low + high) / 2, low, high, 32)])
    assert said in texts(getattr(open_screen("progress.py"), where))


def test_the_cross_validated_accuracy_is_never_the_accuracy(filled, open_screen):
    filled.publish(labels=0)
    for labels in (4, 8, 16, 32):
        filled.publish(labels=labels, metrics=[accuracy("accuracy_cross_validated", 0.9, labels)])
    screen = open_screen("progress.py")
    assert "no estimate for the pool" in texts(screen.caption)
    assert {metric.label: metric.value for metric in screen.metric}["Accuracy"] == "-"
    assert "No accuracy has been measured yet" in texts(screen.info)
    assert "more labels for" not in texts(screen.info)


@pytest.mark.parametrize(
    ("decisions", "reason"),
    [
        ([None, None], "all 2 samples so far were skipped"),
        ([0, 0], "all labels so far are of one class, cat"),
        ([0, 1], "no audit sample has been decided yet"),
    ],
)
def test_each_reason_why_no_accuracy_is_known_is_a_sentence_of_its_own(filled, open_screen, decisions, reason):
    filled.publish(labels=0)
    for sample_id, class_index in enumerate(decisions, start=1):
        filled.label(sample_id, class_index)
    filled.publish(labels=2)
    assert reason in texts(open_screen("progress.py").info)


def test_classes_without_a_label_are_named(filled, open_screen):
    filled.label(1, 0)
    assert "No label yet: dog, emu" in texts(open_screen("progress.py").caption)


def test_without_cross_validation_nothing_is_said_of_it(filled, open_screen):
    filled.publish(labels=0)
    filled.publish(labels=4, metrics=[accuracy("accuracy_audit", 0.8, 20)])
    assert "cross-validated" not in texts(open_screen("progress.py").caption)


def test_many_classes_are_listed_by_the_pairs_confused_most(filled, open_screen):
    with filled.database.write() as session:
        add_classes(session, project_id=filled.project_id, names=[f"kind {n}" for n in range(47)])
    filled.publish(labels=0)
    filled.publish(labels=4, confusion=[NewConfusion("audit", 0, 0, 3), NewConfusion("audit", 0, 49, 2)])
    screen = open_screen("progress.py")
    assert len(screen.dataframe[0].value) == 50
    assert screen.dataframe[1].value[["Label", "Prediction", "Samples"]].to_numpy().tolist() == [["cat", "kind 46", 2]]


def test_the_classes_of_a_measured_round_are_listed(filled, open_screen):
    confusion = [NewConfusion("test", 0, 0, 3), NewConfusion("test", 0, 1, 1), NewConfusion("test", 1, 1, 2)]
    confusion.append(NewConfusion("audit", 0, 1, 2))  # fewer: they are not what is shown first
    filled.publish(labels=0)
    metrics = [accuracy("accuracy_test", 5 / 6, 6), accuracy("accuracy_audit", 0.0, 2)]
    filled.publish(labels=4, metrics=metrics, confusion=confusion)
    screen = open_screen("progress.py")
    table = screen.dataframe[0].value
    assert list(table["Class"]) == ["cat", "dog", "emu"]
    assert table["Recall"].tolist()[:2] == [75.0, 100.0]
    assert "Confusion matrix" in texts(screen.subheader)
    assert "An accuracy is drawn from 5 measured samples on" in texts(screen.caption)


def test_the_rounds_are_listed_newest_first_with_their_reason(filled, open_screen):
    filled.publish(labels=0)
    filled.publish(labels=4)
    rounds = open_screen("progress.py").dataframe[-1].value
    assert rounds["Round"].tolist() == [1, 0]
    assert rounds["Started by"].tolist() == ["round finished", "round finished"]


def test_the_lure_weighted_accuracy_is_explained_and_is_not_the_accuracy(filled, open_screen):
    filled.publish(labels=0)
    filled.publish(labels=4, metrics=[accuracy(f"accuracy_{name}", 0.9, 4) for name in ("cross_validated", "lure")])
    screen = open_screen("progress.py")
    assert "so that it speaks for the pool" in texts(screen.caption)
    assert {metric.label: metric.value for metric in screen.metric}["Accuracy"] == "-"


def test_a_flat_curve_and_a_settled_model_may_stop_with_the_figures_it_stands_on(filled, open_screen):
    kappa = NewMetric("prediction_kappa", 0.995, n=400)
    for labels in (10, 20, 40, 80):
        filled.publish(labels=labels, metrics=[NewMetric("accuracy_test", 0.9, 0.88, 0.92, n=900), kappa])
    screen = open_screen("progress.py")
    assert "You may stop" in texts(screen.success)
    figures = {metric.label: (metric.value, metric.delta) for metric in screen.metric}
    assert figures["Next 20 labels"][0] == "+0.0 points"
    assert figures["Stability (kappa)"] == ("0.995", "settled from 0.99")
    assert figures["Accuracy known within"] == ("4 points", "88 to 92 %")
    assert figures["Time for them"] == ("-", "pace not measured yet")


def test_early_rounds_get_no_advice_to_stop(filled, open_screen):
    filled.publish(labels=10, metrics=[accuracy("accuracy_test", 0.9, 400)])
    assert "When to stop" not in texts(open_screen("progress.py").header)


def test_labels_saved_are_called_saved_only_where_the_band_proves_it(filled, open_screen):
    equal = NewMetric("gain_at_equal_labels", 0.1, -0.05, 0.25, n=16)
    filled.publish(labels=100, metrics=[NewMetric("labels_random", 300.0, 90.0, 900.0, n=40), equal])
    screen = open_screen("progress.py")
    assert "the band does not tell yet whether labels were saved" in texts(screen.info)
    assert "With 16 labels each, the first chosen ones gave +10 points" in texts(screen.caption)
    filled.publish(labels=100, metrics=[NewMetric("labels_random", 300.0, 150.0, None, n=40), equal])
    screen = open_screen("progress.py")
    assert "150 labels or more (best guess 300)" in texts(screen.success)
    assert "at least 50 labels saved" in texts(screen.success)


def test_the_class_table_counts_the_labels_that_its_model_was_measured_by(filled, open_screen):
    filled.label(1, 0)
    filled.publish(labels=0)
    filled.publish(labels=4, confusion=[NewConfusion("test", 0, 0, 3)])
    filled.label(2, 0)  # since then
    screen = open_screen("progress.py")
    assert screen.dataframe[0].value["Labels"].tolist() == [1, 0, 0]
    assert screen.dataframe[0].value["F1"].tolist()[0] == 100.0


def test_who_accepted_wrong_suggestions_is_told(filled, open_screen):
    filled.publish(labels=0, queries=[NewQuery(n, n, "train", None, None, 0, 0.99) for n in (1, 2)])
    with filled.database.write() as session:
        claim_batch(session, project_id=filled.project_id, annotator_id=filled.annotator_id, count=2)
        shown = {"suggestion_shown": True, "suggested": 1}
        whose = {"project_id": filled.project_id, "annotator_id": filled.annotator_id, "action": "label"}
        record_decision(session, **whose, sample_id=1, class_index=1, request_id="accepts", **shown)
    assert "anna accepted 1 of 1 wrong suggestion. Now and then" in texts(open_screen("progress.py").caption)


def test_without_wrong_suggestions_nothing_is_told_of_them(filled, open_screen):
    filled.label(1, 0)
    assert "wrong suggestion" not in texts(open_screen("progress.py").caption)
