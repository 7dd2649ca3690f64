"""Small matrices are multiplied on one thread, unless the user says otherwise."""

import os
import subprocess
import sys

import pytest

SHOW = (
    "import experiments, threadpoolctl; print(max(p['num_threads'] for p in threadpoolctl.threadpool_info()))"
)


@pytest.mark.slow
@pytest.mark.parametrize(("given", "threads"), [(None, 1), ("2", 2)])
def test_products_use_one_thread_unless_asked(given: str | None, threads: int) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment |= {"OMP_NUM_THREADS": given} if given else {}
    told = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    assert int(told.stdout) == min(threads, os.cpu_count() or 1)
