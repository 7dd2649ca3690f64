"""kill -9, a full disk, a second writer, a folder that cannot be written: no run is lost, and every error is said.

Real processes and real signals. Those that train are forked from one that is warm (`tests.safety.stem`).
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import numpy as safetensors

from agents import frozen
from experiments import fleet
from experiments.records import checkpoints
from experiments.records.decision_log import read_log
from experiments.records.lock import FolderLock, FolderLocked
from experiments.records.tables import read_table
from experiments.runs import latest_checkpoint, read_manifest
from experiments.validation import STATE
from scripts import evaluate as evaluate_script
from scripts import train as train_script
from tests.safety.stem import Stem, stem

LANES, ROLLOUT = 8, 96
"""Environment steps of a rollout: 8 lanes x 12 decisions. Episodes have 21, so that a checkpoint is in the middle."""
INTERVAL = 2 * ROLLOUT
"""Between two checkpoints."""
_SETS = {
    "ppo": {"n_steps": 12, "batch_size": 48, "n_epochs": 2},
    "sac": {
        "train_freq": 12, "gradient_steps": 2, "learning_starts": 8, "buffer_size": 240, "batch_size": 48,
        "qf_arch": [8],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def fork() -> Iterator[Stem]:
    with stem() as started:
        yield started


def _words(out: Path, algo: str = "ppo", rollouts: int = 10) -> list[str]:
    """The command line of a training of a second or two."""
    sets = {
        **_SETS[algo],
        "net_arch": [8, 8],
        "learning_rate": 0.003,
        "episode_days": 0.4375,
        "eval_replicas": 1,
    }
    return [
        "--algo", algo, "--people", "adult#001,child#003", "--n-envs", str(LANES), "-n", str(rollouts * ROLLOUT),
        "--eval-freq", str(ROLLOUT), "--save-freq", str(INTERVAL), "--max-wall-s", "null", "--seed", "3",
        "--out", str(out), "--set=eval_days=0.1", *(f"--set={name}={value}" for name, value in sets.items()),
    ]  # fmt: skip


def _begin(fork: Stem, run: Path, words: list[str]) -> int:
    """Start a training, or go on with it: what somebody does who finds it dead. The process id."""
    known = (run / "manifest.json").exists()
    return fork(
        "scripts.train:main",
        *(["--resume", str(run)] if known else words),
        log=run.parent / f"{run.name}.txt",
    )


def _wait_for(there: Callable[[], bool], what: str) -> None:
    for _ in range(6000):
        if there():
            return
        time.sleep(0.01)
    pytest.fail(f"{what}: nothing came of it within a minute")


def _newest(run: Path) -> int:
    """The step of the newest checkpoint that is whole; 0 without one."""
    found = latest_checkpoint(run)
    return checkpoints.step_of(found) if found else 0


def _state(run: Path) -> dict[str, NDArray[Any]]:
    found = latest_checkpoint(run)
    assert found is not None
    return safetensors.load((found / STATE).read_bytes())


def _assert_same(one: Path, other: Path) -> None:
    """Weights, optimisers, generators, memories, bodies, days and looks: all but the clock."""
    ours, theirs = _state(one), _state(other)
    assert ours.keys() == theirs.keys() and len(ours) > 40
    clocks = ("watch_real", "looks.wall_s")
    odd = [name for name in ours if name not in clocks and ours[name].tobytes() != theirs[name].tobytes()]
    assert odd == []
    for name in (frozen.WEIGHTS, frozen.MANIFEST):
        assert (one / "policy" / name).read_bytes() == (other / "policy" / name).read_bytes()
    mine, its = read_table(one / "evaluations.csv"), read_table(other / "evaluations.csv")
    assert all(np.array_equal(mine[name], its[name]) for name in mine if name != "wall_s")


def _kill(fork: Stem, pid: int) -> bool:
    """kill -9; whether it was still alive."""
    os.kill(pid, signal.SIGKILL)
    return fork.wait() == -signal.SIGKILL


def _check_killed(run: Path, before: int) -> None:
    """What must hold of a run whose process was killed; `before`: its newest checkpoint when that one began."""
    assert _newest(run) >= before, "a checkpoint that was there is there"
    if (run / "evaluations.csv").exists():
        reached = int(read_table(run / "evaluations.csv")["timesteps"][-1])
        assert reached - _newest(run) <= INTERVAL, "no more than one interval is lost"
    if (run / "manifest.json").exists():
        assert read_manifest(run)["status"] in ("running", "finished") and (run / "config.yml").exists()


def _finish(fork: Stem, run: Path, words: list[str]) -> None:
    _begin(fork, run, words)
    assert fork.wait() == 0, (run.parent / f"{run.name}.txt").read_text()
    assert read_manifest(run)["status"] == "finished" and not (run / "lock").exists()
    assert frozen.load(run / "policy") and not list(run.rglob(".tmp-*"))


@pytest.mark.slow
@pytest.mark.parametrize(("algo", "random_kills"), [("ppo", 4), ("sac", 0)])
def test_a_training_that_is_killed_in_mid_episode_ends_as_if_it_had_not_been(
    fork: Stem, tmp_path: Path, algo: str, random_kills: int
) -> None:
    """Killed when half of the way is saved, and at random moments before; then all of it bit for bit."""
    dice = random.Random(4)
    run, words = tmp_path / "run", _words(tmp_path / "run", algo)
    for _ in range(random_kills):
        before = _newest(run)
        pid = _begin(fork, run, words)
        time.sleep(dice.uniform(0.0, 1.0))
        _kill(fork, pid)
        _check_killed(run, before)
    pid = _begin(fork, run, words)
    _wait_for(lambda: _newest(run) >= 4 * ROLLOUT, "a checkpoint")
    assert _kill(fork, pid)
    _check_killed(run, 4 * ROLLOUT)
    assert 4 * ROLLOUT <= _newest(run) < 10 * ROLLOUT
    minutes = _state(run)["env.minute"]
    assert ((minutes > 0) & (minutes < 0.4375 * 1440)).any(), "in mid-episode"
    _finish(fork, run, words)
    assert len(read_manifest(run)["resumed_at"]) >= 1
    whole = tmp_path / "whole"
    _finish(fork, whole, _words(whole, algo))
    _assert_same(run, whole)


@pytest.mark.verify
def test_two_hundred_kills_of_trainings_leave_no_unusable_run(fork: Stem, tmp_path: Path) -> None:
    dice, kills, number, rollouts = random.Random(5), 0, 0, 30
    whole = {algo: tmp_path / f"whole-{algo}" for algo in _SETS}
    for algo, folder in whole.items():
        _finish(fork, folder, _words(folder, algo, rollouts))
    while kills < 200:
        algo = ("ppo", "sac")[number % 2]
        run = tmp_path / f"run-{number}"
        words = _words(run, algo, rollouts)
        for _ in range(10):
            before = _newest(run)
            pid = _begin(fork, run, words)
            time.sleep(dice.uniform(0.0, 1.0))
            died = _kill(fork, pid)
            kills += died
            _check_killed(run, before)
            if not died:
                break
        _finish(fork, run, words)
        _assert_same(run, whole[algo])
        shutil.rmtree(run)
        number += 1


@pytest.mark.slow
@pytest.mark.parametrize("kills", [30, pytest.param(200, marks=pytest.mark.verify)])
def test_a_process_that_is_killed_while_saving_leaves_what_it_reported(
    fork: Stem, tmp_path: Path, kills: int
) -> None:
    dice, folder, log, step = random.Random(6), tmp_path / "checkpoints", tmp_path / "log", 0
    for kill in range(kills):
        log.write_text(f"{step}\n")
        pid = fork("tests.safety.stem:save_forever", str(folder), step, log=log)
        if kill % 2:  # the others may be in their very first
            _wait_for(lambda: log.read_text().count("\n") > 1, "a checkpoint")
        time.sleep(dice.uniform(0.0, 0.04))
        assert _kill(fork, pid)
        reported = int(log.read_text().rpartition("\n")[0].rpartition("\n")[2])
        newest = checkpoints.latest(folder)
        step = checkpoints.step_of(newest) if newest else 0
        assert step >= reported
    assert step >= kills // 2, "it was killed in the middle of work"
    checkpoints.save(folder, step + 1, lambda path: (path / "file").write_text("x"))
    assert not list(folder.glob(".tmp-*"))


def test_a_log_whose_writer_is_killed_loses_no_decision_it_reported(fork: Stem, tmp_path: Path) -> None:
    dice = random.Random(7)
    for kill in range(20):
        path, said = tmp_path / f"{kill}.jsonl", tmp_path / f"{kill}.txt"
        pid = fork("tests.safety.stem:decide_forever", str(path), log=said)
        _wait_for(lambda said=said: said.exists() and "\n" in said.read_text(), "a decision")
        time.sleep(dice.uniform(0.0, 0.01))
        assert _kill(fork, pid)
        reported = int(said.read_text().rpartition("\n")[0].rpartition("\n")[2])
        log = read_log(path)
        assert reported <= len(log.decisions) <= reported + 1 and "its writer was killed" in log.unfinished


# --- a full disk --------------------------------------------------------------------------------------------
def _fail_in_the_middle(fork: Stem, run: Path, fill: Callable[[int], None]) -> str:
    """Train, fill the disk when there is a checkpoint; what was said at the end."""
    words = _words(run, rollouts=400)
    pid = _begin(fork, run, words)
    _wait_for(lambda: _newest(run) > 0, "a checkpoint")
    fill(pid)
    before = _newest(run)
    assert fork.wait() == 1, "an exit code that says so"
    said = (run.parent / f"{run.name}.txt").read_text()
    assert "Traceback" not in said.rpartition("error:")[2]
    assert before <= _newest(run) < 400 * ROLLOUT, "the old checkpoint is as it was"
    assert not list((run / "checkpoints").glob(".tmp-*")), "and nothing half-written"
    return said


def _goes_on(fork: Stem, run: Path) -> None:
    """With room again the run goes on from its checkpoint."""
    before, pid = _newest(run), _begin(fork, run, [])
    _wait_for(lambda: _newest(run) > before, "another checkpoint")
    _kill(fork, pid)


@pytest.mark.slow
def test_a_disk_that_fills_up_ends_the_training_and_keeps_the_checkpoint(fork: Stem, tmp_path: Path) -> None:
    """A limit of file size that comes in the middle stands for the full disk."""
    run = tmp_path / "run"

    def limit(pid: int) -> None:
        found = latest_checkpoint(run)
        assert found is not None
        size = (found / STATE).stat().st_size - 1
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))

    said = _fail_in_the_middle(fork, run, limit)
    assert "error: no room on the disk to write" in said and "Free some space" in said
    assert read_manifest(run)["status"] == "failed" and "StorageError" in read_manifest(run)["error"]
    _goes_on(fork, run)


@pytest.mark.verify
def test_a_small_disk_that_fills_up_ends_the_training_and_keeps_the_checkpoint(
    fork: Stem, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(disk)], capture_output=True
        )
    except OSError:
        pytest.skip("no command to mount a disk with")
    if done.returncode:
        pytest.skip("only a superuser may mount a small disk; the limit of file size is tested instead")
    try:

        def ballast(_: int) -> None:
            with pytest.raises(OSError), open(disk / "ballast", "wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))

        said = _fail_in_the_middle(fork, disk / "run", ballast)
        assert "error: no room on the disk" in said or "No space left on device" in said
        (disk / "ballast").unlink()
        _goes_on(fork, disk / "run")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_cannot_be_written_is_said_before_training_begins(fork: Stem, tmp_path: Path) -> None:
    place = Path(tempfile.mkdtemp())  # a superuser's process drops its rights, and must be able to come here
    try:
        place.chmod(0o555)
        for out in (place / "run", place):
            log = tmp_path / "log.txt"
            log.unlink(missing_ok=True)
            fork("tests.safety.stem:train_as_nobody", *_words(out), log=log)
            assert fork.wait() == 1
            assert log.read_text().startswith(
                f"error: cannot write {out}: Permission denied. Choose a folder"
            )
            assert list(place.iterdir()) == []
    finally:
        place.rmdir()


# --- a second writer ----------------------------------------------------------------------------------------
def test_a_second_writer_stops_at_once_and_an_heir_goes_on(fork: Stem, tmp_path: Path) -> None:
    """Of a run, an evaluation and a study; the evaluation would have to tune for minutes first."""
    run, words = tmp_path / "run", _words(tmp_path / "run", rollouts=1)
    _finish(fork, run, words)
    writers: dict[str, tuple[Path, Callable[[], object]]] = {
        "a run, resumed": (run, lambda: train_script.main(["--resume", str(run)])),
        "a new run": (tmp_path / "new", lambda: train_script.main(_words(tmp_path / "new"))),
        "an evaluation": (tmp_path / "out", lambda: evaluate_script.main(
            ["--agent", "pid-tuned", "--person", "adult#001", "--out", str(tmp_path / "out")])),
        "a study": (tmp_path / "study", lambda: fleet.run([fleet.Cell("a", print)], tmp_path / "study", 1)),
    }  # fmt: skip
    for name, (folder, write) in writers.items():
        folder.mkdir(exist_ok=True)
        log = tmp_path / f"{name}.txt"
        pid = fork("tests.safety.stem:hold", str(folder), log=log)
        _wait_for(lambda log=log: log.exists() and "held" in log.read_text(), name)
        held = sorted(folder.rglob("*"))
        began = time.process_time(), time.monotonic()
        with pytest.raises(
            FolderLocked, match=f"in use by process {pid} on .* Wait for it, or choose another"
        ):
            write()
        assert time.process_time() - began[0] < 1.0 and time.monotonic() - began[1] < 5.0, name
        assert sorted(folder.rglob("*")) == held, "and touches nothing"
        assert _kill(fork, pid) and (folder / "lock").exists()
        with FolderLock(folder) as heir:
            assert heir.inherited, name
