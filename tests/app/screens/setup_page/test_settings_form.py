from __future__ import annotations

import pytest

from app.project.settings import ACQUISITIONS, COLD_STARTS
from app.screens.setup_page.settings_form import (
    ACQUISITION_HELP,
    ACQUISITION_NAMES,
    COLD_START_HELP,
    COLD_START_NAMES,
    choices_help,
)


@pytest.mark.parametrize(
    ("choices", "names", "sentences"),
    [
        (ACQUISITIONS, ACQUISITION_NAMES, ACQUISITION_HELP),
        (COLD_STARTS, COLD_START_NAMES, COLD_START_HELP),
    ],
)
def test_every_choice_has_a_name_and_a_sentence(choices, names, sentences):
    assert set(choices) <= set(names)
    assert [sentences[choice] in choices_help(choices, names, sentences) for choice in choices] == [True] * len(choices)
