"""A project of digits with a model, and an answerer that knows a text by its first letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.answering.answerer import About, Floats
from app.project.creation import make_project
from app.project.project import Project
from app.project.settings import ProjectSettings
from app.trainer.process import run_trainer


class FirstLetter:
    """Texts that begin with an a are of class `a`, all others of `b`; an empty one cannot be answered."""

    def __init__(self, kind: str = "text", version: str = "round-3") -> None:
        self.about = About("letters", kind, ("a", "b"), version, 2, None)
        self.asked: list[Any] = []
        self.in_pool = 0  # the id of the sample of the project that it has a row of

    def probs(self, samples: Sequence[Any]) -> tuple[Floats, dict[int, str]]:
        self.asked += samples
        begins = [str(sample).startswith("a") for sample in samples]
        bad = {place: "cannot be embedded: odd" for place, sample in enumerate(samples) if sample == "odd"}
        return np.array([[0.9, 0.1] if is_a else [0.2, 0.8] for is_a in begins], np.float32).reshape(-1, 2), bad

    def probs_of_pool(self, sample_ids: Sequence[int]) -> dict[int, Floats]:
        return {one: np.array([0.6, 0.4], np.float32) for one in sample_ids if one == self.in_pool}


@pytest.fixture
def letters() -> FirstLetter:
    return FirstLetter()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Project]:
    """Makes a project of a source that carries labels, and trains one round of it; once per source."""
    made: dict[str, Project] = {}

    def make(name: str, source: str) -> Project:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = make_project(
                folder / "project",
                settings=ProjectSettings(
                    name, audit_share=0.0, acquisition="bald"
                ),  # asks no committee: a tenth of the fits
                data=Path(source),
                labeled=True,
            ).project
            run_trainer(made[name], once=True)
        return made[name]

    return make
