"""What the twin shield does, against its bars: exact, from readings, in wrong bodies, with wrong carbs, for a policy.

simglucose's own world (adult-sized meals for everybody, nobody treats lows), the 30 people, days that nothing was
chosen on. A bar that is missed stays where it is; the table says by how much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.frozen import NOTICE
from agents.load import load
from envs.faults import CarbError, Fault, PhantomMeal
from experiments.conformal import conformal_margin
from experiments.decisions import model_hash
from experiments.fleet import Cell
from experiments.metrics import episode_metrics
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.tables import Table, concat, write_table
from experiments.simulate import simulate
from twins.files import atomic_write_text

SEED, CHOICE_SEED = 62_000, 60_000
"""Of the days that rows are judged on, and of those that settings were chosen on: the floors under doubt by
`experiments.shield_frontier`, and the draws of the margin. Days of seed 61,000 were judged on before, with floors of 85
and 67 under doubt, and missed three bars; a first look at other floors was on them, too, so they are used no more."""
POLICY = "agents/policies/ppo/seed0"
_EXACT = "twin:floor_mg_dl=80"
_READINGS = "twin:floor_mg_dl=90,members=1,sd=0,uneaten_floor_mg_dl=none"
_OBSERVED = "twin:floor_mg_dl=80,members=1,sd=0,uneaten_floor_mg_dl=none"
DOUBTING = "twin:floor_mg_dl=90,members=1,sd=0,uneaten_floor_mg_dl=60"
"""Of the settings that meet the bars on the days of the choice the one that costs least: `shield_frontier`."""
_WRONG = "twin:floor_mg_dl=90,members=32,sd=0.2,uneaten_floor_mg_dl=none"
_WRONG_80 = "twin:floor_mg_dl=80,members=32,sd=0.2,uneaten_floor_mg_dl=none"
FLOOR_MG_DL, ALPHA = 80.0, 0.1
"""Of the margin: the floor that nine tenths of new bodies are to stay above."""
_TOO_MANY = (CarbError(0.0, bias=0.5),)
_PHANTOMS = (
    PhantomMeal(60.0, onset_min=360, duration_min=60, every_min=1440, jitter_min=500, chance=0.7),
    PhantomMeal(60.0, onset_min=940, duration_min=60, every_min=1440, jitter_min=400, chance=0.7),
)
"""1.4 a day: a quarter of all announcements."""
Bars = tuple[tuple[str, str, float], ...]


@dataclass(frozen=True)
class Row:
    """One agent in one world behind one shield. bars: (measure, "<=" or ">=", limit)."""

    name: str
    words: str
    agent: str
    shield: str
    days: float
    bars: Bars = ()
    replicas: int = 1
    draws: int = 1
    """How often everybody gets another twin: where bodies differ from their twins, each is a body of its own."""
    oracle: bool = False
    twin_error: float = 0.0
    faults: tuple[Fault, ...] = ()
    calibrated: bool = False
    """Whether a conformal margin, found on validation days and bodies, is added to the floor."""


_NO_LOW: Bars = (("lowest_mg_dl", ">=", 78.0), ("below_70_pct", "<=", 0.0))
_ALONE: Bars = (("below_70_pct", "<=", 0.05), ("lowest_mg_dl", ">=", 65.0), ("tir_pct", ">=", 92.0))
_BEHIND: Bars = (("below_70_pct", "<=", 0.1), ("tir_lost", "<=", 0.5), ("twin_acted_pct", "<=", 3.0))
ROWS: tuple[Row, ...] = (
    *(
        Row(f"exact-{agent}", f"true body and state, {agent}", f"hostile-{agent}", _EXACT, 7, _NO_LOW, oracle=True)
        for agent in ("max", "bang", "random", "meal", "evolved")
    ),
    Row("readings", "exact twin, state from readings", "hostile-max", _READINGS, 2, _ALONE, replicas=4),
    Row("readings-week", "the same for a week", "hostile-max", _READINGS, 7, _ALONE),
    Row("wrong-bodies", "bodies off from their twins by 20 %", "hostile-max", _WRONG, 2,
        (("below_54_pct", "<=", 0.1), ("episodes_below_40_pct", "<=", 0.0), ("episodes_below_54_pct", "<=", 5.0)),
        replicas=4, twin_error=0.2),
    Row("margin", "the same at floor 80 with a conformal margin", "hostile-max", _WRONG_80, 2,
        (("bodies_below_floor_pct", "<=", 100 * ALPHA),), draws=8, twin_error=0.2, calibrated=True),
    Row("no-margin", "the same at floor 80 without it", "hostile-max", _WRONG_80, 2, draws=8, twin_error=0.2),
    Row("carbs-trusted", "carbs counted 50 % too high, trusted", "hostile-max", _OBSERVED, 2, replicas=4,
        faults=_TOO_MANY),
    Row("carbs", "carbs counted 50 % too high, doubted", "hostile-max", DOUBTING, 2,
        (("episodes_below_54_pct", "<=", 0.0),), replicas=4, faults=_TOO_MANY),
    Row("phantoms-trusted", "a quarter of the meals phantom, trusted", "hostile-max", _OBSERVED, 2, replicas=4,
        faults=_PHANTOMS),
    Row("phantoms", "a quarter of the meals phantom, doubted", "hostile-max", DOUBTING, 2,
        (("episodes_below_40_pct", "<=", 0.0),), replicas=4, faults=_PHANTOMS),
    Row("doubting", "announcements right, but doubted", "hostile-max", DOUBTING, 2, replicas=4),
    Row("policy-rule", "the policy behind the rules", POLICY, "rule", 2, replicas=4),
    Row("policy", "the policy behind the twin", POLICY, _OBSERVED, 2, _BEHIND, replicas=4),
    Row("policy-doubting", "the policy behind a twin that doubts", POLICY, DOUBTING, 2, (("tir_lost", "<=", 5.0),),
        replicas=4),
    Row("basal-bolus-rule", "basal-bolus behind the rules", "basal-bolus", "rule", 2, replicas=4),
    Row("basal-bolus", "basal-bolus behind the twin", "basal-bolus", _OBSERVED, 2, replicas=4),
    Row("basal-bolus-doubting", "basal-bolus behind a twin that doubts", "basal-bolus", DOUBTING, 2, replicas=4),
    Row("planner", "the planner behind the rules", "planner", "rule", 2, replicas=4),
    Row("clairvoyant", "all meals known, no shield", "clairvoyant", "off", 2, replicas=4),
)  # fmt: skip
AGAINST = {"policy": "policy-rule", "policy-doubting": "policy-rule"}
"""Rows whose lost time in range is counted against another."""
MEASURES = {
    "lowest_mg_dl": "lowest", "episodes_below_40_pct": "runs <40, %", "episodes_below_54_pct": "runs <54, %",
    "bodies_below_floor_pct": "bodies <80, %", "below_54_pct": "<54, %", "below_70_pct": "<70, %",
    "tir_pct": "70-180, %", "tir_lost": "70-180 lost", "twin_acted_pct": "twin cut, %", "margin_mg_dl": "margin",
}  # fmt: skip


def world(row: Row, days: float | None = None, draw: int = 0, seed: int = SEED) -> ProtocolConfig:
    """The protocol of a row, for the 30 people; of a later draw with other twins and days. seed: of the days."""
    return load_protocol("simglucose-default").model_copy(
        update={
            "name": "shield-bars", "days": row.days if days is None else days, "replicas": row.replicas,
            "seed": seed + draw, "twin_error": row.twin_error,
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


def stamp(row: Row, seed: int = SEED) -> str:
    """What the episodes of a row hang on beside the sources."""
    return f"{row} {seed} {model_hash(load(row.agent))}"


def judge(folder: Path, out: Path, name: str, days: float | None) -> None:
    """Simulate one row and write a line an episode to the file `out`."""
    (row,) = (one for one in ROWS if one.name == name)
    simulate_row(row, out, days)


def simulate_row(row: Row, out: Path, days: float | None, seed: int = SEED) -> None:
    """Write a line for each episode of a row to the file `out`. seed: of the days."""
    agent: Any = load(row.agent)
    if row.oracle:
        agent.oracle = True
    shield, margin = row.shield, np.nan
    if row.calibrated:
        before = [
            world(row, days, draw, seed).model_copy(update={"split": "validation"})
            for draw in range(row.draws)
        ]
        lows = [simulate(agent, one, shield, None, row.faults).glucose_mg_dl.min(axis=1) for one in before]
        bodies = np.concatenate([low.reshape(row.replicas, -1).min(axis=0) for low in lows])
        margin = conformal_margin(bodies, FLOOR_MG_DL, ALPHA)
        shield = f"{shield},margin_mg_dl={margin:.2f}"
    found = [_episodes(row, agent, world(row, days, draw, seed), shield, draw) for draw in range(row.draws)]
    write_table(
        out, concat(found) | {"margin_mg_dl": np.full(sum(len(one["name"]) for one in found), margin)}
    )


def _episodes(row: Row, agent: Any, protocol: ProtocolConfig, shield: str, draw: int) -> Table:
    """A line for each episode of one draw of twins."""
    rollout = simulate(agent, protocol, shield, None, row.faults)
    n = len(rollout.failed_side)
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
    table["twin_acted_pct"] = 100 * (rollout.columns["reason"] == "twin").mean(axis=1)
    return table


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
        for name in ("below_54_pct", "below_70_pct", "tir_pct", "twin_acted_pct"):
            value[name] = float(mine[name].mean())
        other = AGAINST.get(row.name)
        value["tir_lost"] = np.nan
        if other in tables:
            value["tir_lost"] = float(tables[other]["tir_pct"].mean()) - value["tir_pct"]
        value["bars"] = [
            (name, sign, limit, value[name], _met(value[name], sign, limit, value["days"] == row.days))
            for name, sign, limit in row.bars
        ]
        found.append(value)
    return found


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


def write(tables: dict[str, Table], folder: Path, command: Sequence[str]) -> Path:
    """Write table.md into `folder`; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    heads = ["world, agent", "shield", "runs x days", "died low", "died high", *MEASURES.values(), "bars"]
    lines = [
        "# The twin shield against its bars", "", f"{NOTICE}", "", f"Made by `{' '.join(command)}`.", "",
        "simglucose's own meals for the 30 people, adult-sized for everybody, announced exactly but where a row says "
        "otherwise; lows are not treated. Glucose is true plasma, mg/dL. 'twin cut': share of control intervals in "
        "which the twin lowered a dose. 70-180 lost: against the same agent behind the rules. Died: below 10 or above "
        "600 mg/dL; the rest of the time counts as out of range. Floors under doubt were chosen on other days "
        "(`frontier.md`), after 85 and 67 had missed two bars on days that are used no more (one of 120 runs below 54 "
        "with carbs miscounted, 5.45 points lost). No bar bounds high glucose, nor does the shield: it "
        "only ever takes insulin away.", "",
        f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * (len(heads) - 3) + "---|",
    ]  # fmt: skip
    for one in measured(tables):
        row = one["row"]
        numbers = ["" if np.isnan(one[name]) else f"{one[name]:.2f}" for name in MEASURES]
        bars = "; ".join(
            f"{MEASURES[name].removesuffix(', %')} {sign} {limit:g}: {_verdict(value, met)}"
            for name, sign, limit, value, met in one["bars"]
        )
        size = [f"{one['episodes']} x {one['days']:g}", *map(str, one["died"])]
        lines.append(f"| {' | '.join([row.words, row.shield, *size, *numbers, bars])} |")
    path = folder / "table.md"
    atomic_write_text(path, "\n".join(lines) + "\n")
    return path
