"""What a Label Studio task is about: a file, a text, or the values of a row; and how its labeling config shows that.

A text stands in `data` under `text`, a row as an object under `row`; a row of somebody else's may be `data` itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.formats.folders import IMAGE_SUFFIXES
from app.formats.records import kept
from app.kinds.kind import kind_named

Data = Mapping[str, Any]

TAGS: Mapping[str, str] = {"image": "Image", "text": "Text", "table": "Table"}  # by kind
_TAG = re.compile(r"<\s*(Image|HyperText|Text|Table)\b", re.IGNORECASE)
_KINDS = {"image": "image", "text": "text", "hypertext": "text", "table": "table"}
_LOOKED_AT = 100  # tasks
_IMAGE, _TEXT = "image", "text"  # names in a task


def kind_of(config: str, found: Sequence[Data]) -> str:
    """Tell the kind of samples by the labeling config, else by what is in the first tasks.

    Args:
        config: Empty where there is none.
        found: Of each task.
    """
    shown = [_KINDS[tag.lower()] for tag in _TAG.findall(config)]
    if shown:
        return "image" if "image" in shown else shown[0]
    some = found[:_LOOKED_AT]
    if any(_is_an_image(value) for data in some for name, value in data.items() if name != _TEXT):
        return "image"
    if any(isinstance(data.get(kind_named("table").NOUN), dict) for data in some):
        return "table"
    return "text" if any(isinstance(data.get("text"), str) for data in some) else "image"


def file_of(data: Data) -> str:
    """The name of a task's file: the value of the config's image, whatever it is called there."""
    named = [data.get(_IMAGE), *data.values()]
    return next((value for value in named if isinstance(value, str) and _is_a_file(value)), "")


def _is_a_file(value: str) -> bool:
    last = value.rpartition("/")[2]
    return "?d=" in value or "." in last[1:]


def _is_an_image(value: object) -> bool:
    return isinstance(value, str) and ("?d=" in value or value.lower().endswith(tuple(IMAGE_SUFFIXES)))


def row_of(data: Data) -> Data:
    """The values of a task's row; all that a task of somebody else's holds may be the row."""
    row = data.get("row")
    return row if isinstance(row, dict) else data


def text_of(data: Data) -> str | None:
    """The text of a task, under whatever name; None where it has none."""
    named = [data.get("text"), *data.values()]
    return next((value for value in named if isinstance(value, str)), None)


def content_of(data: Data, kind: str) -> str:
    """What a task without a file says of its sample, as the kind keeps it; empty where it says nothing of the sort."""
    return kept(row_of(data) if kind_named(kind).HAS_COLUMNS else text_of(data), kind)
