"""Rounds that two processes fit together, as a script starts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loops import ActiveLearningLoop
from loops.errors import AttachError
from loops.training_samples import SeededOrder
from tests import forks
from tests.loops.attached import a_trainer


def run(folder: Path, how: str) -> tuple[int, str]:
    """Exit code, and what was said."""
    folder.mkdir(exist_ok=True)
    ran = forks.run(["-m", "tests.loops.two_processes", str(folder), how], forks.TRAINING)
    return ran.returncode, ran.stderr


def seen_by_both(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_one_process_asks_both_fit_the_same_and_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    code, said = run(tmp_path / "whole", "whole")
    assert code == 0, said
    first, second = seen_by_both(tmp_path / "whole")
    assert [len(ids) for ids in first["asked"]] == [8, 8]
    assert second["asked"] == []
    for name in ("curve", "reason", "weights"):
        assert first[name] == second[name]
    assert [labels for labels, _ in first["curve"]] == [8, 16]
    epoch_of_first, epoch_of_second = first["fits"][1][:8], second["fits"][1][:8]
    assert len({*epoch_of_first, *epoch_of_second}) == 16  # each its half of the labels

    assert run(tmp_path / "killed", "kill")[0] != 0
    code, said = run(tmp_path / "killed", "resume")
    assert code == 0, said
    for whole, resumed in zip((first, second), seen_by_both(tmp_path / "killed"), strict=True):
        assert (resumed["curve"], resumed["weights"]) == (whole["curve"], whole["weights"])


def test_an_oracle_that_fails_ends_both_processes_with_its_reason(tmp_path: Path) -> None:
    code, said = run(tmp_path, "fail")
    assert code != 0
    assert "RuntimeError: nobody is there" in said


def test_another_strategy_is_refused_where_the_loop_is_attached() -> None:
    trainer = a_trainer(strategy="ddp_spawn", accelerator="cpu", devices=2)
    with pytest.raises(AttachError, match=r"several processes need Trainer\(strategy='ddp'\); found 'ddp_spawn'"):
        trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=2)  # type: ignore[assignment]


@pytest.mark.parametrize(("size", "each"), [(6, 3), (7, 4), (1, 1)])
def test_the_parts_of_an_order_are_of_one_size_and_together_all_of_it(size: int, each: int) -> None:
    parts = [[draw.position for draw in SeededOrder(size, seed=0, process=(rank, 2))] for rank in (0, 1)]
    assert [len(part) for part in parts] == [each, each]
    assert set(parts[0]) | set(parts[1]) == set(range(size))
    assert len(SeededOrder(size, seed=0, process=(0, 2))) == each
