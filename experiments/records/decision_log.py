"""An append-only log of decisions: one line of JSON each, chained by hashes.

    open       who decided for whom, on which protocol, with the hashes of agent and settings
    decision   one for each decision of each lane, see `experiments.decisions`
    close      the number of decisions

Every line holds under "previous" the SHA-256 of the line before (of 64 zeros the first). So a line that was edited,
deleted, added or moved is found at the line after it. The last line is known by what it says: a log without it was cut,
or its writer was killed. Who writes the whole log anew can only be found out by the hash of the last line, the head,
which an evaluation keeps in its summary.json.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from experiments.records.json_files import load_object
from twins.files import UnfitFile, read_file, sync, writing

FORMAT = 1
START = "0" * 64
MOST_BYTES, MOST_LINE_BYTES = 256 << 20, 1 << 16


class LogError(ValueError):
    """A log that was changed, or is none. The message names the line."""


class DecisionLog:
    """A log being written. Each line reaches the system before `write` returns, so that a process that is killed
    loses no more than the line it is at; `close` also forces it to the disk.

    Use as a context: the log is closed when the block ends, and left open, as after a kill, when it raises.
    Raises FileExistsError for a file that is there, StorageError when it cannot be written.
    """

    def __init__(self, path: str | Path, opening: Mapping[str, Any]) -> None:
        self.path, self.head, self.decisions = Path(path), START, 0
        if self.path.exists():
            raise FileExistsError(
                f"{self.path} is there already, and a log is never written over; give a new file"
            )
        with writing(self.path):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o666)
        try:
            self._append({"kind": "open", "format": FORMAT, **opening})
        except BaseException:
            os.close(self._descriptor)
            raise

    def write(self, decision: Mapping[str, Any]) -> None:
        """Add a decision; its values are plain, numbers that are not finite as `plain` gives them."""
        self._append({"kind": "decision", "n": self.decisions, **decision})
        self.decisions += 1

    def close(self) -> str:
        """Write the last line and give its hash, the head of the log."""
        self._append({"kind": "close", "decisions": self.decisions})
        with writing(self.path):
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            sync(self.path.absolute().parent)
        return self.head

    def _append(self, line: Mapping[str, Any]) -> None:
        data = _bytes({**line, "previous": self.head})
        with writing(self.path):
            left = data + b"\n"
            while left:
                left = left[os.write(self._descriptor, left) :]
        self.head = hashlib.sha256(data).hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            os.close(self._descriptor)


@dataclass(frozen=True)
class Log:
    """A log as it was read, its chain checked. unfinished: why it has no last line, in words; empty if it has one."""

    opening: dict[str, Any]
    decisions: tuple[dict[str, Any], ...]
    head: str
    unfinished: str


def read_log(path: str | Path, head: str | None = None) -> Log:
    """A log, every line of it checked. head: what the hash of the last line must be, of the evaluation's summary.json.

    A log that ends early, its last line torn or not, is given as far as it goes, with `unfinished` saying so. Raises
    LogError naming the first line that does not fit, FileNotFoundError.
    """
    path = Path(path)
    try:
        *whole, rest = read_file(path, MOST_BYTES).split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"no file {path}; give a log of scripts.evaluate --decision-log") from None
    except (OSError, UnfitFile) as error:
        raise LogError(f"{path} cannot be read as a log: {error}") from None
    lines, previous, closed = [], START, False
    for number, data in enumerate(whole, 1):
        line = _checked(path, number, data, previous)
        if closed:
            raise LogError(f"{path}, line {number}: it follows the last line; it was added")
        _check_place(path, number, line)
        closed = line["kind"] == "close"
        previous = hashlib.sha256(data).hexdigest()
        lines.append(line)
    if not lines:
        raise LogError(f"{path}: there is no whole line in it; it is no log of decisions")
    if closed and rest:
        raise LogError(f"{path}, line {len(whole) + 1}: it follows the last line; it was added")
    if head is not None and previous != head:
        raise LogError(
            f"{path}: the hash of its last line is {previous[:12]}..., that in the summary is {head[:12]}...; the log "
            "was cut, or written anew, or belongs to another evaluation"
        )
    torn = f", and line {len(whole) + 1} is torn" if rest else ""
    unfinished = "" if closed else f"it has no last line{torn}: it was cut, or its writer was killed"
    return Log(lines[0], tuple(line for line in lines if line["kind"] == "decision"), previous, unfinished)


def head_in_summary(folder: str | Path) -> str:
    """The hash of the last line of a log, as the summary of the evaluation in this folder keeps it.

    Raises FileNotFoundError, or ValueError where it keeps none.
    """
    path = Path(folder) / "summary.json"
    held = load_object(path, "give the folder of the evaluation").get("decision_log")
    if not isinstance(held, dict) or not isinstance(held.get("sha256"), str):
        raise ValueError(f"{path} knows of no decision log; give the folder of the evaluation that wrote it")
    return str(held["sha256"])


def _checked(path: Path, number: int, data: bytes, previous: str) -> dict[str, Any]:
    """A line that is written as this module writes, and follows the one before."""
    try:
        if len(data) > MOST_LINE_BYTES:
            raise ValueError(f"it has {len(data)} bytes")
        line = json.loads(data)
        if not isinstance(line, dict) or _bytes(line) != data:
            raise ValueError("it is not written as the log writes")
    except (ValueError, RecursionError) as error:
        raise LogError(f"{path}, line {number} is no line of a log ({error}); it was edited") from None
    if line.get("previous") != previous:
        where = "" if number == 1 else f"line {number - 1} was edited, or "
        raise LogError(
            f"{path}, line {number} does not follow: {where}lines were deleted, added or moved here"
        )
    return line


def _check_place(path: Path, number: int, line: Mapping[str, Any]) -> None:
    """Each kind of line at its place, and decisions counted."""
    kind = line.get("kind")
    if number == 1:
        fits = kind == "open" and line.get("format") == FORMAT
    elif kind == "close":
        fits = line == {"kind": "close", "decisions": number - 2, "previous": line["previous"]}
    else:
        fits = kind == "decision" and line.get("n") == number - 2
    if not fits:
        raise LogError(f"{path}, line {number} does not belong there (format {FORMAT}); it was edited")


def _bytes(line: Mapping[str, Any]) -> bytes:
    """The one way to write a line; floats come back bit for bit."""
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode()


def plain(value: float) -> float | str:
    """A number as the log holds it: those that are not finite as words."""
    return float(value) if math.isfinite(value) else str(float(value))
