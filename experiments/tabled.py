"""A command whose cells end in one table: do what is left, write table.md, print it, or say what could not be done."""

from collections.abc import Callable, Sequence
from pathlib import Path

from experiments import command, fleet
from experiments.crew import Workers
from experiments.fleet import Cell, Flow
from experiments.records.tables import Table, concat, read_table
from twins.files import atomic_write_text


def rows_of(todo: Sequence[Cell], folder: str | Path, workers: Workers = None) -> tuple[Table, Flow]:
    """Do what is left of cells that each write a table; the rows of all that are done, and what became of the cells.

    Raises ValueError where none could be done.
    """
    folder = Path(folder)
    flow = fleet.run(todo, folder, workers)
    done = [read_table(folder / name) for name in flow.done]
    if not done:
        raise ValueError(f"no cell could be done; see {folder / 'failed'}")
    return concat(done), flow


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
