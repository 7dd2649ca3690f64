"""One process per folder: a lock file that names its owner and outlives no dead one on this machine."""

import fcntl
import json
import logging
import os
import socket
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from experiments.records.json_files import load_object
from twins.files import TEMPORARY, writing

_MOST_BYTES = 4096
_log = logging.getLogger(__name__)


class FolderLocked(OSError):
    """Another process uses the folder. The message says which, and what to do."""


class FolderLock:
    """The right to write into a folder, held from `FolderLock(folder)` to `release()`.

    The file `lock` appears whole and holds process id, host and start times. It is taken over (`inherited`) only when
    its process is dead and belonged to this host. Raises FolderLocked at once otherwise.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path, self.inherited = Path(folder) / "lock", False
        self._mine: dict[str, Any] = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "process_started": _process_started(os.getpid()),
            "locked_utc": datetime.now(UTC).isoformat(timespec="microseconds"),
        }
        with writing(self.path):
            guard = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network folders have no such locks
                # Between judging an old lock and replacing it nobody else may do the same.
                fcntl.flock(guard, fcntl.LOCK_EX)
            self._acquire()
        finally:
            os.close(guard)
        for unfinished in self.path.parent.glob(f"{TEMPORARY}*"):  # of a process that was killed
            if unfinished.is_file():
                unfinished.unlink(missing_ok=True)

    def _acquire(self) -> None:
        if self._create():
            return
        owner = _read(self.path)
        if _is_dead(owner):
            _log.warning("taking over %s from process %s, which is dead", self.path.parent, owner["pid"])
            self.path.unlink(missing_ok=True)
            if self._create():
                self.inherited = True
                return
            owner = _read(self.path)
        raise _locked(self.path, owner)

    def _create(self) -> bool:
        """Make the lock file; False when there is one."""
        mine = self.path.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
        with writing(self.path):
            try:
                descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(json.dumps(self._mine).encode())
                    file.flush()
                    os.fsync(file.fileno())
                self._name(mine)
            except FileExistsError:
                return False
            finally:
                mine.unlink(missing_ok=True)
        return True

    def _name(self, mine: Path) -> None:
        """Let the file be the lock, whole or not at all: an empty one would name no process that could be judged."""
        try:
            os.link(mine, self.path)
        except FileExistsError:
            raise
        except OSError:  # a system of files without hard links: nearly as good
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            os.replace(mine, self.path)

    def release(self) -> None:
        """Give the folder back; does nothing when the lock is no longer ours."""
        if _read(self.path) == self._mine:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def check_free(folder: str | Path) -> None:
    """Raise FolderLocked when a living process, or one that cannot be judged, holds the folder; takes nothing."""
    path = Path(folder) / "lock"
    if path.exists() and not _is_dead(owner := _read(path)):
        raise _locked(path, owner)


def _locked(path: Path, owner: dict[str, Any]) -> FolderLocked:
    pid, host, since = (owner.get(key, "?") for key in ("pid", "host", "locked_utc"))
    return FolderLocked(
        f"{path.parent} is in use by process {pid} on {host} since {since}. Wait for it, or choose another folder; "
        f"if no such process exists, delete {path}"
    )


def _read(path: Path) -> dict[str, Any]:
    """What a lock file says of its owner; empty when it says nothing."""
    try:
        return load_object(path, "", most=_MOST_BYTES)
    except (OSError, ValueError):
        return {}


def _is_dead(owner: dict[str, Any]) -> bool:
    """Whether the owner certainly is a process of this host that no longer runs."""
    pid = owner.get("pid")
    if owner.get("host") != socket.gethostname() or not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # the latter: no process can have such a number
        return True
    except OSError:
        return False  # it runs, and belongs to somebody else
    then, now = owner.get("process_started"), _process_started(pid)
    return then is not None and now is not None and then != now


def _process_started(pid: int) -> int | None:
    """When a process began, in the system's own ticks; 0 for one that has ended but is not yet collected.

    Tells a process from a later one with the same number. None where /proc does not exist.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return 0 if fields[0] in "ZX" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None
