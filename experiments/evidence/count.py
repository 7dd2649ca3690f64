"""Simulate bodies of a stratum and count, body by body, what came to pass. The work of one cell."""

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.load import label, load
from envs.setting import FAILURE_HIGH_MG_DL, FAILURE_LOW_MG_DL
from experiments.decisions import model_hash
from experiments.evidence import sampler
from experiments.fleet import Cell
from experiments.metrics import episode_metrics
from experiments.records.tables import Table, write_table
from experiments.severe import severe
from experiments.simulate import Rollout, simulate
from twins.cohort import BASAL_U_PER_H

POLICY = "agents/policies/ppo-history/fold0-seed0"
"""The shipped policy whose rows have bounds."""
HOSTILE = ("hostile-max", "hostile-min", "hostile-bang", "hostile-random", "hostile-meal", "hostile-evolved")
BASELINE = "planner"
"""Stands beside the hostile agents; the other baseline, the shield alone, is hostile-max behind the twin shield."""
TWIN = "twin:above_basal_only=true"
RULE_BODIES, SEEN_BODIES, HOSTILE_BODIES, HOSTILE_DAYS = 3000, 30, 60, 7.0
TWIN_BODIES = {"untreated": 300, "treated": 96}
"""By who treats lows; a body takes half a minute of a core, and lows that nobody treats are the harder case."""
RULE_CHUNK, TWIN_CHUNK = 60, 12
"""Bodies of a cell: as many as a process holds in memory for 35 days."""
TWIN_STRATA = ("drawn", "error-20", "faults", "seen")
VERY_LOW_MG_DL = 40.0


def cells(bodies: float = 1.0) -> list[Cell]:
    """All there is to do. bodies: share of the bodies of each row, for a smaller look."""
    made: list[Cell] = []
    for one in sampler.STRATA:
        for lows in sampler.LOWS:
            of_rule, of_twin = (RULE_BODIES, TWIN_BODIES[lows]) if one.drawn else (SEEN_BODIES, SEEN_BODIES)
            made += _row(one, lows, "rule", POLICY, of_rule, RULE_CHUNK, sampler.DAYS, bodies)
            if one.name in TWIN_STRATA:
                made += _row(one, lows, TWIN, POLICY, of_twin, TWIN_CHUNK, sampler.DAYS, bodies)
    for agent in (*HOSTILE, BASELINE):
        for name, shields in (("drawn", ("rule", TWIN)), ("error-20", ("rule", TWIN))):
            for shield in shields:
                one, chunk = sampler.stratum(name), TWIN_CHUNK if shield == TWIN else RULE_CHUNK
                made += _row(one, "untreated", shield, agent, HOSTILE_BODIES, chunk, HOSTILE_DAYS, bodies)
    return made


@cache
def policy_hash() -> str:
    """SHA-256 (hex) of the shipped policy, weights and all."""
    return model_hash(load(POLICY))


@cache
def _stamp(agent: str) -> str:
    """What all rows of an agent hang on beside their arguments."""
    return f"{sampler.sampler_hash()} {model_hash(load(agent))}"


def _row(
    one: sampler.Stratum, lows: str, shield: str, agent: str, many: int, chunk: int, days: float, share: float
) -> list[Cell]:
    count = max(int(many * share), 3)
    stamp = _stamp(agent)
    named = (
        f"{one.name}/{lows}/{shield.partition(':')[0]}/{agent.rsplit('/', 2)[-2] if '/' in agent else agent}"
    )
    return [
        Cell(
            f"cells/{named}/{first:04d}.csv",
            count_cell,
            {
                "stratum": one.name, "lows": lows, "shield": shield, "agent": agent, "days": days,
                "first": first, "count": min(chunk, count - first),
            },
            stamp=stamp,
        )
        for first in range(0, count, chunk)
    ]  # fmt: skip


def lost(cells: Sequence[Cell], done: Collection[str]) -> dict[tuple[str, ...], int]:
    """Bodies that could not be counted, by shield, agent, stratum and treatment of lows."""
    missing: dict[tuple[str, ...], int] = {}
    for cell in cells:
        if cell.name not in done:
            given = cell.arguments
            key = given["shield"].partition(":")[0], label(given["agent"]), given["stratum"], given["lows"]
            missing[key] = missing.get(key, 0) + given["count"]
    return missing


def count_cell(
    folder: Path,
    out: Path,
    stratum: str,
    lows: str,
    shield: str,
    agent: str,
    days: float,
    first: int,
    count: int,
) -> None:
    """Simulate bodies `first` ... of a stratum once and write a row for each to the file `out`."""
    one = sampler.stratum(stratum)
    protocol, cohort = sampler.life(one, lows, days), sampler.bodies(one, first, count)
    rollout = simulate(load(agent), protocol, shield, cohort, one.faults)
    n = len(cohort)
    constant = {"stratum": stratum, "lows": lows, "shield": shield.partition(":")[0], "agent": label(agent)}
    table: Table = {name: np.full(n, value) for name, value in constant.items()}
    table |= {
        "person": np.array(cohort.ids), "group": np.array([cohort.group(row) for row in range(n)]),
        "days": np.full(n, days),
        **outcomes(rollout, protocol.sample_min, cohort.therapy[:, BASAL_U_PER_H]),
    }  # fmt: skip
    write_table(out, table)


def outcomes(rollout: Rollout, interval_min: int, basal_u_per_h: NDArray[np.float64]) -> Table:
    """Of every body: did it die, how low and how long high, hours of starvation, shares of the time it lived.

    After a death the rest of the time counts on its side.
    """
    glucose, sides = rollout.glucose_mg_dl, rollout.failed_side
    scored = np.where(rollout.alive, glucose, np.where(sides == "low", 0.0, 1000.0)[:, None])
    metrics = episode_metrics(
        glucose, sides, rollout.failure_sample, interval_min, FAILURE_LOW_MG_DL, FAILURE_HIGH_MG_DL
    )
    return {
        "died": sides,
        "lowest_mg_dl": np.where(sides == "low", 0.0, scored.min(axis=1)),
        "very_low": (scored.min(axis=1) < VERY_LOW_MG_DL).astype(int),
        **severe(rollout, interval_min, basal_u_per_h),
        **{name: metrics[name] for name in ("below_54_pct", "below_70_pct", "tir_pct")},
        "shield_changed_pct": rollout.shield_changed_pct,
    }
