from __future__ import annotations

from app.screens.shared.plain_text import escaped


def test_markdown_in_a_name_is_made_plain():
    assert escaped("![x](http://a)") == r"\!\[x\]\(http\://a\)"


def test_words_stay():
    assert escaped("The disk is full") == "The disk is full"


def test_a_number_at_the_beginning_starts_no_list():
    assert escaped("1. cat.") == r"1\. cat."
