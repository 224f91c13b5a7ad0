"""Where LabelLoop keeps what belongs to no project: the demo, and the list of projects."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "LABELLOOP_HOME"


def home_folder() -> Path:
    """Return ``LABELLOOP_HOME``, else the account's folder for program data."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("labelloop", appauthor=False)
