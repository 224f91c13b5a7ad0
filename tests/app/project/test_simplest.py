from __future__ import annotations

from dataclasses import replace

import pytest

from app.project.settings import ProjectSettings
from app.project.simplest import SIMPLEST, gain_in_words, predictor_words, settings_in_force
from loops.predictors.linear import LinearOfRows
from loops.predictors.making import own_predictor
from storage.metrics import MetricInfo

DEFAULT = ProjectSettings("cats")


def gain(low: float, high: float) -> MetricInfo:
    return MetricInfo(3, 60, "gain_over_simplest", (low + high) / 2, low, high, 32, None)


@pytest.mark.parametrize(
    ("measured", "predictor", "acquisition"),
    [
        (None, "auto", "auto"),
        (gain(0.1, 0.3), "auto", "auto"),
        (gain(-0.3, 0.0), "auto", "auto"),
        (gain(-0.3, -0.1), SIMPLEST, "random"),
    ],
)
def test_the_simplest_thing_takes_over_only_where_the_whole_band_speaks_for_it(measured, predictor, acquisition):
    found = settings_in_force(DEFAULT, measured)
    assert (found.predictor, found.acquisition) == (predictor, acquisition)


@pytest.mark.parametrize("chosen", [{"predictor": "cnn"}, {"acquisition": "bald"}])
def test_what_a_person_chose_stays(chosen):
    settings = replace(DEFAULT, **chosen)
    assert settings_in_force(settings, gain(-0.3, -0.1)) == settings
    assert "but you chose who asks and who answers" in gain_in_words(gain(-0.3, -0.1), settings)


def test_the_sentence_says_by_how_much_and_what_follows():
    assert gain_in_words(gain(0.1, 0.3), DEFAULT) == (
        "Better than the simplest thing: with 32 labels each, the default's lead is +20 points of accuracy (95 % band "
        "+10 to +30)."
    )
    assert gain_in_words(gain(-0.1, 0.3), DEFAULT).startswith("Not told apart yet from the simplest thing: with 32")
    assert "so questions are drawn at random now" in gain_in_words(gain(-0.3, -0.1), DEFAULT)


def test_the_name_it_goes_by_is_a_predictor_of_ours_and_has_words_for_a_screen():
    assert (predictor_words(SIMPLEST), predictor_words("cnn")) == ("logistic regression", "cnn")
    made = own_predictor(SIMPLEST, None, num_classes=2, seed=0, mc_iterations=3)  # type: ignore[arg-type] # no rows yet
    assert type(made) is LinearOfRows
