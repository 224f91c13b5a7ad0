from __future__ import annotations

import pytest

from app.screens.shared.plain_text import escaped


def test_markdown_in_a_name_is_made_plain():
    assert escaped("![x](http://a)") == r"\!\[x\]\(http\::small[]//a\)"


def test_words_stay():
    assert escaped("The disk is full") == "The disk is full"


def test_a_number_at_the_beginning_starts_no_list():
    assert escaped("1. cat.") == r"1\. cat."


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("a -> b", r"a \-:small[]\> b"),
        ("<->", r"\<:small[]\-:small[]\>"),
        ("<= 5", r"\<:small[]\= 5"),
        (":material/home:", r"\::small[]material/home\:"),
        (":streamlit:", r"\::small[]streamlit\:"),
        ("http://a.example", r"http\::small[]//a.example"),
        ("www.a.example", r"www:small[].a.example"),
        ("a@b.example", r"a:small[]\@b.example"),
        ("&amp;", r"\&amp;"),
        ("12:30 h", r"12\:30 h"),
    ],
)
def test_what_streamlit_reads_after_the_markdown_is_interrupted(typed, given):
    assert escaped(typed) == given
