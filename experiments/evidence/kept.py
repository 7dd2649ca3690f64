"""Bodies that were counted before, elsewhere or at another time: their rows stand in the table, and they are not lived
again.

The sampler's hash tells whether bodies and simulator are the same. The agent is told by its name alone: what was
counted must have been the policy that has this name today.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.load import label
from experiments.evidence import sampler
from experiments.fleet import Cell
from experiments.records.tables import Table, concat, read_table, select

BODIES, TABLE = "bodies.csv.gz", "table.md"


def read(folder: str | Path) -> Table:
    """The rows of a folder that `experiments.evidence.report.write` made.

    Raises ValueError where its bodies are of another sampler, and where there are none.
    """
    folder, own = Path(folder), sampler.sampler_hash()
    if not (folder / TABLE).is_file() or not (folder / BODIES).is_file():
        raise ValueError(f"{folder} holds no {TABLE} and {BODIES}; give a folder such as results/evidence")
    if f"hash `{own}`" not in (folder / TABLE).read_text("utf-8"):
        raise ValueError(
            f"the bodies of {folder} are not of this sampler ({own[:12]}), whose hash holds the simulator's, too; use "
            "the sources that they were counted with, or leave --beside out"
        )
    return read_table(folder / BODIES)


def made_by(folder: str | Path) -> str:
    """What made the rows of a folder, as its table says it."""
    text = (Path(folder) / TABLE).read_text("utf-8")
    return text.partition("Made by ")[2].partition(". Sampler D")[0]


def left(cells: Sequence[Cell], kept: Table) -> list[Cell]:
    """The cells that hold a body which is not among these rows."""
    return [cell for cell in cells if not _bodies(cell) <= _counted(cell, kept)]


def _bodies(cell: Cell) -> set[str]:
    given = cell.arguments
    return set(sampler.bodies(sampler.stratum(given["stratum"]), given["first"], given["count"]).ids)


def _counted(cell: Cell, kept: Table) -> set[str]:
    given = cell.arguments
    mine = select(
        kept, stratum=given["stratum"], lows=given["lows"], shield=given["shield"].partition(":")[0],
        agent=label(given["agent"]), days=given["days"],
    )  # fmt: skip
    return set(mine["person"].tolist())


def merged(kept: Table, new: Table) -> Table:
    """All rows, by the order of what was kept first; a body that is in both counts once, as it was counted last."""
    again = set(_keys(new))
    old = np.array([key not in again for key in _keys(kept)])
    return concat([{name: column[old] for name, column in kept.items()}, {name: new[name] for name in kept}])


def _keys(table: Table) -> list[tuple[str, ...]]:
    return list(
        zip(*(table[name].tolist() for name in ("shield", "agent", "stratum", "lows", "person")), strict=True)
    )
