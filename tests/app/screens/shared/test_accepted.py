from __future__ import annotations

from app.screens.shared.accepted import accepted_sentence
from storage.suggestions import Acceptance

WHY = "Now and then one is wrong on purpose, to see who looks."


def test_one_person_reads_of_themselves_and_of_others_by_name():
    found = [Acceptance("ann", 9, 2)]
    assert accepted_sentence(found, reader="ann") == f"You accepted 2 of 9 wrong suggestions. {WHY}"
    assert accepted_sentence(found, reader="bob") == f"ann accepted 2 of 9 wrong suggestions. {WHY}"


def test_of_several_the_reader_comes_first():
    found = [Acceptance("ann", 9, 2), Acceptance("bob", 1, 0)]
    assert accepted_sentence(found, reader="bob").startswith(
        "You accepted 0 of 1 wrong suggestion; ann accepted 2 of 9 wrong suggestions."
    )
