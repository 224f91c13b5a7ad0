"""Times as the person reading has them on the wall: in the zone of their browser, not the server's."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def reader_zone() -> tzinfo:
    """The browser's time zone; UTC where it tells none that this machine knows."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):  # a ValueError: a name that would lead out of the folder of zones
        return timezone.utc


def reader_time(moment: datetime) -> str:
    """A moment to the second in the reader's zone."""
    return f"{moment.astimezone(reader_zone()):%Y-%m-%d %H:%M:%S}"
