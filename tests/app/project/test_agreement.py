from __future__ import annotations

import subprocess
import sys

import pytest

from app.project.agreement import agreement, alpha_words
from storage.votes import Vote


def votes(**given):
    """Votes by annotator: a string has one class per sample, a dash where they gave none."""
    return [
        Vote(sample_id, 0, name, int(letter), 0, adjudicated=False)
        for name, letters in given.items()
        for sample_id, letter in enumerate(letters)
        if letter != "-"
    ]


def test_two_who_always_agree_have_the_highest_figures():
    found = agreement(votes(ada="0011", bob="0011"))
    assert (found.samples, found.unanimous, found.annotators, found.alpha) == (4, 4, 2, 1.0)
    assert [(pair.first, pair.second, pair.samples, pair.same, pair.kappa) for pair in found.pairs] == [
        ("ada", "bob", 4, 4, 1.0)
    ]


def test_agreement_by_chance_alone_has_kappa_zero():
    # Both say 0 half of the time; they agree on half of the samples, as coins would.
    assert agreement(votes(ada="0011", bob="0101")).pairs[0].kappa == pytest.approx(0.0)


def test_kappa_is_what_is_better_than_chance():
    # 8 of 10 agree; by chance 0.5: (0.8 - 0.5) / (1 - 0.5).
    assert agreement(votes(ada="0000011111", bob="0000111110")).pairs[0].kappa == pytest.approx(0.6)


def test_alpha_of_two_who_always_differ_is_below_zero():
    # Two samples, votes 0-1 and 1-0: observed disagreement 1, expected 4 of 6 pairs of the four votes: 1 - 1 / (2/3).
    assert agreement(votes(ada="01", bob="10")).alpha == pytest.approx(-0.5)


def test_only_samples_with_two_votes_count():
    found = agreement(votes(ada="0101-", bob="01--1"))
    assert (found.samples, found.pairs[0].samples) == (2, 2)


def test_each_pair_is_measured_on_what_both_labeled_and_the_busiest_comes_first():
    found = agreement(votes(ada="0101--", bob="01--01", eve="010101"))
    assert [(pair.first, pair.second, pair.samples) for pair in found.pairs] == [
        ("ada", "eve", 4),
        ("bob", "eve", 4),
        ("ada", "bob", 2),
    ]
    assert found.samples == 6


def test_one_class_only_tells_nothing():
    found = agreement(votes(ada="000", bob="000"))
    assert (found.alpha, found.pairs[0].kappa, found.pairs[0].same) == (None, None, 3)
    assert "cannot be told from chance" in alpha_words(found.alpha)


def test_without_votes_there_is_nothing_to_measure():
    found = agreement([])
    assert (found.samples, found.annotators, found.alpha, found.pairs) == (0, 0, None, ())


@pytest.mark.parametrize(("alpha", "said"), [(0.8, "reliable"), (0.7, "tentative"), (0.5, "do not mean the same")])
def test_a_figure_is_explained(alpha, said):
    assert said in alpha_words(alpha)


def test_the_packages_are_not_loaded_before_there_is_something_to_compute():
    compute = "import sys; from app.project import agreement; agreement.agreement([])"
    code = f"{compute}; sys.exit(str({{'sklearn', 'krippendorff'}} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == "set()"
