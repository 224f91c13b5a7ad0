"""The public names of LabelLoop, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.client import Project, Question
    from app.script_oracle import LabelLoop
    from loops.active_learning import ActiveLearningLoop
    from loops.data import ActiveLearningDataModule
    from loops.kfold import KFoldLoop

_HOMES = {
    "ActiveLearningDataModule": "loops.data",
    "ActiveLearningLoop": "loops.active_learning",
    "KFoldLoop": "loops.kfold",
    "LabelLoop": "app.script_oracle",
    "Project": "app.client",
    "Question": "app.client",
}

__all__ = [
    "ActiveLearningDataModule",
    "ActiveLearningLoop",
    "KFoldLoop",
    "LabelLoop",
    "Project",
    "Question",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    if name not in _HOMES:
        raise AttributeError(f"module 'labelloop' has no name {name!r}")
    return getattr(import_module(_HOMES[name]), name)
