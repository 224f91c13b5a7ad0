from __future__ import annotations

from storage.metrics import NewConfusion, NewMetric
from storage.projects import add_classes


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
    assert "never trained on" in texts(screen.caption)


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


def test_the_cross_validated_accuracy_is_never_the_accuracy(filled, open_screen):
    filled.publish(labels=0)
    for labels in (4, 8, 16, 32):
        filled.publish(labels=labels, metrics=[accuracy("accuracy_cross_validated", 0.9, labels)])
    screen = open_screen("progress.py")
    assert "no estimate for the pool" in texts(screen.caption)
    assert {metric.label: metric.value for metric in screen.metric}["Accuracy"] == "-"
    assert "No accuracy has been measured yet" in texts(screen.info)
    assert "more labels for" not in texts(screen.info)


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
    confusion = [NewConfusion("audit", 0, 0, 3), NewConfusion("audit", 0, 1, 1), NewConfusion("audit", 1, 1, 2)]
    filled.publish(labels=0)
    filled.publish(labels=4, metrics=[accuracy("accuracy_audit", 5 / 6, 6)], confusion=confusion)
    screen = open_screen("progress.py")
    table = screen.dataframe[0].value
    assert list(table["Class"]) == ["cat", "dog", "emu"]
    assert table["Recall"].tolist()[:2] == [75.0, 100.0]
    assert "Confusion matrix" in texts(screen.subheader)


def test_the_rounds_are_listed_newest_first_with_their_reason(filled, open_screen):
    filled.publish(labels=0)
    filled.publish(labels=4)
    rounds = open_screen("progress.py").dataframe[-1].value
    assert rounds["Round"].tolist() == [1, 0]
    assert rounds["Started by"].tolist() == ["round finished", "round finished"]
