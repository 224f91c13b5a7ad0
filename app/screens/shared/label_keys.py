"""Which key does what on the Label and Grid screens; never `c` or `r`, which are Streamlit's own."""

from collections.abc import Sequence

from storage.classes import by_place
from storage.projects import ClassInfo

DIGITS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")

HELP = "h"

HELP_ROWS = (
    ("Label with class 1 to 10, and go on (a class named by a digit has that digit)", "`1` … `9`, `0`"),
    ("Label with class 11 to 20", "`Shift` + digit"),
    ("Any further class", "type its name, or `/`; `Enter` takes the one marked; every letter is the name's then"),
    ("Accept the model's suggestion (when it is shown)", "`Enter`"),
    ("Skip: the sample leaves the pool", "`Space`"),
    ("Undo the last decision, or the one looked at", "`Backspace` or `Ctrl`/`Cmd` + `Z`"),
    ("Walk the decisions before", "`←` older, `→` newer"),
    ("Look closer at an image, and back", "`+`, `-`, or the wheel"),
    ("Flag for a second look; again: take the flag back", "`.`, and `F` with up to 20 classes"),
    ("Guide: what the classes are, with examples; a class's own key is chosen there", "`,`, and `G` with up to 20"),
    ("These keys", "`?`, and `H` with up to 20 classes"),
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

GROUP_ROWS = (
    ("Begin the group of that class; with a search: say what was found", "the class's key"),
    ("Begin the group of all classes: each sample as the model is sure of it", "`Enter`"),
    ("Say what the sample is, and go on", "the class's key"),
    ("Skip: the sample leaves the pool, and counts as wrong", "`Space`"),
    ("Label the rest, once it is proven", "`Enter`"),
    ("Undo the last judgment, or the whole rest", "`Backspace` or `Ctrl`/`Cmd` + `Z`"),
    ("Leave the group; what was judged stays labeled", "`N`"),
)

ONE_ROWS = (
    ("Label the sample beside the charts, and go on to the next most doubted one", "the class's key"),
    ("Skip it", "`Space`"),
    ("Flag it for a second look; again: take the flag back", "`.` or `F`"),
    ("Undo what was decided last here", "`Backspace` or `Ctrl`/`Cmd` + `Z`"),
    ("On the map: move a cross; with `Shift`: draw a box", "`←` `→` `↑` `↓`"),
    ("On the map: pick the sample at the cross, or choose all in the box", "`Enter`"),
    ("On the map: zoom; show all; choose none", "`+` `-`; `Home`; `Esc`"),
)

SEVERAL_ROWS = (
    ("Move from card to card; with `Shift`: choose a range", "`←` `→` `↑` `↓`"),
    ("Choose the card, or put it back", "`Space`, `X`, or click it; `Shift` and click for a range"),
    ("Correct all that are chosen to the class", "the class's key"),
    ("Choose none", "`Esc`"),
    ("Undo the last such correction, all of it", "`Backspace` or `Ctrl`/`Cmd` + `Z`"),
)


def class_keys(names: Sequence[str]) -> list[str | None]:
    """The key of each class by its place; None once the 20 keys are used up: those classes are searched.

    A class named by a digit has that digit, whoever stands before it: a person who sees a seven presses 7. The key of
    any other class depends only on those digits and on the classes before it, and classes are only appended: no key
    ever changes but for a class whose digit is the name of a new one.
    """
    free = [key for key in (*DIGITS, *(f"shift+{digit}" for digit in DIGITS)) if key not in names]
    keys: list[str | None] = []
    for place, name in enumerate(names):
        if name in DIGITS:
            keys.append(name)
            continue
        by_place = DIGITS[place] if place < len(DIGITS) else f"shift+{DIGITS[place % len(DIGITS)]}"
        wanted = by_place if by_place in free else next(iter(free), None)
        keys.append(wanted)
        free = [key for key in free if key != wanted]
    return keys


def keys_by_class(classes: Sequence[ClassInfo]) -> list[str | None]:
    """The key of each class by its index, in the order in which somebody has put them; a retired one has none."""
    placed = by_place(classes)
    keys = dict(zip((one.index for one in placed), class_keys([one.name for one in placed]), strict=True))
    return [None if entry.retired else keys[entry.index] for entry in classes]


def told_classes(classes: Sequence[ClassInfo]) -> list[dict[str, str | bool | int | None]]:
    """What a page in the browser is told of each class, by its index; a retired one has no key."""
    return [
        {
            "name": entry.name,
            "key": key,
            "retired": entry.retired,
            "position": entry.position,
            "color": entry.color,
        }
        for entry, key in zip(classes, keys_by_class(classes), strict=True)
    ]


def keys_table(keys: Sequence[tuple[str, str]] = HELP_ROWS) -> str:
    """Keys and what they do, as a Markdown table."""
    rows = "\n".join(f"| {action} | {key} |" for action, key in keys)
    return f"| Action | Key |\n|---|---|\n{rows}"
