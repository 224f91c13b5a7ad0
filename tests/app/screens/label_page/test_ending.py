"""What the Label page says when the session is over."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from app.project.certificates import write_candidate
from app.project.settings import save_settings
from app.screens.label_page import ending
from app.screens.label_page.feed import WAITING_KEY
from loops.certificate.candidate import PoolAnswers, make_candidate
from storage.metrics import NewMetric
from storage.rounds import NewQuery


@pytest.fixture
def over(filled):
    """All three labels of the budget are given, after a round that measured an accuracy and scored the rest."""
    for sample_id in (1, 2, 3):
        filled.label(sample_id, 0)
    filled.publish(labels=0)
    filled.publish(
        labels=3,
        queries=[NewQuery(4, 0, "train", 1.0, None)],
        metrics=[NewMetric("accuracy_test", 0.9, 0.8, 0.95, 50)],
    )
    filled.write_scores(1, sample_ids=[4, 5, 6])
    save_settings(filled.project.settings_path, replace(filled.project.settings(), labeling_budget=3))
    return filled


def shown(open_screen):
    screen = open_screen("label.py")
    screen.session_state[WAITING_KEY] = True
    return screen.run()


def test_a_reached_budget_says_what_was_reached(over, open_screen):
    screen = shown(open_screen)
    figures = {metric.label: (metric.value, metric.delta) for metric in screen.metric}
    assert figures["Labels"] == ("3", "")
    assert figures["Accuracy (test set)"] == ("90.0 %", "80 to 95 %, 50 samples")
    assert figures["Work"] == ("0 min", "")
    assert any("proven" in element.value for element in screen.markdown)
    names = [button.label for button in screen.get("download_button")]
    assert names == ["Labels and the model's answers for the rest"]  # there is nothing to certify


def test_while_labeling_goes_on_nothing_is_summed_up(over, open_screen):
    save_settings(over.project.settings_path, replace(over.project.settings(), labeling_budget=4))
    assert not shown(open_screen).metric


def test_the_certificate_is_offered_once_there_is_one(over, open_screen):
    answers = PoolAnswers(np.array([4, 5, 6]), np.zeros(3, np.int64), np.full(3, 0.1))
    write_candidate(over.project, make_candidate(answers, round_number=1, seed=1, target=0.95))
    assert [button.label for button in shown(open_screen).get("download_button")][1:] == ["Certificate"]
    told = json.loads(ending._certificate(over.project, over.database, over.project_id))
    assert told["claim"]["left"] == 3


def test_the_export_holds_labels_and_answers(over):
    content = ending.zipped_export(over.project, over.database, over.project_id, ending.FORMAT, answers=True)[1]
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert any(name.endswith(".csv") for name in names)


@pytest.mark.parametrize(("minutes", "told"), [(0.2, "0 min"), (61.4, "61 min"), (90, "1.5 h")])
def test_a_time_of_work_is_said_as_people_do(minutes, told):
    assert ending.minutes_text(minutes) == told
