"""Work for the tests of the fleet; in a module of its own, so that spawned processes can import it."""

import os
import signal
import time
from pathlib import Path


def write(folder: Path, out: Path, text: str = "x", seconds: float = 0.0) -> None:
    """A folder with one file, after a while."""
    _count(folder, out)
    time.sleep(seconds)
    out.mkdir()
    (out / "text.txt").write_text(text)


def fail(folder: Path, out: Path) -> None:
    """A cell whose work is wrong."""
    out.mkdir()
    (out / "half.txt").write_text("half")
    raise ValueError("this cell cannot be done")


def die(folder: Path, out: Path) -> None:
    """A cell whose process is killed each time."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(folder: Path, out: Path, memory: str) -> None:
    """A cell whose process is killed the first time."""
    if not Path(memory).exists():
        Path(memory).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    write(folder, out)


def go_on(folder: Path, out: Path) -> None:
    """A cell that goes on with what is there: it appends a line."""
    out.mkdir(exist_ok=True)
    with open(out / "lines.txt", "a") as file:
        file.write("line\n")
    if (out / "lines.txt").read_text().count("line") < 2:
        raise RuntimeError("interrupted")


def tell_and_wait(folder: Path, out: Path) -> None:
    """A cell that says which process does it, and takes long."""
    (folder / "worker").write_text(str(os.getpid()))
    time.sleep(120)


def wait_the_first_time(folder: Path, out: Path) -> None:
    """A cell that takes long the first time, and says which process does it."""
    if not (folder / "worker").exists():
        _count(folder, out)
        tell_and_wait(folder, out)
    write(folder, out)


def calls(folder: Path, name: str) -> int:
    """How often a cell was begun."""
    path = folder / f"{name.replace('/', '__')}.calls"
    return len(path.read_text()) if path.is_file() else 0


def _count(folder: Path, out: Path) -> None:
    with open(folder / f"{out.parent.name}__{out.name}.calls", "a") as file:
        file.write("x")


def copy(folder: Path, out: Path, source: str) -> None:
    """A cell that reads a file by a relative name."""
    out.write_text(Path(source).read_text())
