from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from app.screens.shared.reader_time import reader_time

NOON = datetime(2026, 11, 30, 12, 0, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Asia/Kolkata", "2026-11-30 17:30:05"),
        ("America/New_York", "2026-11-30 07:00:05"),
        (None, "2026-11-30 12:00:05"),
        ("Mars/Olympus", "2026-11-30 12:00:05"),
        ("../../etc/passwd", "2026-11-30 12:00:05"),
    ],
)
def test_a_time_is_that_of_the_readers_wall(monkeypatch, zone, told):
    monkeypatch.setattr("streamlit.context", SimpleNamespace(timezone=zone))
    assert reader_time(NOON) == told
