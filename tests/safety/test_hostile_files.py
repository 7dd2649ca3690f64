"""Whatever lies in a file from a stranger: nothing in it runs, it is refused at once and in words, and memory holds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_S, MOST_MB = 1.0, 500
LOADERS = {
    "policy", "fine-tuning", "agent", "settings", "protocol", "study", "a flag", "gains", "manifest of a run",
    "a run to go on with", "mark of a cell", "table", "packed table", "diary", "diary UoMGlucose2301.csv",
    "diary subject_01.csv", "evaluation", "study of a stranger", "report of a stranger", "report of a run", "journal",
    "decision log", "lock", "checkpoint", "twin of a person", "forecaster", "bodies",
}  # fmt: skip


def _watched(place: Path) -> list[dict[str, Any]]:
    """What became of each file, loaded by a process that watches itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.safety.hostile", str(place)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from /proc")
def test_every_file_of_a_stranger_is_refused_at_once_and_nothing_runs(tmp_path: Path) -> None:
    trap, bomb, *found = _watched(tmp_path)
    assert trap["happened"][0] == "pickle.find_class" and trap["happened"][1].endswith("trap")
    assert bomb["grown_mb"] > MOST_MB, "the watch sees what happens when somebody is careless"
    assert {one["name"].partition(":")[0] for one in found} == LOADERS and len(found) > 250
    ran = [one["name"] for one in found if one["happened"]]
    assert ran == [], "code of a file ran"
    assert [one for one in found if not one["typed"]] == []
    slow = [one for one in found if one["seconds"] >= MOST_S]  # of the processor: other tests run beside
    assert slow == []
    assert [one for one in found if one["grown_mb"] >= MOST_MB] == []
    silent = [one for one in found if len(one["message"]) < 20 or len(one["message"]) > 900]
    assert silent == [], "a message says what is wrong, and is no copy of the file"
