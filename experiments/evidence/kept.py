"""Bodies that were counted before, elsewhere or at another time: their rows stand in the table, and they are not lived
again.

The sampler's hash tells whether bodies and simulator are the same, the policy's whether it is the one of this name
today. Hostile agents are told by their names alone.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.load import label
from experiments.evidence import count, sampler
from experiments.fleet import Cell
from experiments.records.tables import Table, concat, read_table
from twins.files import read_file

BODIES, TABLE = "bodies.csv.gz", "table.md"
_MOST_BYTES = 1 << 20
"""Of the table."""
COLUMNS = (
    "stratum", "lows", "shield", "agent", "person", "group", "days", "died", "lowest_mg_dl", "very_low", "very_high",
    "very_high_min", "starved_hours", "starved_and_high_hours", "below_54_pct", "below_70_pct", "tir_pct",
    "shield_changed_pct",
)  # fmt: skip


def read(folder: str | Path) -> Table:
    """The rows of a folder that `experiments.evidence.report.write` made.

    Raises ValueError where its bodies are of another sampler or policy, where a column lacks, and where there are none.
    """
    folder = Path(folder)
    if not (folder / TABLE).is_file() or not (folder / BODIES).is_file():
        raise ValueError(f"{folder} holds no {TABLE} and {BODIES}; give a folder such as results/evidence")
    said = _said(folder)
    for what, own, holds in (
        ("this sampler", sampler.sampler_hash(), "the simulator's, too"),
        (f"the policy {count.POLICY}", count.policy_hash(), "its weights'"),
    ):
        if f"`{own}`" not in said:
            raise ValueError(
                f"the bodies of {folder} are not of {what} ({own[:12]}), whose hash holds {holds}; use the sources "
                "that they were counted with, or leave --beside out"
            )
    table = read_table(folder / BODIES)
    if lost := [name for name in COLUMNS if name not in table]:
        raise ValueError(
            f"{folder / BODIES} has no column {', '.join(lost)}; give a folder that scripts.evidence wrote"
        )
    return table


def made_by(folder: str | Path) -> list[str]:
    """The commands that made the rows of a folder, as its table says it, the last first."""
    return re.findall(r"^- `(.+)`$", _said(Path(folder)), re.M)


def _said(folder: Path) -> str:
    """The text of the table. Raises UnfitFile for what is too large."""
    return read_file(folder / TABLE, _MOST_BYTES).decode("utf-8", errors="replace")


def left(cells: Sequence[Cell], kept: Table) -> list[Cell]:
    """The cells that hold a body which is not among these rows."""
    counted, most = set(_keys(kept, "days")), dict[str, int]()
    for given in (cell.arguments for cell in cells):
        most[given["stratum"]] = max(most.get(given["stratum"], 0), given["first"] + given["count"])
    ids = {name: sampler.bodies(sampler.stratum(name), 0, many).ids for name, many in most.items()}

    def whole(given: Mapping[str, Any]) -> bool:
        row = given["shield"].partition(":")[0], label(given["agent"]), given["stratum"], given["lows"]
        bodies = ids[given["stratum"]][given["first"] : given["first"] + given["count"]]
        return all((*row, body, given["days"]) in counted for body in bodies)

    return [cell for cell in cells if not whole(cell.arguments)]


def merged(kept: Table, new: Table) -> Table:
    """All rows, by the order of what was kept first; a body that is in both counts once, as it was counted last."""
    again = set(_keys(new))
    old = np.array([key not in again for key in _keys(kept)])
    return concat([{name: column[old] for name, column in kept.items()}, {name: new[name] for name in kept}])


def _keys(table: Table, *further: str) -> list[tuple[Any, ...]]:
    """What tells bodies of a table apart, a row each."""
    names = ("shield", "agent", "stratum", "lows", "person", *further)
    return list(zip(*(table[name].tolist() for name in names), strict=True))
