"""How far the planner's search has converged: what a harder one still finds, in lived days.

The planner and the clairvoyant reference look for doses by drawn plans (`agents.planner`); neither is an optimum. Here
both live the same days with a sixteenth to 32 times the default's plans, and what they
are made to minimise is counted in the glucose that came of it. Where the curve is flat, a harder search gains nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.planner import Aim, Clairvoyant, Planner, Search
from experiments.decisions import model_hash
from experiments.fleet import Cell
from experiments.metrics import episode_metrics
from experiments.plots import style
from experiments.plots.convergence import curves
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.tables import Table, write_table
from experiments.simulate import simulate
from experiments.statistics import Interval, score_interval
from twins.files import atomic_write_bytes, atomic_write_text

SEED, DAYS, REPLICAS = 63_000, 2.0, 1
SEARCHES = (
    Search(12, 1, 4),
    Search(24, 2, 6),
    Search(),
    Search(96, 8, 12),
    Search(192, 12, 16),
    Search(384, 16, 24),
)
"""From easy to hard; population, turns, elite."""
AGENTS = {"clairvoyant": Clairvoyant, "planner": Planner}


@dataclass(frozen=True)
class Reached:
    """What a search led to. cost: mean of `lived_cost`; above_pct: beyond that of the hardest search, in % of it."""

    agent: str
    search: Search
    runs: int
    failed: int
    cost: float
    above_pct: Interval
    tir_pct: float
    below_70_pct: float

    @property
    def plans(self) -> int:
        """Plans that are tried for one dose."""
        return self.search.population * self.search.iterations


def world(days: float = DAYS) -> ProtocolConfig:
    """simglucose's own days for the 30 people, of a seed that nothing else uses."""
    changed = {"name": "convergence", "days": days, "replicas": REPLICAS, "seed": SEED}
    return load_protocol("simglucose-default").model_copy(update=changed)


def cells(days: float | None = None) -> list[Cell]:
    """A cell for each agent and search."""
    return [
        Cell(
            f"cells/{name}-{k}.csv",
            live,
            {"name": name, "k": k, "days": DAYS if days is None else days},
            stamp=f"{search} {SEED} {REPLICAS} {model_hash(AGENTS[name]())}",
        )
        for name in AGENTS
        for k, search in enumerate(SEARCHES)
    ]


def lived_cost(glucose_mg_dl: NDArray[np.float64], aim: Aim) -> NDArray[np.float64]:
    """What plans are to keep small, of glucose as it was, (n, K): mean of an episode, (mg/dL)^2, (n,)."""
    low = np.maximum(aim.low_mg_dl - glucose_mg_dl, 0.0) ** 2 * np.where(
        glucose_mg_dl < aim.grave_mg_dl, 3.0, 1.0
    )
    high = np.maximum(glucose_mg_dl - aim.high_mg_dl, 0.0) ** 2
    cost: NDArray[np.float64] = (aim.low_weight * low + high).mean(axis=1)
    return cost


def live(folder: Path, out: Path, name: str, k: int, days: float) -> None:
    """Live the days with one search, without a shield, and write a line an episode to the file `out`."""
    protocol = world(days)
    agent = AGENTS[name](SEARCHES[k])
    rollout = simulate(agent, protocol, "off")
    n = len(rollout.failed_side)
    table: Table = {
        "failed": (rollout.failed_side != "").astype(int),
        "person": np.arange(n) % (n // REPLICAS),
    }
    table |= episode_metrics(
        rollout.glucose_mg_dl, rollout.failed_side, rollout.failure_sample, protocol.sample_min,
        protocol.glucose_failure_low_mg_dl, protocol.glucose_failure_high_mg_dl,
    )  # fmt: skip
    table |= {"cost": lived_cost(rollout.glucose_mg_dl, Aim()), "days": np.full(n, days)}
    write_table(out, table)


def reached(tables: dict[str, Table]) -> list[Reached]:
    """A row for each search that was lived, beside the hardest of its agent. tables: by the name of the cell's file.

    Raises ValueError where an agent's hardest search is not among them.
    """
    found = []
    for name in AGENTS:
        mine = {k: tables[f"{name}-{k}"] for k in range(len(SEARCHES)) if f"{name}-{k}" in tables}
        if mine and len(SEARCHES) - 1 not in mine:
            raise ValueError(f"the hardest search of {name} is not done; run the command again, it goes on")
        for k, table in mine.items():
            hardest = mine[len(SEARCHES) - 1]["cost"]
            n = len(hardest)
            above = score_interval(
                100 * (table["cost"] - hardest) / hardest.mean(), table["person"], np.full(n, -1)
            )
            found.append(
                Reached(
                    name, SEARCHES[k], n, int(table["failed"].sum()), float(table["cost"].mean()), above,
                    float(table["tir_pct"].mean()), float(table["below_70_pct"].mean()),
                )
            )  # fmt: skip
    return found


def write(tables: dict[str, Table], folder: Path, command: Sequence[str]) -> Path:
    """Write convergence.md and convergence.svg into `folder`; returns the former."""
    folder.mkdir(parents=True, exist_ok=True)
    found = reached(tables)
    days = max(float(one["days"][0]) for one in tables.values())
    heads = (
        "agent", "population x turns", "plans a dose", "failed", "cost, (mg/dL)^2", "above the hardest, %", "<70, %",
        "70-180, %",
    )  # fmt: skip
    lines = [
        "# How far the planner's search has converged", "", NOTICE, "", f"Made by `{' '.join(command)}`.", "",
        f"The 30 people, {REPLICAS} episode(s) of {days:g} days each, simglucose's meals, no shield. Cost: what plans "
        "are to keep small (squares beyond 85 and 120 mg/dL, low ones weighted), of plasma glucose as it came true; "
        "95 % intervals over people, the same days. The default is "
        f"{Search().population} x {Search().iterations}. The clairvoyant knows body, state and all meals to come, so "
        "that its curve is the search's alone; the planner estimates its state from readings and foresees no meal. A "
        "flat curve is no proof of an optimum.", "",
        f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * (len(heads) - 2),
    ]  # fmt: skip
    lines += [
        f"| {one.agent} | {one.search.population} x {one.search.iterations} | {one.plans:,} | "
        f"{one.failed} of {one.runs} | {one.cost:,.1f} | {_words(one.above_pct)} | {one.below_70_pct:.2f} | "
        f"{one.tir_pct:.1f} |"
        for one in found
    ]
    path = folder / "convergence.md"
    atomic_write_text(path, "\n".join(lines) + "\n")
    drawn = {
        name: [(one.plans, one.above_pct) for one in found if one.agent == name]
        for name in AGENTS
        if any(one.agent == name for one in found)
    }
    atomic_write_bytes(
        folder / "convergence.svg", style.svg(curves(drawn, Search().population * Search().iterations))
    )
    return path


def _words(found: Interval) -> str:
    return f"{found.estimate:+.1f} [{found.low:+.1f}, {found.high:+.1f}]"
