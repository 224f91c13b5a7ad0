"""The trainer's deaths in words: how often, by what, and what a person can do."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from datetime import timezone, tzinfo

from storage.endings import EndingInfo

TRAINER = "trainer"
TO_WAIT_FOR_A_PERSON = 5  # deaths in a row, each before it was healthy
_MEMORY = (
    "Most likely this machine's memory was used up. Close other programs, or choose a smaller embedding or smaller "
    "images in Setup."
)


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
        said.append(_MEMORY)
    if len(deaths) >= TO_WAIT_FOR_A_PERSON:
        said.append("It is not started again by itself now; press Try again, or start 'labelloop run' again.")
    return " ".join(said)


def _how(status: int) -> str:
    if status >= 0:
        return f"with exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:  # a number that this system has no name for
        name = f"number {-status}"
    return f"killed by the signal {name}"
