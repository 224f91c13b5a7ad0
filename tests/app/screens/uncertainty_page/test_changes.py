from __future__ import annotations

import numpy as np

from app.project.scores import RoundScores
from app.screens.uncertainty_page.changes import change_rows, changes

CAT, DOG, EMU = 0, 1, 2


def scores(answers, sure):
    return RoundScores(np.array(list(answers)), {}, np.array(list(answers.values())), np.array(sure))


def test_only_samples_that_both_rounds_answered_can_have_changed():
    before = scores({1: CAT, 2: CAT, 3: DOG, 4: DOG}, [0.5, 0.6, 0.7, 0.8])
    now = scores({2: DOG, 3: DOG, 4: EMU, 5: CAT}, [0.7, 0.7, 0.9, 0.9])
    found = changes(before, now)
    assert found.both == 3
    assert found.sample_ids.tolist() == [2, 4]
    assert found.sample_ids[found.rows()].tolist() == [4, 2]  # the surest of its new answer first
    assert found.sample_ids[found.rows(CAT, DOG)].tolist() == [2]
    assert found.before_sure_N.tolist() == [0.6, 0.8]


def test_the_most_frequent_change_comes_first():
    before = scores({1: CAT, 2: DOG, 3: DOG}, [0.5, 0.5, 0.5])
    now = scores({1: DOG, 2: EMU, 3: EMU}, [0.5, 0.5, 0.5])
    rows = change_rows(changes(before, now), ["cat", "dog", "emu"])
    assert rows.to_numpy().tolist() == [["dog", "emu", 2], ["cat", "dog", 1]]
