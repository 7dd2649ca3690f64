"""A command whose cells end in one table: do what is left, write table.md, print it, or say what could not be done."""

from collections.abc import Callable, Sequence
from pathlib import Path

from experiments import command, fleet
from experiments.crew import Workers
from experiments.fleet import Cell
from twins.files import atomic_write_text


def tabled(
    cells: Sequence[Cell], folder: Path, workers: Workers, words: Callable[[Sequence[str]], str]
) -> int:
    """The exit code: 1 when a cell failed. words: the table as Markdown, from the names of the cells."""
    flow = fleet.run(cells, folder, workers)
    if flow.failed:
        print("\n".join(f"{name}: {reason}" for name, reason in flow.failed.items()))
        return 1
    text = words([cell.name for cell in cells])
    atomic_write_text(folder / "table.md", text)
    print(text)
    print(command.NOTICE)
    return 0
