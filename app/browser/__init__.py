"""The browser's side of the screens: plain JavaScript and CSS, read by the screens and sent as they are."""

from pathlib import Path

FOLDER = Path(__file__).parent
CONVERSATION = tuple(
    f"shared/{name}.js"
    for name in (
        "page",
        "keys",
        "own_keys",
        "outbox",
        "links",
        "leaving",
        "alerts",
        "connection",
        "conversation",
        "mount",
    )
)  # of a page that labels, before its own scripts


def text_of(*names: str) -> str:
    """Return the files one after another, each named from this folder: ``text_of("shared/outbox.js", "grid/grid.js")``.

    The browser gets a component's script as one module, so its parts neither import nor export; the last one exports.
    """
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)
