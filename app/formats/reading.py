"""What a person says of a source, besides where it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """How a source is to be read; what is empty is told by what is there."""

    kind: str = ""  # of its samples
    text_column: str = ""  # of a CSV or JSONL file
    label_column: str = ""  # likewise
    outside: bool = False  # whether files outside its folder may be read: by links, by absolute names in a list


AS_IT_IS = Reading()
