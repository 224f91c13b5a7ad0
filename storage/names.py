"""What is one name: two ways to write it that nobody can tell apart on a screen are equal."""

from __future__ import annotations

from unicodedata import category, normalize

ALIKE = (
    "they differ only in capitals, in signs that cannot be seen, or in letters of other alphabets that look the same. "
    "If they are two, give one a name that people can tell from the other."
)
LONGEST_NAME = 80  # characters of a person's name
_NO_WIDTH = "\u00ad\u034f\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff"
_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # letters to the other direction
_BLANK = "\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0"  # drawn as nothing, though no spaces
_UNSEEN = frozenset(_NO_WIDTH + _TURNING + _BLANK)
# Cyrillic and Greek small letters that are drawn as Latin ones.
_LATIN = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u03bf", "aeopcyxijshdo"
)


def visible(name: str) -> str:
    """Return a name without the signs that nobody sees.

    The two signs that join and part letters in Persian, Hindi and emoji stay where they stand between two others.
    """
    return "".join(sign for at, sign in enumerate(name) if sign not in _UNSEEN or _joins(name, at))


def written(name: str) -> str:
    """Return a name of a source or a person as it is stored: accents composed, one space between words."""
    return " ".join(visible(normalize("NFC", name)).split())


def person(name: str) -> str:
    """Return a person's name on one line, without signs that cannot be seen; empty where nothing is left."""
    text = "".join(one if one.isprintable() else " " for one in written(name))
    return " ".join(text.split())[:LONGEST_NAME].strip()


def one_name(name: str) -> str:
    """Return what is the same for all ways to write one name, in capitals or not, in letters that are drawn alike.

    Single letters are names of their own: some classes are a and A.
    """
    plain = written(name)
    if len(plain) == 1:
        return plain.translate(_LATIN)
    drawn = "".join(sign for sign in plain.casefold() if category(sign) != "Cf" and not "\ufe00" <= sign <= "\ufe0f")
    return normalize("NFC", drawn).translate(_LATIN)


def _joins(text: str, at: int) -> bool:
    return text[at] in "\u200c\u200d" and 0 < at < len(text) - 1 and not text[at - 1].isascii()
