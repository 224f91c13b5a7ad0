"""What answers for new samples: a project's champion, or a model that was exported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import AnsweringError
from app.project.project import Project, open_project

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class About:
    """The model that answers: where it learned, what it knows and how good it is."""

    name: str  # of the project it learned in
    kind: str  # of the samples
    classes: tuple[str, ...]
    version: str  # such as `round-7`
    batch_size: int  # samples it is best asked about at a time
    accuracy: dict[str, Any] | None  # value, low, high, n, measured_on


class Answerer(Protocol):
    """Answers for samples that nobody has imported."""

    @property
    def about(self) -> About:
        """The model that answers."""
        ...

    def probs(self, samples: Sequence[Any]) -> tuple[Floats, dict[int, str]]:
        """Class probabilities `probs_N_C`, and why some of them, by place, have none.

        Args:
            samples: As the kind loads them.
        """
        ...

    def probs_of_pool(self, sample_ids: Sequence[int]) -> dict[int, Floats]:
        """Class probabilities of samples of its project, as the screens have them; of those that it has rows of."""
        ...


def open_answerer(path: Path) -> tuple[Answerer, Project | None]:
    """Open what a person named: a project's folder, or that of an exported model.

    Returns:
        What answers, and the project where it is one.

    Raises:
        AnsweringError: It is neither.
        NoModelError: The project has no model yet.
    """
    from app.answering.exported import ExportedAnswerer, is_exported

    path = path.expanduser()
    folder = path.parent if path.is_file() else path
    if is_exported(folder):
        return ExportedAnswerer(folder), None
    if not (folder / "settings.toml").is_file():
        raise AnsweringError(f"{path} is neither a project nor a model that 'labelloop export' wrote.")
    from app.answering.champion import ChampionAnswerer

    project = open_project(folder)
    with project.opened_to_read() as database:
        return ChampionAnswerer(project, database), project


def prepared(
    samples: Sequence[Any], prepare: Callable[[Any], Any], embed: Callable[[list[Any]], NDArray[np.generic]]
) -> tuple[NDArray[np.generic] | None, list[int], dict[int, str]]:
    """Rows of the samples that can be embedded, their places, and why the others cannot, by place."""
    good: dict[int, Any] = {}
    bad: dict[int, str] = {}
    for place, sample in enumerate(samples):
        try:
            good[place] = prepare(sample)
        except Exception as error:  # noqa: BLE001, PERF203 - somebody's sample may be anything; the others go on
            bad[place] = f"cannot be embedded: {error}"
    return embed(list(good.values())) if good else None, list(good), bad


def spread(count: int, classes: int, places: Sequence[int], answers: Floats | None) -> Floats:
    """The answers at their places; NaN where there is none."""
    probs_N_C = np.full((count, classes), np.nan, np.float32)
    if answers is not None:
        probs_N_C[list(places)] = answers
    return probs_N_C
