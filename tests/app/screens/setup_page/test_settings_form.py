from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.screens.setup_page.settings_form import STOP_NAMES, choices_help, sentence_of
from loops.acquisition.catalog import CATALOG, COLD_STARTS
from loops.stopping import MeasuredRound, own_criterion
from tests.loops.acquisition.entry_points import install


@pytest.mark.parametrize("choices", [list(CATALOG.values()), list(COLD_STARTS.values())])
def test_every_choice_is_explained_by_its_sentence(choices):
    lines = choices_help(choices).splitlines()
    assert len(lines) == len(choices)
    assert all(choice.sentence in line for choice, line in zip(choices, lines, strict=True))


def test_what_was_measured_of_a_choice_is_said_beside_it():
    assert sentence_of(CATALOG["vaal"]).endswith(CATALOG["vaal"].measured)
    assert sentence_of(CATALOG["bald"]) == CATALOG["bald"].sentence


def form(**settings):
    """The fields as a screen of their own."""

    def draw(given):
        from app.project.settings import ProjectSettings
        from app.screens.setup_page.settings_form import settings_fields

        settings_fields(ProjectSettings("digits", **given), prefix="a")

    return AppTest.from_function(draw, args=(settings,), default_timeout=30).run()


def test_an_installed_packages_function_stands_in_the_select_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, monkeypatch)
    box = form().selectbox(key="a_acquisition")
    assert box.value == "auto"
    assert box.options == [*(function.title for function in CATALOG.values()), "least_first_class: not LabelLoop's"]
    assert "it runs with your rights" in box.help


def test_ones_own_stands_among_the_choices_once_it_is_chosen():
    drawn = form(acquisition="mine.module:score", predictor="sklearn.svm:SVC", stop="mine.module:enough")
    assert drawn.selectbox(key="a_acquisition").value == "mine.module:score"
    assert drawn.selectbox(key="a_predictor").value == "sklearn.svm:SVC"
    assert drawn.selectbox(key="a_stop").value == "mine.module:enough"


def test_each_stopping_criterion_to_choose_from_can_be_made():
    box = form().selectbox(key="a_stop")
    assert (box.value, box.options) == ("", list(STOP_NAMES.values()))
    settled = own_criterion("loops.stopping:SettledAccuracy")
    rounds = [MeasuredRound(10 * labels, 0.9) for labels in range(1, 5)]
    assert (settled(rounds[:3]), settled(rounds)) == (False, True)  # as its name says: three rounds before the latest
    assert set(STOP_NAMES) == {"", "loops.stopping:SettledAccuracy"}
