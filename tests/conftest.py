from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports torch: workers share the cores, and threads that wait for each other hold up the others.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The list of projects of whoever runs the tests is not to name those of the tests; children see it too.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="labelloop-tests-")


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def digits(repository: Path) -> Path:
    return repository / "sample_data" / "digits"


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves the tested script as `__main__`, which a process started later would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
