from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.end_to_end.conftest import plain_environment

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_several_people_label_at_once_and_nobody_gets_anothers_sample(browser, repository):
    """The benchmark on a small scale: three processes and a browser, with the trainer at work."""
    browser.close()  # it is only asked for to skip where there is none
    command = [sys.executable, str(repository / "benchmarks" / "bench_annotators.py"), "--quick"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=plain_environment(), timeout=800)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert (found["labels"], found["labels_given"]) == (40, 40)
    # Not "decided_twice": where answers take seconds, a page runs ahead of the samples it has told the server to keep.
    assert (found["lost"], found["double_claims"]) == (0, 0)
    assert found["looks"] > 0
    assert found["errors"] == []
    assert found["browser_save_ms"]["n"] > 0
