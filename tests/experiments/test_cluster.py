"""A fleet on a Ray cluster of two nodes: the bytes of one process, and a killed worker that costs its own cell."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from experiments import crew
from experiments.crew import Workers
from experiments.fleet import Cell, Flow, run
from tests.experiments import fleet_work as work

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two nodes of a core each, on this machine."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster.address
    cluster.shutdown()


def _quiet(_: str) -> None:
    """Says nothing."""


def _kills_the_worker(folder: Path) -> Thread:
    """Waits until a cell says who does it, and kills that process."""

    def wait_and_kill() -> None:
        deadline = time.monotonic() + 60
        while not (told := folder / "worker").is_file() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(int(told.read_text()), signal.SIGKILL)

    thread = Thread(target=wait_and_kill)
    thread.start()
    return thread


def _cells() -> list[Cell]:
    return [
        Cell("train/first", work.write, {"text": "first"}),
        *(Cell(f"cells/{k}", work.write, {"text": str(k)}, needs=("train/first",)) for k in range(4)),
        Cell("cells/bad", work.fail),
        Cell("cells/after", work.write, needs=("cells/bad",)),
    ]


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("text.txt"))}


@pytest.mark.slow
def test_two_nodes_write_the_bytes_of_one_process(address: str, tmp_path: Path) -> None:
    def by(workers: Workers, name: str) -> Flow:
        return run(_cells(), tmp_path / name, workers, _quiet)

    there, here = by(address, "there"), by(1, "here")
    assert set(there.done) == set(here.done) and there.failed == here.failed and there.refused == here.refused
    assert there.failed == {"cells/bad": "ValueError: this cell cannot be done"}
    assert _bytes(tmp_path / "there") == _bytes(tmp_path / "here") and len(_bytes(tmp_path / "here")) == 5
    assert "fleet_work.py" in (tmp_path / "there/failed/cells__bad.txt").read_text()
    assert set(by(2, "there").done) == set(here.done)  # what was done there is done here


@pytest.mark.slow
def test_a_killed_worker_costs_its_own_cell_which_is_done_again(address: str, tmp_path: Path) -> None:
    cells = [
        Cell("cells/long", work.wait_the_first_time),
        *(Cell(f"cells/{k}", work.write, {"seconds": 0.2}) for k in range(4)),
    ]
    killer = _kills_the_worker(tmp_path)
    flow = run(cells, tmp_path, address, _quiet)
    killer.join()
    assert set(flow.done) == {cell.name for cell in cells} and not flow.failed
    assert work.calls(tmp_path, "cells/long") == 2
    assert all(work.calls(tmp_path, f"cells/{k}") == 1 for k in range(4))


@pytest.mark.verify
def test_a_cell_that_kills_its_worker_each_time_fails_alone(address: str, tmp_path: Path) -> None:
    flow = run([Cell("cells/dies", work.die), Cell("cells/good", work.write)], tmp_path, address, _quiet)
    assert flow.done == ("cells/good",) and flow.failed == {"cells/dies": "its process died, twice"}


@pytest.mark.verify
def test_names_of_folders_count_from_where_the_fleet_was_started(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/policy").write_text("of here")
    monkeypatch.chdir(tmp_path / "here")
    flow = run([Cell("cells/a", work.copy, {"source": "policy"})], tmp_path / "out", address, _quiet)
    assert flow.done == ("cells/a",) and (tmp_path / "out/cells/a").read_text() == "of here"


@pytest.mark.verify
def test_a_node_with_other_sources_refuses(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "kernel_hash", lambda: "0" * 64)
    flow = run([Cell("cells/a", work.write)], tmp_path, address, _quiet)
    assert "another version of twins and envs" in flow.failed["cells/a"]


@pytest.mark.parametrize(
    ("workers", "words"),
    [("", "the address of the cluster is empty"), ("127.0.0.1:1", "no Ray cluster answers at '127.0.0.1:1'"),
     (0, "processes is 0; give 1 or more")],
)  # fmt: skip
def test_workers_that_are_not_there_are_named(workers: Workers, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        run([Cell("cells/a", work.write)], tmp_path, workers, _quiet)
