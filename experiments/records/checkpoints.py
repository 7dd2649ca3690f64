"""Checkpoints of which at least one is always whole, however a run ends.

A checkpoint is a folder `step_000000288000`. Its file SHA256SUMS (the format of `sha256sum -c`) is written
last, and the folder gets its name only when everything is on the disk.
"""

import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from twins.files import TEMPORARY, atomic_write_text, read_file, sync, writing

SUMS = "SHA256SUMS"
MOST_BYTES = 4 << 30
"""Of a file of a checkpoint: a full replay buffer of long observations has hundreds of megabytes."""
_MOST_SUMS = 1 << 16
_PREFIX = "step_"
_log = logging.getLogger(__name__)


def save(folder: str | Path, step: int, write: Callable[[Path], object], keep: int = 3) -> Path:
    """Make the checkpoint of `step` (environment steps); returns its folder.

    write(path): puts the files, without subfolders, into the empty folder `path`. Afterwards `keep`
    checkpoints remain: this one and the newest of the others. Raises StorageError when the disk is
    full; older checkpoints are then untouched. Only the process that holds the run's lock may call it.
    """
    if step < 0 or keep < 1:
        raise ValueError(f"step {step} and keep {keep} given; needed are step >= 0 and keep >= 1")
    folder = Path(folder)
    path = folder / f"{_PREFIX}{step:012d}"
    new = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        with writing(path):
            folder.mkdir(parents=True, exist_ok=True)
            new.mkdir()
            write(new)
            _seal(new)
            if path.exists():  # a damaged one, or the same step done again after a resume
                os.replace(path, folder / f"{TEMPORARY}{uuid.uuid4().hex}")
            os.replace(new, path)
            sync(folder)
    finally:
        for unfinished in folder.glob(f"{TEMPORARY}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
    others = [other for other in _newest_first(folder) if other != path]
    for old in others[keep - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def _seal(folder: Path) -> None:
    """Write the checksums of all files of a folder, and everything to the disk."""
    files = sorted(folder.iterdir())
    if not files or not all(file.is_file() and not file.is_symlink() for file in files):
        raise ValueError("a checkpoint holds one or more plain files and no subfolder")
    for file in files:
        sync(file)
    atomic_write_text(folder / SUMS, "".join(f"{_sha256(file)}  {file.name}\n" for file in files))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def latest(folder: str | Path) -> Path | None:
    """The newest valid checkpoint, or None. Damaged ones are skipped with a logged warning."""
    for path in _newest_first(Path(folder)):
        fault = damage(path)
        if fault is None:
            return path
        _log.warning("checkpoint %s is damaged and not used: %s", path, fault)
    return None


def step_of(path: Path) -> int:
    """The environment step of a checkpoint, from its folder's name."""
    return int(path.name.removeprefix(_PREFIX))


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint, in words; None when all of its files are as they were written."""
    try:
        lines = read_file(path / SUMS, _MOST_SUMS).decode().splitlines()
        promised = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        present = {file.name for file in path.iterdir()} - {SUMS}
        if not promised or present != set(promised):
            odd = ", ".join(sorted(present.symmetric_difference(promised)))
            return f"its files are not those of {SUMS}: {odd or 'none'}"
        for name, digest in promised.items():
            file = path / name
            if file.is_symlink() or not file.is_file() or file.stat().st_size > MOST_BYTES:
                return f"{name} is no plain file of at most {MOST_BYTES} bytes"
            if _sha256(file) != digest:
                return f"{name} has changed since it was written"
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _newest_first(folder: Path) -> list[Path]:
    found = [path for path in folder.glob(f"{_PREFIX}*") if path.name.removeprefix(_PREFIX).isdigit()]
    return sorted(found, key=step_of, reverse=True)
