"""Runs: nothing is overwritten, shared, half-written or lost, also when a process is killed or a disk full."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.config import TrainConfig
from experiments.records import checkpoints, provenance
from experiments.records.config_files import build, load_yaml
from experiments.records.lock import FolderLock, FolderLocked
from experiments.runs import Run, latest_checkpoint, read_manifest, run_folder
from twins.files import (
    StorageError,
    atomic_path,
    atomic_write_bytes,
    atomic_write_text,
    check_writable,
)

ROOT = Path(__file__).resolve().parents[2]
ARGV = ["python", "-m", "scripts.train", "--people", "adult#001"]


def _create(folder: Path, need_mb: float = 1) -> Run:
    return Run.create(folder, TrainConfig(), ARGV, {"train": 0}, need_mb=need_mb)


def _python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python process with this checkout on its path."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _write(path: Path) -> None:
    (path / "policy.bin").write_bytes(b"weights" * 100)
    (path / "state.json").write_text("{}")


def test_name_of_a_run_needs_no_quoting(tmp_path: Path) -> None:
    folder = run_folder("first study", "Homeostat/Dosing-v0", "ppo", ["adult#001"], 3, tmp_path)
    assert folder.parent == tmp_path / "first-study"
    assert folder.name.startswith("Homeostat-Dosing-v0__ppo__adult-001__s3__2")
    assert folder != run_folder("first study", "Homeostat/Dosing-v0", "ppo", ["adult#001"], 3, tmp_path)
    many = run_folder("s", "e", "a", ["adult", "child", "x", "y"], 3, tmp_path)
    assert "__adult+3-more__" in many.name
    assert not folder.exists()


def test_a_run_from_beginning_to_end(tmp_path: Path) -> None:
    with _create(tmp_path / "study" / "run") as run:
        manifest = read_manifest(run.folder)
        assert (
            manifest["status"] == "running" and manifest["argv"] == ARGV and manifest["seeds"] == {"train": 0}
        )
        assert manifest["versions"]["numpy"] and manifest["machine"]["cpu"]
        assert (run.folder / "lock").exists()
        run.update(timesteps=5)
    manifest = read_manifest(run.folder)
    assert manifest["status"] == "finished" and manifest["ended_utc"] and manifest["timesteps"] == 5
    assert build(TrainConfig, load_yaml(run.folder / "config.yml")) == TrainConfig()
    assert (run.folder / "command.txt").read_text() == "python -m scripts.train --people 'adult#001'\n"
    assert {path.name for path in run.folder.iterdir()} == {"manifest.json", "config.yml", "command.txt"}


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "interrupted"), (SystemExit(1), "interrupted"), (ValueError("no"), "failed")],
)
def test_the_manifest_says_how_a_run_ended(tmp_path: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), _create(tmp_path / "run") as run:
        raise error
    manifest = read_manifest(run.folder)
    assert manifest["status"] == status and manifest["error"].startswith(type(error).__name__)
    assert not (run.folder / "lock").exists()


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    with _create(tmp_path / "run"):
        pass
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(FileExistsError, match="never overwrites"):
        _create(tmp_path / "run")
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    (tmp_path / "empty").mkdir()
    with _create(tmp_path / "empty"):
        pass


def test_resume_goes_on_in_the_same_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyboardInterrupt), _create(tmp_path / "run") as run:
        run.save_checkpoint(100, _write)
        raise KeyboardInterrupt
    assert latest_checkpoint(tmp_path / "run") == run.folder / "checkpoints" / "step_000000000100"
    with Run.resume(tmp_path / "run", need_mb=1) as again:
        assert again.manifest["status"] == "running" and again.manifest["error"] is None
        newest = again.latest_checkpoint()
        assert newest is not None and checkpoints.step_of(newest) == 100
        again.save_checkpoint(200, _write)
    assert caplog.text == ""
    manifest = read_manifest(tmp_path / "run")
    assert manifest["status"] == "finished" and len(manifest["resumed_at"]) == 1
    (tmp_path / "run" / "config.yml").write_text("lanes: 3\n")
    with Run.resume(tmp_path / "run", need_mb=1) as again:
        assert len(again.manifest["resumed_at"]) == 2
    assert "config.yml is not as the run wrote it" in caplog.text


def test_resume_of_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is no run"):
        Run.resume(tmp_path / "none")
    for text, message in (
        ("{", "not JSON"),
        ("[]", "holds no JSON object"),
        ("[" * 100_000, "is not JSON"),
        ('{"format": 99}', "no manifest of format 1"),
    ):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(ValueError, match=message):
            Run.resume(tmp_path)
    assert not (tmp_path / "lock").exists()


_HOLD = """
import sys, time
from experiments.records.lock import FolderLock
lock = FolderLock(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


def test_two_processes_cannot_share_a_run(tmp_path: Path) -> None:
    """A live owner keeps others out at once; a killed one is succeeded, its files kept."""
    with _create(tmp_path / "run"):
        pass
    other = _python(_HOLD, tmp_path / "run")
    try:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        for begin in (lambda: Run.resume(tmp_path / "run", need_mb=1), lambda: _create(tmp_path / "run")):
            start = time.perf_counter()
            with pytest.raises(FolderLocked, match=f"in use by process {other.pid} on"):
                begin()
            assert time.perf_counter() - start < 1
    finally:
        _kill(other)
    assert (tmp_path / "run" / "lock").exists()
    with Run.resume(tmp_path / "run", need_mb=1) as run:
        assert json.loads((run.folder / "lock").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "run" / "lock").exists()


_RACE = """
import sys, time
from experiments.records.lock import FolderLock, FolderLocked
folder, start = sys.argv[1], float(sys.argv[2])
time.sleep(max(0, start - time.time()))
try:
    FolderLock(folder)
    print("won", flush=True)
except FolderLocked:
    print("lost", flush=True)
sys.stdin.read()  # it lives until all have tried
"""


@pytest.mark.slow
def test_of_many_heirs_of_a_dead_process_one_wins(tmp_path: Path) -> None:
    dead = _python("pass")
    dead.communicate()
    owner = {"pid": dead.pid, "host": socket.gethostname(), "process_started": 1, "locked_utc": "then"}
    (tmp_path / "lock").write_text(json.dumps(owner))
    heirs = [_python(_RACE, tmp_path, time.time() + 1.5) for _ in range(4)]
    said = sorted(heir.stdout.readline() for heir in heirs if heir.stdout is not None)
    for heir in heirs:
        heir.communicate()
    assert said == ["lost\n", "lost\n", "lost\n", "won\n"]


def test_only_a_dead_process_of_this_host_loses_its_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dead = _python("pass")
    dead.communicate()
    mine = {"host": socket.gethostname(), "process_started": 1, "locked_utc": "then"}
    for text in (
        json.dumps({**mine, "pid": dead.pid, "host": "another-host"}),
        json.dumps({**mine, "pid": "?"}),
        json.dumps({**mine, "pid": os.getpid(), "process_started": None}),
        "",
        "[]",
    ):
        (tmp_path / "lock").write_text(text)
        with pytest.raises(FolderLocked, match="delete"):
            FolderLock(tmp_path)
        assert (tmp_path / "lock").read_text() == text
    (tmp_path / "lock").write_text(json.dumps({**mine, "pid": dead.pid}))
    with FolderLock(tmp_path):
        assert "which is dead" in caplog.text
    # The same number, but a process that began at another time: the owner is dead, its number given anew.
    (tmp_path / "lock").write_text(json.dumps({**mine, "pid": os.getpid()}))
    with FolderLock(tmp_path):
        pass
    assert not (tmp_path / "lock").exists()


def test_release_leaves_the_lock_of_somebody_else(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    (tmp_path / "lock").write_text("{}")
    lock.release()
    assert (tmp_path / "lock").exists()


def test_checkpoints_keep_the_newest(tmp_path: Path) -> None:
    assert checkpoints.latest(tmp_path / "none") is None
    for step in (10, 20, 30, 40, 40):
        path = checkpoints.save(tmp_path, step, _write, keep=2)
    assert sorted(other.name for other in tmp_path.iterdir()) == ["step_000000000030", "step_000000000040"]
    assert checkpoints.latest(tmp_path) == path and checkpoints.damage(path) is None


def _cut(path: Path) -> None:
    (path / "policy.bin").write_bytes((path / "policy.bin").read_bytes()[:-1])


def _flip(path: Path) -> None:
    data = bytearray((path / "policy.bin").read_bytes())
    data[5] ^= 1
    (path / "policy.bin").write_bytes(data)


def _link(path: Path) -> None:
    (path / "policy.bin").rename(path.parent / "elsewhere")
    (path / "policy.bin").symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize(
    "harm",
    [
        _cut,
        _flip,
        _link,
        lambda path: (path / "policy.bin").unlink(),
        lambda path: (path / "extra").write_text(""),
        lambda path: (path / checkpoints.SUMS).unlink(),
        lambda path: (path / checkpoints.SUMS).write_text(""),
        lambda path: (path / checkpoints.SUMS).write_bytes(b"\xff\xfe"),
    ],
)
def test_damaged_checkpoints_are_skipped_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: "type[object]"
) -> None:
    older = checkpoints.save(tmp_path, 10, _write)
    newer = checkpoints.save(tmp_path, 20, _write)
    harm(newer)
    assert checkpoints.latest(tmp_path) == older
    assert "step_000000000020 is damaged" in caplog.text
    # Done again after a resume, the step takes the damaged one's place.
    assert checkpoints.save(tmp_path, 20, _write, keep=1) == newer
    assert checkpoints.latest(tmp_path) == newer


def test_the_checkpoint_just_written_is_kept_though_a_damaged_one_is_newer(tmp_path: Path) -> None:
    _flip(checkpoints.save(tmp_path, 30, _write))
    path = checkpoints.save(tmp_path, 20, _write, keep=1)
    assert checkpoints.latest(tmp_path) == path


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_ones(tmp_path: Path) -> None:
    path = checkpoints.save(tmp_path, 10, _write)

    def fails(folder: Path) -> None:
        _write(folder)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        checkpoints.save(tmp_path, 20, fails)
    for useless in (lambda folder: None, lambda folder: (folder / "sub").mkdir()):
        with pytest.raises(ValueError, match="plain files"):
            checkpoints.save(tmp_path, 20, useless)
    with pytest.raises(ValueError, match="step -1"):
        checkpoints.save(tmp_path, -1, _write)
    assert list(tmp_path.iterdir()) == [path] and checkpoints.latest(tmp_path) == path


_SAVE_FOREVER = """
import os, sys
from pathlib import Path
from experiments.records import checkpoints
def write(path):
    for name in "abc":
        (path / name).write_bytes(os.urandom(200_000))
step = int(sys.argv[2])
while True:
    step += 1
    checkpoints.save(Path(sys.argv[1]), step, write)
    print(step, flush=True)
"""


@pytest.mark.slow
def test_killed_while_writing_checkpoints(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """kill -9 at varied moments: the newest valid checkpoint is at least the last one reported done."""
    step = 0
    for trial in range(5):
        process = _python(_SAVE_FOREVER, tmp_path, step)
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(0.003 + 0.06 * trial)
        process.send_signal(signal.SIGKILL)
        rest, errors = process.communicate()
        assert first, errors
        reported = int((first + rest).split("\n")[-2])
        newest = checkpoints.latest(tmp_path)
        assert newest is not None and checkpoints.step_of(newest) >= reported
        step = checkpoints.step_of(newest)
    assert checkpoints.save(tmp_path, step + 1, _write) == checkpoints.latest(tmp_path)
    assert not list(tmp_path.glob(".tmp-*")) and len(list(tmp_path.iterdir())) == 3  # leftovers are gone


_LIMITED = """
import resource, sys
from pathlib import Path
from experiments.records import checkpoints
from twins.files import StorageError, atomic_write_bytes, check_writable
from experiments.records.lock import FolderLock
folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
def big(path):
    (path / "policy.bin").write_bytes(bytes(50_000))
for work in (
    lambda: check_writable(folder, 1),
    lambda: atomic_write_bytes(folder / "file", bytes(50_000)),
    lambda: checkpoints.save(folder / "checkpoints", 20, big),
):
    try:
        work()
        print("written")
    except StorageError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 20_000))
try:
    FolderLock(folder)
except StorageError as error:
    print(error)
"""


@pytest.mark.slow
def test_full_disk(tmp_path: Path) -> None:
    """A limit of file size stands for a full disk: clear errors, the old files intact, nothing half-written."""
    (tmp_path / "file").write_text("old")
    old = checkpoints.save(tmp_path / "checkpoints", 10, _write)
    said, errors = _python(_LIMITED, tmp_path).communicate()
    lines = said.splitlines()
    assert len(lines) == 4 and all(line.startswith("no room on the disk") for line in lines), said + errors
    assert (tmp_path / "file").read_text() == "old"
    assert checkpoints.latest(tmp_path / "checkpoints") == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "file"]
    assert list((tmp_path / "checkpoints").iterdir()) == [old]


def test_too_little_room_is_found_before_work_begins(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="MB free, needed are"):
        check_writable(tmp_path / "run", need_mb=1e12)
    with pytest.raises(StorageError, match="needed are"):
        _create(tmp_path / "run", need_mb=1e12)
    assert list((tmp_path / "run").iterdir()) == []
    check_writable(tmp_path / "run", need_mb=0)
    assert list((tmp_path / "run").iterdir()) == []


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run", Path("/proc/none/run")):
        with pytest.raises(StorageError, match="cannot write"):
            check_writable(folder)
        with pytest.raises(StorageError, match="cannot write"):
            _create(folder)
        with pytest.raises(StorageError, match="cannot write"):
            atomic_write_text(folder / "x", "text")
        with pytest.raises(StorageError, match="cannot write"):
            FolderLock(folder)


def test_atomic_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write_bytes(path, b"one")
    with pytest.raises(ValueError, match="stop"), atomic_path(path) as name:
        name.write_bytes(b"half")
        raise ValueError("stop")
    assert path.read_bytes() == b"one"
    with atomic_path(path) as name:
        name.write_bytes(b"two")
    assert path.read_bytes() == b"two" and list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_end_of_a_run_on_a_full_disk_hides_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="the first"), _create(tmp_path / "run") as run:
        monkeypatch.setattr(run, "_write_manifest", lambda: (_ for _ in ()).throw(StorageError("full")))
        raise ValueError("the first")
    assert "could not be written: full" in caplog.text
    assert not (run.folder / "lock").exists()


def test_provenance_outside_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.git() == {"commit": None, "dirty": None, "diff_sha256": None}
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert provenance.git()["commit"] is None
    monkeypatch.setattr(provenance, "_PACKAGES", {"none": "no-such-package-at-all"})
    assert provenance.versions()["none"] is None


def test_provenance_of_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@x", *words],
            check=True,
            capture_output=True,
        )

    git("init")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-m", "first")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    clean = provenance.git()
    assert len(clean["commit"]) == 40 and clean["dirty"] is False and clean["diff_sha256"] is None
    (tmp_path / "a").write_text("2")
    changed = provenance.git()
    assert changed["commit"] == clean["commit"] and changed["dirty"] is True and changed["diff_sha256"]
