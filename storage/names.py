"""What is one name: two ways to write it that nobody can tell apart on a screen are equal."""

from __future__ import annotations

from unicodedata import category, normalize

LONGEST_NAME = 80  # characters of a person's name
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"  # signs that take no room


def written(name: str) -> str:
    """Return a name as it is stored: accents composed, signs of no width left out, one space between words.

    The two signs that join and part letters in Persian, Hindi and emoji stay where they stand between two others.
    """
    composed = normalize("NFC", name)
    seen = [sign for at, sign in enumerate(composed) if sign not in _UNSEEN or _joins(composed, at)]
    return " ".join("".join(seen).split())


def person(name: str) -> str:
    """Return a person's name on one line, without signs that cannot be seen; empty where nothing is left."""
    text = "".join(one if one.isprintable() else " " for one in written(name))
    return " ".join(text.split())[:LONGEST_NAME].strip()


def one_name(name: str) -> str:
    """Return what is the same for all ways to write one name, in capitals or not.

    Single letters are names of their own: some classes are a and A.
    """
    plain = written(name)
    if len(plain) == 1:
        return plain
    return normalize("NFC", "".join(sign for sign in plain.casefold() if category(sign) != "Cf"))


def _joins(text: str, at: int) -> bool:
    return text[at] in "\u200c\u200d" and 0 < at < len(text) - 1 and not text[at - 1].isascii()
