"""Names of files and classes, and errors that quote them, are shown as they are: Markdown must not read them."""

import re

MARKDOWN = frozenset("\\`*_{}[]()#+-=!|<>~$:&@")

# After the Markdown was read, Streamlit looks through the plain text once more: `->` becomes an arrow, `:material/x:`
# an icon, `:streamlit:` a logo, `:smile:` a face, an address a link. An escape is gone by then. A piece of text that
# ends in between is not recognized, so an empty span, which nobody sees, ends it.
_END = ":small[]"
_READ_LATER = re.compile(
    r"(?<=[<>~-])(?=[-=>])"  # -> <- <-> -- <= >= ~=
    r"|(?<=:)(?=material/|/|[\w+-]+:)"  # icons, faces, and http://
    r"|(?<=www)(?=\.)"
    r"|(?=@)",
    re.IGNORECASE,
)


def whole_percent(share: float) -> str:
    """A share as a person reads it, never broken between number and sign: 0.617 -> 62 %."""
    return f"{100 * share:.0f}\u00a0%"


def escaped(text: str) -> str:
    """The text as it was typed, wherever Streamlit reads Markdown: `![x](http://…)` loads no picture, `->` is none."""
    return _END.join(_plain(piece) for piece in _READ_LATER.split(text))


def _plain(text: str) -> str:
    """Every sign of Markdown made plain."""
    plain = "".join(f"\\{letter}" if letter in MARKDOWN else letter for letter in text)
    return re.sub(r"^(\d+)\.", r"\1\\.", plain)  # a full stop makes a list only after a number at the beginning
