from __future__ import annotations

import importlib.util
import sys
from argparse import Namespace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def runner(monkeypatch):
    spec = importlib.util.spec_from_file_location("benchmark_runner", BENCHMARKS / "run.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "benchmark_runner", module)  # its dataclass looks itself up there
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
