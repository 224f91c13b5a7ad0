"""What people touch: screens, command line, supervisor and the trainer process; and for scripts, `LabelLoop`."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Imports `LabelLoop`, a project as the oracle of a script, when it is first asked for."""
    if name != "LabelLoop":
        raise AttributeError(f"module 'app' has no attribute {name!r}")
    from app.script_oracle import LabelLoop

    return LabelLoop
