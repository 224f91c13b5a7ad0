"""Active learning on PyTorch Lightning Loops, Flash and BaaL; knows nothing of SQL or Streamlit.

Loops that attach to any Trainer, with the module that its author wrote:

    from loops import ActiveLearningDataModule, ActiveLearningLoop

    data = ActiveLearningDataModule(dataset, oracle=labels, query_size=20, acquisition="bald", test=held_out)
    trainer = Trainer(max_epochs=10)
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=20)
    trainer.fit(module, data)
    trainer.fit_loop.curve  # [(labels, accuracy), ...]

See docs/loops.md. Importing this package imports neither torch nor Lightning; the names below do, when they are used.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loops.active_learning import ActiveLearningLoop
    from loops.data import ActiveLearningDataModule
    from loops.fit import FitLoop, TrainingEpochLoop
    from loops.kfold import KFoldLoop
    from loops.yielding import YieldLoop

__all__ = [
    "ActiveLearningDataModule",
    "ActiveLearningLoop",
    "FitLoop",
    "KFoldLoop",
    "TrainingEpochLoop",
    "YieldLoop",
]

_MODULE_OF = {
    "ActiveLearningDataModule": "loops.data",
    "ActiveLearningLoop": "loops.active_learning",
    "FitLoop": "loops.fit",
    "KFoldLoop": "loops.kfold",
    "TrainingEpochLoop": "loops.fit",
    "YieldLoop": "loops.yielding",
}

# Lightning 1.9.5 says this whenever it is imported, and several modules here import it; a person at a terminal cannot
# act on it. Here, because this runs before any of them. setuptools is pinned below 81 for the same reason.
warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Imports one of the loops when it is first asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'loops' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)
