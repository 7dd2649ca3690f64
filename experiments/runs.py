"""A run: the folder that holds everything one training or evaluation did.

config.yml     the resolved settings, each with its meaning; can be given back with --conf-file
command.txt    what was typed
manifest.json  status, code, versions, machine, seeds, times; written when the two above are there
checkpoints/   see `experiments.records.checkpoints`
lock           while a process works in the folder
"""

import hashlib
import json
import logging
import re
import shlex
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from experiments.records import checkpoints
from experiments.records.config_files import Config, show
from experiments.records.json_files import load_object
from experiments.records.lock import FolderLock
from experiments.records.provenance import provenance
from twins.files import TEMPORARY, atomic_write_text, check_writable

RUNS = Path("results/runs")
"""Where runs are kept, below the current folder; git ignores it."""

Status = Literal["running", "finished", "failed", "interrupted"]
_FORMAT = 1
_log = logging.getLogger(__name__)


def run_folder(
    study: str, env: str, algo: str, people: Sequence[str], seed: int, root: str | Path = RUNS
) -> Path:
    """A new name below `root`: <study>/<env>__<algo>__<people>__s<seed>__<utc>-<shortid>; makes nothing."""
    whom = "+".join(people) if len(people) <= 3 else f"{people[0]}+{len(people) - 1}-more"
    now, short = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), uuid.uuid4().hex[:8]
    name = "__".join([_plain(env), _plain(algo), _plain(whom), f"s{seed}", f"{now}-{short}"])
    return Path(root) / _plain(study) / name


def _plain(text: str) -> str:
    """The text as part of a file's name that needs quoting neither in a shell nor in a link."""
    return re.sub(r"[^A-Za-z0-9.+_-]+", "-", text).strip(".-") or "x"


class Run:
    """A run folder that this process alone may write into, from `create` or `resume` to `finish`.

    Use as a context: the end of the block writes the status "finished", an error "failed", Ctrl-C
    "interrupted". A process that was killed leaves "running" and a lock that `resume` takes over.
    """

    def __init__(self, folder: Path, lock: FolderLock, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self._lock = lock
        for unfinished in (folder / "policy").glob(f"{TEMPORARY}*"):  # of a process that was killed
            unfinished.unlink(missing_ok=True)

    @classmethod
    def create(
        cls,
        folder: str | Path,
        config: Config,
        argv: Sequence[str],
        seeds: Mapping[str, int],
        parent: str | Path | None = None,
        need_mb: float = 100.0,
    ) -> Self:
        """Begin a run in a new or empty folder.

        argv: the command. seeds: what each seed is for, such as {"train": 0}. parent: the run or policy it
        goes on from. Raises StorageError (cannot be written, less than `need_mb` MB free), FileExistsError
        (the folder holds something) or FolderLocked (another process is at it).
        """
        folder = Path(folder)
        check_writable(folder, need_mb)
        lock = FolderLock(folder)
        try:
            # A process that was killed in these lines left its lock and a part of the first files, and no run.
            remains = {"config.yml", "command.txt"} if lock.inherited else set()
            held = {path.name for path in folder.iterdir() if not path.name.startswith(TEMPORARY)}
            if held - remains - {lock.path.name}:
                raise FileExistsError(
                    f"{folder} already holds files, and a run never overwrites another. Give a new folder, "
                    "or go on with that run by --resume"
                )
            run = cls(folder, lock, _first_manifest(config, argv, seeds, parent))
            atomic_write_text(folder / "config.yml", show(config))
            atomic_write_text(folder / "command.txt", shlex.join(argv) + "\n")
            run._write_manifest()
        except BaseException:
            lock.release()
            raise
        return run

    @classmethod
    def resume(cls, folder: str | Path, need_mb: float = 100.0) -> Self:
        """Go on with an earlier run; its manifest gets an entry in `resumed_at`.

        Raises FileNotFoundError or ValueError when the folder is no run, FolderLocked, StorageError.
        """
        folder = Path(folder)
        read_manifest(folder)
        check_writable(folder, need_mb)
        lock = FolderLock(folder)
        try:
            manifest = read_manifest(folder)
            if _config_hash(folder) != manifest.get("config_sha256"):
                _log.warning("%s is not as the run wrote it", folder / "config.yml")
            run = cls(folder, lock, manifest)
            resumed = [*manifest.get("resumed_at", []), _now()]
            run.update(status="running", ended_utc=None, error=None, resumed_at=resumed)
        except BaseException:
            lock.release()
            raise
        return run

    def update(self, **facts: Any) -> None:
        """Add plain values to the manifest and write it."""
        self.manifest = {**self.manifest, **facts}
        self._write_manifest()

    def finish(self, status: Status, error: str | None = None) -> None:
        """Write how the run ended and give the folder back."""
        try:
            self.update(status=status, ended_utc=_now(), error=error)
        finally:
            self._lock.release()

    def save_checkpoint(self, step: int, write: Callable[[Path], object], keep: int = 3) -> Path:
        """See `experiments.records.checkpoints.save`."""
        return checkpoints.save(self.folder / "checkpoints", step, write, keep)

    def latest_checkpoint(self) -> Path | None:
        """The newest valid checkpoint of this run; None when there is none."""
        return latest_checkpoint(self.folder)

    def _write_manifest(self) -> None:
        atomic_write_text(
            self.folder / "manifest.json", json.dumps(self.manifest, indent=2, allow_nan=False) + "\n"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is None:
            self.finish("finished")
            return
        stopped = issubclass(kind, KeyboardInterrupt | SystemExit)
        try:
            self.finish("interrupted" if stopped else "failed", f"{kind.__name__}: {error}".rstrip(": "))
        except OSError as second:  # the first error says more
            _log.warning("the end of the run could not be written: %s", second)


def latest_checkpoint(folder: str | Path) -> Path | None:
    """The newest valid checkpoint of the run in this folder; None when there is none."""
    return checkpoints.latest(Path(folder) / "checkpoints")


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a run. Raises FileNotFoundError or ValueError when the folder is no run."""
    path = Path(folder) / "manifest.json"
    try:
        found = load_object(path, "it was damaged or edited; start a new run")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{folder} is no run: it has no manifest.json. Give the folder of a run"
        ) from None
    if found.get("format") != _FORMAT or "status" not in found:
        raise ValueError(f"{path} is no manifest of format {_FORMAT}. Start a new run")
    return found


def _first_manifest(
    config: Config, argv: Sequence[str], seeds: Mapping[str, int], parent: str | Path | None
) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "status": "running",
        "started_utc": _now(),
        "ended_utc": None,
        "resumed_at": [],
        "error": None,
        "argv": list(argv),
        "seeds": dict(seeds),
        "parent": str(parent) if parent is not None else None,
        "config_sha256": hashlib.sha256(show(config).encode()).hexdigest(),
        **provenance(),
    }


def _config_hash(folder: Path) -> str | None:
    path = folder / "config.yml"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
