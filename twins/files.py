"""Writing so that a file is either the old one or the new one, whole, and reading so that no file takes all memory.

Order of steps as in Pillai and others, "All file systems are not created equal", OSDI 2014: temporary
file in the same folder, flush, fsync, rename, fsync of the folder.
"""

import errno
import gzip
import io
import os
import shutil
import stat
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".tmp-"
"""Beginning of the names of unfinished files and folders; whatever bears it may be deleted."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MB = 1 << 20


class StorageError(OSError):
    """A folder cannot be written, or the disk is full. The message says which, and what to do."""


def atomic_write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, replacing what was there only when all of it is safely on the disk.

    Raises StorageError when the disk is full or the folder cannot be written; an older file at `path`
    is then unchanged and nothing half-written is left.
    """
    with atomic_path(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)


def atomic_write_text(path: str | Path, text: str) -> None:
    """Like `atomic_write_bytes`, for text (UTF-8, newlines as given)."""
    atomic_write_bytes(path, text.encode())


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary name beside `path` for code that writes a file by name; it becomes `path` at the end.

    If the block raises, the temporary file goes and `path` keeps what it held.
    Example: ``with atomic_path("figure.png") as name: figure.savefig(name, format="png")``.
    """
    path = Path(path)
    temporary = path.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        with writing(path):
            yield temporary
            sync(temporary)
            os.replace(temporary, path)
            sync(path.parent)
    finally:
        if temporary.exists():
            temporary.unlink()


class UnfitFile(ValueError):
    """A file that is not read: no plain file, larger than allowed, or damaged. The message says which."""


def read_file(path: str | Path, most: int, unpack: bool = False) -> bytes:
    """The contents of a plain file of at most `most` bytes.

    unpack: a gzip file is given unpacked; `most` then holds for what is in it, which is counted as it is unpacked.
    Raises UnfitFile, at once for a pipe, a device, a folder, or what is too large; FileNotFoundError and other OSErrors
    as `open` does.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe without a writer: no waiting
    try:
        held = os.fstat(descriptor)
        if not stat.S_ISREG(held.st_mode):
            raise UnfitFile(f"{path} is no plain file; give one")
        if held.st_size > most:
            raise UnfitFile(f"{path} has {held.st_size} bytes; such a file has at most {most}. Do not use it")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(most + 1)
    finally:
        os.close(descriptor)
    if unpack and data[:2] == b"\x1f\x8b":
        data = _unpacked(path, data, most)
    if len(data) > most:
        raise UnfitFile(f"{path} holds more than {most} bytes; do not use it")
    return data


def _unpacked(path: str | Path, data: bytes, most: int) -> bytes:
    """What a gzip file holds, or its first `most` + 1 bytes."""
    parts, left = [], most + 1
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while left and (part := file.read(min(left, _MB))):
                parts.append(part)
                left -= len(part)
    except (OSError, EOFError, zlib.error) as error:
        raise UnfitFile(f"{path} is not a gzip file ({error}); get it again") from None
    return b"".join(parts)


def sync(path: Path) -> None:
    """Force a file, or a folder's list of names, from the system's memory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's errors within the block into a StorageError about `path`."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(
                f"no room on the disk to write {path} ({error.strerror}); what was there before is "
                "unchanged. Free some space, or choose a folder on another disk"
            ) from error
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            raise StorageError(f"cannot write {path}: a file is where a folder is needed. Choose another") from error
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}. Choose a folder that you may write to"
        ) from error


def check_writable(folder: str | Path, need_mb: float = 50.0) -> None:
    """Make `folder` if needed and prove that files of `need_mb` in all fit into it.

    Raises StorageError otherwise. To be called before hours of work, not after.
    """
    folder = Path(folder)
    probe = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            free_mb = shutil.disk_usage(folder).free / _MB
            if free_mb < need_mb:
                raise StorageError(
                    f"the disk of {folder} has {free_mb:.0f} MB free, needed are {need_mb:.0f} MB. "
                    "Free some space, or choose a folder on another disk"
                )
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _claim(descriptor, max(int(need_mb * _MB), 1))  # also finds quotas and limits of file size
            finally:
                os.close(descriptor)
    finally:
        if probe.parent.is_dir():
            probe.unlink(missing_ok=True)


def _claim(descriptor: int, size: int) -> None:
    """Reserve `size` bytes for an open file where the system can do that; write one byte elsewhere."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
        os.write(descriptor, b"\0")
