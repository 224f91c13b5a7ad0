from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.project.measured import measured_path, write_measured
from app.screens.progress_page.opening import picked
from loops.evaluation.estimates import evaluate
from storage.current import current_labels


def cell() -> None:
    """The part of Progress that opens a cell of the confusion matrix: label cat, answer dog, round 1, audit."""
    from app.screens.progress_page.opening import open_measured
    from app.screens.shared.deciding import show_outcome
    from app.screens.shared.round_choice import MeasuredRound

    show_outcome()
    chosen = MeasuredRound(1, "audit", [])
    open_measured(chosen, ["cat", "dog", "emu"], label="cat", predicted="dog", key="cell")


@pytest.fixture
def opened(filled):
    def run():
        screen = AppTest.from_function(cell, default_timeout=60)
        screen.query_params["annotator"] = "tester"
        screen.run()
        assert not screen.exception
        return screen

    return run


def texts(elements):
    return " ".join(element.value for element in elements)


def test_a_cell_opens_its_samples_and_they_are_corrected_there(filled, opened):
    filled.label(2, 0)
    filled.label(3, 0)
    probs = np.array([[0.3, 0.7, 0.0], [0.9, 0.1, 0.0]])
    path = measured_path(filled.project.rounds_dir, 1)
    write_measured(path, [evaluate("audit", probs, [0, 0], [2, 3])])
    screen = opened()
    assert "Audit, round 1: label cat, answer dog" in texts(screen.markdown).replace("\\", "").replace(":small[]", "")
    assert [button.key for button in screen.button if "choose" in button.key] == ["cell_choose_2"]
    screen.button(key="cell_class_1").click().run()
    with filled.database.read() as session:
        labels = {one.sample_id: one.class_index for one in current_labels(session, project_id=filled.project_id)}
    assert labels == {2: 1, 3: 0}
    assert "decision on sample 2 is stored" in texts(screen.success)


def test_a_round_of_an_older_version_says_that_its_samples_are_not_known(opened):
    assert "is not known of this round" in texts(opened().caption)


def test_the_mark_pressed_last_counts():
    event = {"selection": {"cell": [{"true": "cat", "predicted": "dog"}]}}
    assert picked(event, "cell") == {"true": "cat", "predicted": "dog"}
    assert picked({"selection": {"cell": []}}, "cell") is None
