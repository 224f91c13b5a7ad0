"""Names of files and classes, and errors that quote them, are shown as they are: Markdown must not read them."""

import re

MARKDOWN = frozenset("\\`*_{}[]()#+-!|<>~$:")


def whole_percent(share: float) -> str:
    """A share as a person reads it, never broken between number and sign: 0.617 -> 62 %."""
    return f"{100 * share:.0f}\u00a0%"


def escaped(text: str) -> str:
    """The text with every sign of Markdown made plain: a class named `![x](http://…)` loads no picture."""
    plain = "".join(f"\\{letter}" if letter in MARKDOWN else letter for letter in text)
    return re.sub(r"^(\d+)\.", r"\1\\.", plain)  # a full stop makes a list only after a number at the beginning
