from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def runner(monkeypatch):
    return load("run", monkeypatch)


@pytest.fixture
def table(monkeypatch):
    return load("label_efficiency_table", monkeypatch)


def load(name, monkeypatch):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # its dataclass looks itself up there
    monkeypatch.syspath_prepend(BENCHMARKS)  # where it imports its neighbors from, as a script does
    spec.loader.exec_module(module)
    return module


def test_every_benchmark_is_run_whether_or_not_one_fails_and_one_table_says_so(runner, tmp_path, monkeypatch, capsys):
    (tmp_path / "bench_a.py").write_text('"""Is a good?\n\nMore."""\nimport sys\nprint("a is", sys.argv[1:])\n')
    (tmp_path / "bench_b.py").write_text('"""Is b good?"""\n# "--quick"\nimport sys\nsys.exit(3 * len(sys.argv[1:]))\n')
    (tmp_path / "helper.py").write_text("raise AssertionError\n")
    monkeypatch.setattr(runner, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py", "--quick", "--out", str(tmp_path / "out")])
    assert runner.main() == 1
    report = (tmp_path / "out" / "bench.md").read_text()
    assert "| a | Is a good? | done |" in report
    assert "| b | Is b good? | failed (3) |" in report
    assert "a is []" in report
    assert "| a | Is a good? | done |" in capsys.readouterr().out


def test_one_benchmark_alone_in_full(runner, tmp_path, monkeypatch):
    (tmp_path / "bench_a.py").write_text("raise AssertionError\n")
    (tmp_path / "bench_b.py").write_text('"""Is b good?"""\n# "--quick"\nimport sys\nsys.exit(3 * len(sys.argv[1:]))\n')
    monkeypatch.setattr(runner, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "b", "--out", str(tmp_path / "out")])
    assert runner.main() == 0


def test_data_goes_to_the_benchmarks_that_take_it(runner, tmp_path):
    script = tmp_path / "bench_a.py"
    script.write_text('"""Is a good?"""\n"--npz", "--photos"\n')
    options = Namespace(quick=False, mnist=Path("m.npz"), photos=None)
    assert runner.arguments_of(script, options) == ["--npz", "m.npz"]
    assert runner.arguments_of(script, Namespace(quick=True, mnist=Path("m.npz"), photos=None)) == []


def test_every_real_benchmark_has_a_quick_mode(runner):
    scripts = runner.find(BENCHMARKS)
    assert {script.stem for script in scripts} >= {*runner.QUICK, *runner.NEEDS_MNIST, *runner.WITH_MNIST}
    for script in scripts:
        assert runner.arguments_of(script, Namespace(quick=True, mnist=None, photos=None)), script.name


def test_labels_to_a_goal_are_those_from_which_accuracy_stays_there(table):
    assert table.stays([(1, 0.5), (2, 0.95), (3, 0.94), (4, 0.95), (5, 0.96)], 0.95) == 4
    assert table.shown(table.stays([(10, 0.95), (20, 0.94)], 0.95)) == "> 20"


def test_median_and_worst_seed_are_told_and_a_seed_that_never_got_there_is_the_worst(table):
    seeds = {
        "0": {"curve": [(1, 1.0), (2, 1.0)]},
        "1": {"curve": [(1, 0.0), (2, 1.0)]},
        "2": {"curve": [(1, 1.0), (2, 0.0)]},
    }
    assert table.to_goal(seeds, 0.95) == "2 (> 2) of 3"
    assert table.to_goal({}, 0.95) == ""


def test_where_our_questions_are_below_random_ones_is_said(table, capsys):
    runs = {"auto": {"0": {"curve": [(1, 0.4), (2, 0.9)]}}, "random": {"0": {"curve": [(1, 0.5), (2, 0.5)]}}}
    table.paired(runs, "auto", "random")
    assert "below 0 at 1 (-10.0 points in the mean) labels" in capsys.readouterr().out
