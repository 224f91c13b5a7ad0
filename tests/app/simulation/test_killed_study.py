"""A study that is killed leaves nobody behind."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil

STUDY = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from app.simulation import study
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, study._start_worker, (None, None)) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def test_its_workers_end_with_it(tmp_path) -> None:
    script = tmp_path / "study.py"
    script.write_text(STUDY)
    study = subprocess.Popen([sys.executable, "-W", "ignore", script], stdout=subprocess.PIPE, text=True)
    assert study.stdout is not None
    worker = int(study.stdout.readline())
    study.kill()
    study.wait()
    study.stdout.close()
    until = time.monotonic() + 60
    while is_running(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_running(worker)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # who takes in orphans need not bury them at once
    except psutil.NoSuchProcess:
        return False
