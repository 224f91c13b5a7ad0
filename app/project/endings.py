"""The trainer's deaths in words: how often, by what, and what a person can do."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from datetime import timezone, tzinfo

from storage.endings import EndingInfo

TRAINER = "trainer"
TO_WAIT_FOR_A_PERSON = 5  # deaths in a row, each before it was healthy
SHORT_OF_MEMORY = 0.1  # of what it held and what was free together: less than that free, and memory was short
_LESS_MEMORY = "close other programs, or choose a smaller embedding or smaller images in Setup."


def ending_words(deaths: Sequence[EndingInfo], zone: tzinfo | None = None) -> str:
    """Say how the trainer ended, as sentences.

    Args:
        deaths: The latest first; at least one.
        zone: Of the reader; None: UTC, and said.
    """
    latest = deaths[0]
    times = "once" if len(deaths) == 1 else f"{len(deaths)} times in a row"
    when = f"{latest.created_at.astimezone(zone or timezone.utc):%Y-%m-%d %H:%M}" + ("" if zone else " UTC")
    said = [f"The trainer ended unasked {times}, last at {when}, {_how(latest.status)}."]
    if latest.last_words:
        said.append(f"The last it said: {latest.last_words}")
    if latest.status == -signal.SIGKILL:
        said.append(_memory_words(latest))
    if len(deaths) >= TO_WAIT_FOR_A_PERSON:
        said.append("It is not started again by itself now; press Try again, or start 'labelloop run' again.")
    return " ".join(said)


def _memory_words(death: EndingInfo) -> str:
    """Whether memory was short, as far as anybody looked: a kill by a person and one by the system look alike."""
    if death.held_bytes is None or death.free_bytes is None:
        return f"Nobody knows how much memory it held. If that was short, {_LESS_MEMORY}"
    held, free = death.held_bytes, death.free_bytes
    seen = f"When last looked at it held {held / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB were free"
    if free < SHORT_OF_MEMORY * (held + free):
        return f"{seen}: most likely memory was short; {_LESS_MEMORY}"
    return (
        f"{seen}: memory was not short then. If nobody ended it, and it ends so again, look whether a container "
        f"limits its memory, or {_LESS_MEMORY}"
    )


def _how(status: int) -> str:
    if status == -signal.SIGKILL:
        return "killed by signal 9 (SIGKILL): by a person, or by the system, which does so where memory runs out"
    if status >= 0:
        return f"with exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:  # a number that this system has no name for
        name = "of no name"
    return f"killed by signal {-status} ({name})"
