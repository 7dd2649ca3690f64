"""A study's work as independent cells, done by processes of this machine or of a cluster, each cell once.

A cell is finished when its mark lies in `done/`; whatever ends the fleet, a later call does what is left. The mark
holds a digest of the cell's arguments and of the simulator: results of other settings are never taken for its own.
A cell that fails is reported and spoils no other; cells that need it are refused, not guessed. What a cell writes
hangs on its arguments alone, so one process and eight write the same bytes.
"""

import hashlib
import json
import shutil
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.crew import Crew, Workers, checked, crew
from experiments.records.json_files import load_object
from experiments.records.lock import FolderLock
from experiments.records.simulator import simulator_hash
from twins.files import atomic_write_text, check_writable, writing

TRIES = 2
"""A process that dies takes its neighbours' cells with it, a worker of a cluster its own; each is tried again once."""

_REMEDY = "delete it, and the cell is done again"


@dataclass(frozen=True)
class Cell:
    """One piece of work: `work(folder, out, **arguments)` writes the folder or file `out` below the study's folder.

    name: the path of `out` there, and the cell's only identity. needs: names of cells that must be done before.
    goes_on: whether `work` can go on with what an interrupted attempt left; otherwise that is removed first.
    stamp: what the result hangs on beside these, such as a hash of a policy.
    """

    name: str
    work: Callable[..., None]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    goes_on: bool = False
    stamp: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what the result hangs on: the work, its arguments and the simulator's sources."""
        # The command is words for records.
        given = {name: value for name, value in self.arguments.items() if name != "command"}
        told = [f"{self.work.__module__}.{self.work.__qualname__}", given, simulator_hash()]
        if self.stamp:
            told.append(self.stamp)
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Flow:
    """What became of the cells, by name; failed and refused with the reason.

    done: in the order of the cells, whichever was done first.
    """

    done: tuple[str, ...]
    failed: dict[str, str]
    refused: dict[str, str]

    @property
    def attempted(self) -> int:
        """All cells that were asked for."""
        return len(self.done) + len(self.failed) + len(self.refused)


def run(
    cells: Sequence[Cell],
    folder: str | Path,
    workers: Workers = None,
    say: Callable[[str], None] | None = None,
) -> Flow:
    """Do the cells that are not done yet, in order as far as `needs` allow, as many at a time as there are workers.

    say: gets a line of progress for each (default: prints it).
    Raises ValueError for names given twice, needs that are no cells, and a folder whose cells were done with other
    settings or another simulator, FolderLocked when another fleet is at work
    in the folder, StorageError when it cannot be written, and for workers what `crew.crew` raises.
    """
    folder = Path(folder)
    _check(cells)
    whose = checked(workers)
    check_writable(folder, 50.0)
    with FolderLock(folder):
        return _Run(cells, folder, whose, say or _print).flow()


def _print(line: str) -> None:
    """At once, also into a file: who looks on wants to see where it is."""
    print(line, flush=True)


def is_done(folder: Path, cell: Cell) -> bool:
    """Whether a cell is finished. Raises ValueError when it was done with other arguments or another simulator."""
    path = _mark(folder, cell.name)
    if not path.is_file():
        return False
    if load_object(path, _REMEDY).get("digest") != cell.digest:
        raise ValueError(
            f"{cell.name} lies in {folder}, done with other settings or another version of the simulator; give another "
            f"folder, or delete this one (of this cell alone: {path})"
        )
    return True


def seconds_of(folder: Path, name: str) -> float:
    """What a cell took the last time that it was done or went on, NaN where it is not done."""
    path = _mark(folder, name)
    return float(load_object(path, _REMEDY)["seconds"]) if path.is_file() else float("nan")


def _mark(folder: Path, name: str) -> Path:
    return folder / "done" / f"{name.replace('/', '__')}.json"


def _check(cells: Sequence[Cell]) -> None:
    names = [cell.name for cell in cells]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"cells must have names of their own; given twice: {', '.join(twice)}")
    if lacking := sorted({need for cell in cells for need in cell.needs} - set(names)):
        raise ValueError(f"cells need what is no cell: {', '.join(lacking)}")


class _Run:
    """One pass over the cells; see `run`."""

    def __init__(
        self, cells: Sequence[Cell], folder: Path, workers: int | str, say: Callable[[str], None]
    ) -> None:
        self._cells = {cell.name: cell for cell in cells}
        self._folder, self._workers, self._say = folder, workers, say
        self._many = 1
        self._done = [name for name, cell in self._cells.items() if is_done(folder, cell)]
        self._failed: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._tries: dict[str, int] = {}
        self._left = [name for name in self._cells if name not in set(self._done)]
        self._spent: dict[str, list[float]] = {}  # seconds of the cells done, by their kind
        self._began = time.monotonic()

    def flow(self) -> Flow:
        """Do everything; what became of it."""
        if self._done:
            self._say(f"{len(self._done)} of {len(self._cells)} cells are done already")
        while self._left:
            with crew(self._workers) as mates:
                self._work(mates)
        done = set(self._done)
        return Flow(tuple(name for name in self._cells if name in done), self._failed, self._refused)

    def _work(self, mates: Crew) -> None:
        """Feed the crew until nothing is left, or it breaks as a whole."""
        running: dict[Future[float], str] = {}
        while True:
            self._many = mates.many
            for name in self._ready(set(running.values()))[: max(self._many - len(running), 0)]:
                running[mates.submit(_do, self._cells[name], self._folder)] = name
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                try:
                    self._finished(name, future.result())
                except Exception as error:
                    if not mates.is_lost(error):  # of the cell's own work: told, and the others go on
                        self._fails(name, *_told(error))
                        continue
                    self._broke(name)
                    if mates.whole:
                        for one in running.values():
                            self._broke(one)
                        return

    def _ready(self, running: set[str]) -> list[str]:
        """Cells that can begin now; those that never can are refused."""
        for name in list(self._left):
            if lost := [
                need for need in self._cells[name].needs if need in {**self._failed, **self._refused}
            ]:
                self._left.remove(name)
                self._refused[name] = f"needs {lost[0]}, which is not there"
        done = set(self._done)
        return [n for n in self._left if n not in running and done.issuperset(self._cells[n].needs)]

    def _finished(self, name: str, seconds: float) -> None:
        self._left.remove(name)
        self._done.append(name)
        self._spent.setdefault(_kind(name), []).append(seconds)
        self._tell(name, f"{seconds:.0f} s")

    def _broke(self, name: str) -> None:
        self._tries[name] = self._tries.get(name, 0) + 1
        if self._tries[name] >= TRIES:
            self._fails(name, "its process died, twice", "")

    def _fails(self, name: str, reason: str, trace: str) -> None:
        self._left.remove(name)
        self._failed[name] = reason
        path = self._folder / "failed" / f"{name.replace('/', '__')}.txt"
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_text(path, f"{reason}\n\n{trace}")
        self._tell(name, f"FAILED: {reason}")

    def _guess(self, name: str) -> float | None:
        """Seconds that a cell may take: the mean of its kind, or of those that do the same; None before any is done."""
        known = self._spent.get(_kind(name)) or [
            one for kind, many in self._spent.items() if _work(kind) == _work(name) for one in many
        ]
        return sum(known) / len(known) if known else None

    def _tell(self, name: str, what: str) -> None:
        gone = time.monotonic() - self._began
        guesses = [self._guess(one) for one in self._left]
        left = sum(one for one in guesses if one is not None) / self._many
        unknown = guesses.count(None)
        more = f" and {unknown} of unknown length" if unknown else ""
        count = len(self._cells) - len(self._left)
        self._say(
            f"[{_clock(gone)} gone, about {_clock(left)}{more} left] {count}/{len(self._cells)} {name}: {what}"
        )


def _kind(name: str) -> str:
    """Trainings, tunings and evaluations of one agent take about as long: the name without its last part."""
    return name.rpartition("/")[0]


def _work(name: str) -> str:
    """What a cell does: the first part of its name, such as train, tuned or cells."""
    return name.partition("/")[0]


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _told(error: Exception) -> tuple[str, str]:
    """An error of a cell's own work in a line, and at length; of one that a cluster handed on, what it handed on."""
    own = getattr(error, "cause", None)
    first = own if isinstance(own, Exception) else error
    return f"{type(first).__name__}: {first}", "".join(traceback.format_exception(error))


def _do(cell: Cell, folder: Path) -> float:
    """Work of a process: do one cell and mark it; the seconds it took."""
    began, out = time.monotonic(), folder / cell.name
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    if not cell.goes_on and out.exists():
        shutil.rmtree(out) if out.is_dir() else out.unlink()
    cell.work(folder, out, **cell.arguments)
    seconds = time.monotonic() - began
    mark = _mark(folder, cell.name)
    with writing(mark):
        mark.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(
        mark, json.dumps({"name": cell.name, "seconds": round(seconds, 1), "digest": cell.digest}) + "\n"
    )
    return seconds
