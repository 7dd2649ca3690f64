"""What the twin shield does, against its bars: exact, from readings, in wrong bodies, with wrong carbs, for a policy.

Worlds, agents and bars are those of `experiments.shield.rows`. A bar that is missed stays where it is; the table
says by how much.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from agents.load import load
from agents.planner import EVERY_MIN, Planner
from experiments.decisions import model_hash
from experiments.fleet import Cell
from experiments.metrics import episode_metrics
from experiments.people import judged
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.tables import Table, concat, write_table
from experiments.severe import severe
from experiments.shield.conformal import conformal_margin
from experiments.shield.rows import AGAINST, ALPHA, CHOSEN_MG_DL, FLOOR_MG_DL, PEOPLE, ROWS, Row
from experiments.simulate import simulate
from experiments.statistics import Interval, score_interval
from twins.cohort import BASAL_U_PER_H
from twins.files import atomic_write_text

MEASURES = {
    "lowest_mg_dl": "lowest", "episodes_below_40_pct": "runs <40, %", "episodes_below_54_pct": "runs <54, %",
    "bodies_below_floor_pct": "bodies <80, %", "episodes_very_high_pct": "runs >300 for 2 h, %",
    "below_54_pct": "<54, %", "below_70_pct": "<70, %", "tir_pct": "70-180, %", "tir_lost": "70-180 lost",
    "twin_acted_pct": "intervals cut, %", "decisions_cut_pct": "decisions cut, %", "margin_mg_dl": "margin",
}  # fmt: skip
_MEANS = ("below_54_pct", "below_70_pct", "tir_pct", "twin_acted_pct", "decisions_cut_pct")


def world(row: Row, days: float | None = None, draw: int = 0) -> ProtocolConfig:
    """The protocol of a row, for the 30 people; of a later draw with other twins and days."""
    return load_protocol("simglucose-default").model_copy(
        update={
            "name": "shield-bars", "days": row.days if days is None else days, "replicas": row.replicas,
            "seed": row.seed + draw, "twin_error": row.twin_error,
        }
    )  # fmt: skip


def cells(only: Sequence[str] | None = None, days: float | None = None) -> list[Cell]:
    """A cell for each row. Raises ValueError for rows that are not known."""
    known = [row.name for row in ROWS]
    if lost := [name for name in only or () if name not in known]:
        raise ValueError(f"unknown row {lost[0]!r}; known are {', '.join(known)}")
    return [
        Cell(
            f"cells/{row.name}.csv",
            judge,
            {"name": row.name, "days": days},
            stamp=stamp(row),
        )
        for row in ROWS
        if only is None or row.name in only
    ]


def stamp(row: Row) -> str:
    """What the episodes of a row hang on beside the sources; not what it is called, nor what it is held against."""
    return f"{replace(row, words='', bars=())} {FLOOR_MG_DL} {ALPHA} {model_hash(load(row.agent))}"


def judge(folder: Path, out: Path, name: str, days: float | None) -> None:
    """Simulate one row and write a line an episode to the file `out`."""
    (row,) = (one for one in ROWS if one.name == name)
    simulate_row(row, out, days)


def simulate_row(row: Row, out: Path, days: float | None) -> None:
    """Write a line for each episode of a row to the file `out`."""
    agent: Any = load(row.agent)
    if row.oracle:
        agent.oracle = True
    shield, margin = row.shield, np.nan
    if row.calibrated:
        before = [
            world(row, days, draw).model_copy(update={"split": "validation"}) for draw in range(row.draws)
        ]
        lows = [simulate(agent, one, shield, None, row.faults).glucose_mg_dl.min(axis=1) for one in before]
        bodies = np.concatenate([low.reshape(row.replicas, -1).min(axis=0) for low in lows])
        margin = conformal_margin(bodies, FLOOR_MG_DL, ALPHA)
        shield = f"{shield},margin_mg_dl={margin:.2f}"
    found = [_episodes(row, agent, world(row, days, draw), shield, draw) for draw in range(row.draws)]
    write_table(
        out, concat(found) | {"margin_mg_dl": np.full(sum(len(one["name"]) for one in found), margin)}
    )


def _episodes(row: Row, agent: Any, protocol: ProtocolConfig, shield: str, draw: int) -> Table:
    """A line for each episode of one draw of twins."""
    rollout = simulate(agent, protocol, shield, None, row.faults)
    n = len(rollout.failed_side)
    basal = np.tile(judged(protocol).therapy[:, BASAL_U_PER_H], row.replicas)
    table: Table = {"name": np.full(n, row.name)}
    table |= {f"died_{side}": (rollout.failed_side == side).astype(int) for side in ("low", "high")}
    table |= episode_metrics(
        rollout.glucose_mg_dl, rollout.failed_side, rollout.failure_sample, protocol.sample_min,
        protocol.glucose_failure_low_mg_dl, protocol.glucose_failure_high_mg_dl,
    )  # fmt: skip
    people = n // row.replicas
    table["body"] = draw * people + np.arange(n) % people
    table["days"] = np.full(n, protocol.days)
    table["lowest_mg_dl"] = rollout.glucose_mg_dl.min(axis=1)
    table["very_high"] = severe(rollout, protocol.sample_min, basal)["very_high"]
    cut = rollout.columns["reason"] == "twin"
    table["twin_acted_pct"] = 100 * cut.mean(axis=1)
    table["decisions_cut_pct"] = decisions_cut_pct(
        cut, _decides_every_min(agent, protocol) // protocol.sample_min
    )
    return table


def _decides_every_min(agent: Any, protocol: ProtocolConfig) -> int:
    """Minutes between an agent's decisions; of one that says nothing the sensor's."""
    if isinstance(agent, Planner):
        return EVERY_MIN
    return int(getattr(agent, "decision_min", protocol.sample_min))


def decisions_cut_pct(cut: NDArray[np.bool_], intervals: int) -> NDArray[np.float64]:
    """Share of decisions of which the shield lowered a dose in any of their `intervals`, in %, (n,). cut: (n, K)."""
    first = np.arange(0, cut.shape[1], intervals)
    share: NDArray[np.float64] = 100 * np.logical_or.reduceat(cut, first, axis=1).mean(axis=1)
    return share


def measured(tables: dict[str, Table]) -> list[dict[str, Any]]:
    """Measures of each row that was done, with its bars: (measure, sign, limit, value, met)."""
    found = []
    for row in ROWS:
        if row.name not in tables:
            continue
        mine = tables[row.name]
        low = mine["lowest_mg_dl"]
        value: dict[str, Any] = {
            "row": row, "days": float(mine["days"][0]), "episodes": len(low),
            "died": [int(mine[f"died_{side}"].sum()) for side in ("low", "high")], "lowest_mg_dl": low.min(),
            "episodes_below_40_pct": 100 * (low < 40).mean(), "episodes_below_54_pct": 100 * (low < 54).mean(),
        }  # fmt: skip
        value["bodies_below_floor_pct"] = bodies_below_floor_pct(mine)
        value["margin_mg_dl"] = float(mine["margin_mg_dl"][0])
        value["episodes_very_high_pct"] = 100 * mine["very_high"].mean()
        value |= {name: float(mine[name].mean()) for name in _MEANS}
        other = AGAINST.get(row.name)
        value["tir_lost"] = np.nan
        value["intervals"] = {name: by_people(mine[name], mine) for name in ("tir_pct", "decisions_cut_pct")}
        if other in tables:
            value["intervals"]["tir_lost"] = lost = tir_lost(tables[other], mine)
            value["tir_lost"] = lost.estimate
        value["bars"] = [
            (name, sign, limit, value[name], _met(value[name], sign, limit, value["days"] == row.days))
            for name, sign, limit in row.bars
        ]
        found.append(value)
    return found


def tir_lost(before: Table, behind: Table) -> Interval:
    """Points of time in range that a row loses against another. Raises ValueError where bodies or days differ."""
    if not all(np.array_equal(before[name], behind[name]) for name in ("body", "days")):
        raise ValueError(
            f"rows {before['name'][0]} and {behind['name'][0]} are not of the same bodies and days; run both again "
            "into a new folder"
        )
    return by_people(before["tir_pct"] - behind["tir_pct"], behind)


def by_people(values: NDArray[np.float64], table: Table) -> Interval:
    """Mean of a number of every episode with its interval, over people: with another twin a person stays one."""
    return score_interval(values, table["body"] % PEOPLE, np.full(len(values), -1))


def bodies_below_floor_pct(table: Table) -> float:
    """Share of the bodies that came below the floor in any of their episodes, in %."""
    low, body = table["lowest_mg_dl"], table["body"]
    worst = np.array([low[body == one].min() for one in np.unique(body)])
    return 100 * float((worst < FLOOR_MG_DL).mean())


def _met(value: float, sign: str, limit: float, whole: bool) -> bool | None:
    """Whether a bar is met; None where it cannot be said: other days were run, or the row it is compared with lacks."""
    if not whole or np.isnan(value):
        return None
    return bool(value <= limit) if sign == "<=" else bool(value >= limit)


def _verdict(value: float, met: bool | None) -> str:
    if met is None:
        return "not judged"
    return "met" if met else f"MISSED ({value:.2f})"


def _number(one: dict[str, Any], name: str) -> str:
    """A cell: empty where nothing was measured, with its interval where it has one."""
    if np.isnan(one[name]):
        return ""
    ends = one["intervals"].get(name)
    return f"{one[name]:.2f}" + (f" [{ends.low:.2f}, {ends.high:.2f}]" if ends else "")


def write(tables: dict[str, Table], folder: Path, command: Sequence[str]) -> Path:
    """Write table.md into `folder`; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    heads = ["world, agent", "shield", "runs x days", "died low", "died high", *MEASURES.values(), "bars"]
    lines = [
        "# The twin shield against its bars", "", f"{NOTICE}", "", f"Made by `{' '.join(command)}`.", "",
        "simglucose's own meals for the 30 people, adult-sized for everybody, announced exactly but where a row says "
        "otherwise; lows are not treated. Glucose is true plasma, mg/dL. Intervals cut: control intervals of 5 min in "
        "which the twin lowered a dose (what rules cut is not counted); decisions cut: decisions with one of them, "
        "also after a death. The policy decides every half hour, the planner every quarter, all others every 5 min. "
        "70-180 lost: against the same agent behind the rules. Brackets: 95 % intervals over people; bars are put to "
        "the estimates. Died: below 10 or above 600 mg/dL; the rest of the time counts as out of range. Floors under "
        "doubt were chosen on other days (`frontier.md`), after 85 and 67 had missed two bars on days that are used no "
        "more (one of 120 runs below 54 with carbs miscounted, 5.45 points lost). The policy's floor of "
        f"{CHOSEN_MG_DL} is the highest of those tried on days to choose by that met all of its bars there. No bar "
        "bounds high glucose, nor does the shield: it only ever takes insulin away.", "",
        f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * (len(heads) - 3) + "---|",
    ]  # fmt: skip
    for one in measured(tables):
        row = one["row"]
        numbers = [_number(one, name) for name in MEASURES]
        bars = "; ".join(
            f"{MEASURES[name].removesuffix(', %')} {sign} {limit:g}: {_verdict(value, met)}"
            for name, sign, limit, value, met in one["bars"]
        )
        size = [f"{one['episodes']} x {one['days']:g}", *map(str, one["died"])]
        lines.append(f"| {' | '.join([row.words, row.shield, *size, *numbers, bars])} |")
    path = folder / "table.md"
    atomic_write_text(path, "\n".join(lines) + "\n")
    return path
