"""Which key does what on the Label and Grid screens; never `c` or `r`, which are Streamlit's own."""

from collections.abc import Sequence

DIGITS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")

HELP = "h"

HELP_ROWS = (
    ("Label with class 1 to 10, and go on (a class named by a digit has that digit)", "`1` … `9`, `0`"),
    ("Label with class 11 to 20", "`Shift` + digit"),
    ("Any further class", "type its name, or `/`; `Enter` takes the first one found"),
    ("Accept the model's suggestion (when it is shown)", "`Enter`"),
    ("Skip: the sample leaves the pool", "`Space`"),
    ("Undo the last decision, or the one looked at", "`Backspace` or `Ctrl`/`Cmd` + `Z`"),
    ("Walk the last ten decisions", "`←` older, `→` newer"),
    ("Flag for a second look; again: take the flag back", "`F`"),
    ("These keys", "`H` or `?`"),
)

GRID_ROWS = (
    ("Move from sample to sample", "`←` `→` `↑` `↓`"),
    ("Take the sample out, or put it back", "`X`, or click or tap it"),
    ("Give the sample taken out another class; without it, it goes back to the queue", "the class's key"),
    ("Confirm all others as the class, and go on", "`Enter`"),
    ("Undo the last grid, all of it", "`Backspace` or `Ctrl`/`Cmd` + `Z`"),
    ("Leave these samples and show others", "`N`"),
    ("Show another class (with no sample taken out); before the first model: name the group", "the class's key"),
)


def class_keys(names: Sequence[str]) -> list[str | None]:
    """The key of each class by its place; None once the 20 keys are used up: those classes are searched.

    A class named by a digit gets that digit, or a person who sees a seven and presses 7 would label it six. A class's
    key depends only on the classes before it, and classes are only appended: no key ever changes.
    """
    free = [*DIGITS, *(f"shift+{digit}" for digit in DIGITS)]
    keys: list[str | None] = []
    for place, name in enumerate(names):
        by_place = DIGITS[place] if place < len(DIGITS) else f"shift+{DIGITS[place % len(DIGITS)]}"
        wanted = [key for key in (name, by_place) if key in free] or free[:1]
        keys.append(wanted[0] if wanted else None)
        free = [key for key in free if key not in wanted[:1]]
    return keys


def keys_table(keys: Sequence[tuple[str, str]] = HELP_ROWS) -> str:
    """Keys and what they do, as a Markdown table."""
    rows = "\n".join(f"| {action} | {key} |" for action, key in keys)
    return f"| Action | Key |\n|---|---|\n{rows}"
