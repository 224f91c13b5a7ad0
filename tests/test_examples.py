"""The examples of the documentation run as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forks import TRAINING, run

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
SAID = {
    "active_learning": "60 labels:",
    "cross_validated_rounds": "out of fold",
    "from_scratch": "%",
    "k_fold": "the five voting:",
    "your_own_loop": "lr 0.00125",
    "yielded_losses": "mean ink",
}


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*SAID, "digits"}


@pytest.mark.parametrize("name", sorted(SAID))
def test_an_example_runs(name: str) -> None:
    ran = run([str(EXAMPLES / f"{name}.py")], TRAINING)
    assert ran.returncode == 0, ran.stderr
    assert SAID[name] in ran.stdout


def test_the_example_from_scratch_fits_on_a_screen() -> None:
    assert len((EXAMPLES / "from_scratch.py").read_text().splitlines()) < 60
