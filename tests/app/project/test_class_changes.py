from __future__ import annotations

import pytest

from app.errors import ProjectError
from app.project.class_changes import names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('cat, "dog, wet"', ["cat", "dog, wet"]),
        ("cat\ndog\n\n , bird,", ["cat", "dog", "bird"]),
        ('6" nail', ['6" nail']),
        ("", []),
    ],
)
def test_names_stand_on_lines_or_between_commas_and_a_comma_in_quotes(text, names):
    assert names_in(text) == names


def test_a_quote_that_is_not_closed_is_a_sentence():
    with pytest.raises(ProjectError, match="is a quote missing"):
        names_in('cat, "dog')
