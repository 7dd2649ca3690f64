"""The fleet: each cell once, whatever is killed; a failing cell spoils no other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments import fleet
from experiments.fleet import Cell, run
from experiments.records.lock import FolderLock, FolderLocked
from tests.experiments import fleet_work as work

ROOT = Path(__file__).resolve().parents[2]


def quiet(_: str) -> None:
    """Says nothing."""


@pytest.mark.slow
def test_cells_are_done_once_and_needs_come_first(tmp_path: Path) -> None:
    said: list[str] = []
    cells = [
        Cell("cells/b", work.write, {"text": "b"}, needs=("train/a",)),
        Cell("train/a", work.write, {"text": "a"}),
    ]
    flow = run(cells, tmp_path, 1, said.append)
    assert flow.done == ("cells/b", "train/a") and not flow.failed and flow.attempted == 2
    assert "about 0:00 and 1 of unknown length left] 1/2 train/a" in said[0], (
        "a training tells nothing of others"
    )
    assert "about 0:00 left] 2/2 cells/b" in said[-1]
    (tmp_path / "cells/b/text.txt").write_text("kept")
    again = run(cells, tmp_path, 1, said.append)
    assert again.done == flow.done and said[-1].startswith("2 of 2 cells are done already")
    assert (tmp_path / "cells/b/text.txt").read_text() == "kept"


@pytest.mark.slow
def test_a_failing_cell_is_told_and_those_that_need_it_are_refused(tmp_path: Path) -> None:
    cells = [
        Cell("cells/bad", work.fail),
        Cell("cells/after", work.write, needs=("cells/bad",)),
        Cell("cells/later", work.write, needs=("cells/after",)),
        Cell("cells/good", work.write),
    ]
    flow = run(cells, tmp_path, 2, quiet)
    assert flow.done == ("cells/good",)
    assert flow.failed == {"cells/bad": "ValueError: this cell cannot be done"}
    assert set(flow.refused) == {"cells/after", "cells/later"} and "cells/bad" in flow.refused["cells/after"]
    told = (tmp_path / "failed/cells__bad.txt").read_text()
    assert "this cell cannot be done" in told and "fleet_work.py" in told
    mended = [Cell("cells/bad", work.write, {"text": "whole"}), *cells[1:]]
    assert len(run(mended, tmp_path, 2, quiet).done) == 4
    assert not (tmp_path / "cells/bad/half.txt").exists()  # what the failure left is gone


@pytest.mark.slow
def test_a_dying_process_costs_its_own_cell_only(tmp_path: Path) -> None:
    cells = [
        Cell("cells/dies", work.die),
        *(Cell(f"cells/{k}", work.write) for k in range(3)),
        Cell("cells/once", work.die_once, {"memory": str(tmp_path / "memory")}),
    ]
    flow = run(cells, tmp_path, 1, quiet)
    assert set(flow.done) == {"cells/0", "cells/1", "cells/2", "cells/once"}
    assert flow.failed == {"cells/dies": "its process died, twice"}


@pytest.mark.slow
def test_a_cell_may_go_on_with_what_an_interrupted_attempt_left(tmp_path: Path) -> None:
    cells = [Cell("train/a", work.go_on, goes_on=True)]
    assert run(cells, tmp_path, 1, quiet).failed == {"train/a": "RuntimeError: interrupted"}
    assert run(cells, tmp_path, 1, quiet).done == ("train/a",)


@pytest.mark.slow
def test_a_killed_fleet_goes_on_and_writes_the_same(tmp_path: Path) -> None:
    """A real kill -9 of the whole process group in the midst, then the rest by other numbers of processes."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    script = (
        "from pathlib import Path; from experiments.fleet import Cell, run; import sys\n"
        "from tests.experiments import fleet_work as work\n"
        "if __name__ == '__main__':\n"
        "    cells = [Cell(f'cells/{k}', work.write, {'text': str(k), 'seconds': 0.3}) for k in range(8)]\n"
        "    run(cells, Path(sys.argv[1]), 2)\n"
    )
    path = tmp_path / "fleet_script.py"
    path.write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, str(path), str(killed)], env=environment, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not list((killed / "done").glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {mark.name: mark.stat().st_mtime_ns for mark in (killed / "done").glob("*.json")}
    assert 0 < len(before) < 8
    cells = [Cell(f"cells/{k}", work.write, {"text": str(k), "seconds": 0.3}) for k in range(8)]
    run(cells, killed, 2, quiet)
    run(cells, whole, 1, quiet)
    after = {mark.name: mark.stat().st_mtime_ns for mark in (killed / "done").glob("*.json")}
    assert len(after) == 8 and before.items() <= after.items()  # nothing was done twice
    for k in range(8):
        name = f"cells/{k}/text.txt"
        assert (killed / name).read_bytes() == (whole / name).read_bytes() == str(k).encode()


@pytest.mark.slow
def test_results_of_other_settings_are_not_taken_for_a_cells_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [Cell("cells/a", work.write, {"text": "a"})]
    run(cells, tmp_path, 1, quiet)
    with pytest.raises(ValueError, match="cells/a lies in .* done with other settings"):
        run([Cell("cells/a", work.write, {"text": "b"})], tmp_path, 1, quiet)
    monkeypatch.setattr(fleet, "simulator_hash", lambda: "another simulator")
    with pytest.raises(ValueError, match="another version of the simulator"):
        run(cells, tmp_path, 1, quiet)
    assert (tmp_path / "cells/a/text.txt").read_text() == "a"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="workers are told by Linux when their fleet dies")
def test_no_worker_outlives_a_fleet_that_is_killed(tmp_path: Path) -> None:
    code = (
        "from experiments.fleet import Cell, run; from tests.experiments import fleet_work as work; "
        f"run([Cell('cells/a', work.tell_and_wait)], {str(tmp_path)!r}, 1)"
    )
    whole = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    worker = tmp_path / "worker"
    for _ in range(600):
        if worker.is_file() and worker.read_text():
            break
        time.sleep(0.1)
    whole.kill()
    whole.wait()
    place = Path("/proc") / worker.read_text()
    for _ in range(100):
        if not place.exists() or "Z" in (place / "stat").read_text().split(")")[1].split()[0]:
            return
        time.sleep(0.1)
    pytest.fail("the worker goes on without its fleet")


def test_wrong_cells_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="given twice: cells/a"):
        run([Cell("cells/a", work.write)] * 2, tmp_path, 1)
    with pytest.raises(ValueError, match="need what is no cell: train/b"):
        run([Cell("cells/a", work.write, needs=("train/b",))], tmp_path, 1)
    with pytest.raises(ValueError, match="processes is -1"):
        run([Cell("cells/a", work.write)], tmp_path, -1)
    with FolderLock(tmp_path), pytest.raises(FolderLocked):
        run([Cell("cells/a", work.write)], tmp_path, 1)
    assert not fleet.is_done(tmp_path, Cell("cells/a", work.write))


def test_a_stamp_tells_results_of_another_policy_apart(tmp_path: Path) -> None:
    one, other = (Cell("a", print, {"x": 1}, stamp=stamp) for stamp in ("policy 1", "policy 2"))
    assert one.digest != other.digest != Cell("a", print, {"x": 1}).digest
