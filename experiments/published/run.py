"""Agents on published protocols, the stomach as it erred then and as it is, scored as published and dead counted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent
from agents.frozen import FrozenPolicy
from agents.load import label, load
from experiments import fleet, people
from experiments.crew import Workers
from experiments.decisions import model_hash
from experiments.fleet import Cell
from experiments.metrics import episode_metrics, magni_risk, time_in_ranges
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat, read_table, write_table
from experiments.simulate import Rollout, simulate
from twins.bodies.glucose import COLUMN

PROTOCOLS = ("fox2020", "g2p2c", "emerson2023")
GUTS = ("legacy", "corrected")
SHIELDS = ("off", "rule")
"""The papers had none; the second is this project's."""
CLINICAL: dict[str, tuple[str, ...]] = {
    "fox2020": ("basal-bolus-fox2020", "pid"),
    "g2p2c": ("basal-bolus-g2p2c", "pid"),
    "emerson2023": ("basal-bolus-emerson2023", "pid"),
}
POLICIES = ROOT / "agents" / "policies"
SHARES = ("tir_pct", "below_70_pct", "below_54_pct", "above_180_pct", "above_250_pct")


def shipped() -> list[str]:
    """Folders of the policies that come with the project for these protocols, relative to its root."""
    return [
        str(path.relative_to(ROOT)) for name in PROTOCOLS for path in sorted(POLICIES.glob(f"ppo-{name}/*"))
    ]


def announced(agent: str) -> bool:
    """Whether an agent is told of meals where the protocol's own agents are not: of calculators of boluses."""
    return agent.startswith("basal-bolus")


def world(name: str, gut: str, agent: str, replicas: int | None = None) -> ProtocolConfig:
    """One of the protocols, for an agent that is or is not told of meals. replicas: other than its own."""
    protocol = load_protocol(name)
    changes: dict[str, object] = {"legacy_gut": gut == "legacy"}
    if announced(agent) and protocol.announce == "none":
        changes["announce"] = "behaviour"
    if replicas is not None:
        changes["replicas"] = replicas
    return protocol.model_copy(update=changes)


def cells(
    protocols: Sequence[str],
    policies: Sequence[str] = (),
    shields: Sequence[str] = SHIELDS,
    guts: Sequence[str] = GUTS,
    replicas: int | None = None,
) -> list[Cell]:
    """A cell for each protocol, stomach, shield and agent. policies: folders, each judged on the protocol whose days it
    was trained on.

    Raises ValueError for policies of other days.
    """
    made = []
    trained = {policy: _trained_for(policy) for policy in policies}
    for name in protocols:
        mine = [policy for policy in policies if trained[policy] == name]
        for agent in (*CLINICAL[name], *mine):
            for gut in guts:
                for shield in shields:
                    given = {
                        "protocol": name,
                        "gut": gut,
                        "shield": shield,
                        "agent": agent,
                        "replicas": replicas,
                    }
                    where = f"cells/{name}/{gut}/{shield}/{label(agent)}.csv"
                    made.append(Cell(where, judge, given, stamp=model_hash(load(agent))))
    return made


def _trained_for(policy: str) -> str:
    """The protocol whose days a policy was trained on."""
    held = load(policy)
    days = str(held.manifest.trained_on.get("protocol", "")) if isinstance(held, FrozenPolicy) else ""
    for name in PROTOCOLS:
        if Path(days).stem in (name, f"{name}-training"):
            return name
    raise ValueError(
        f"{policy} was trained on {days or 'days that are not known'}; needed is one of {', '.join(PROTOCOLS)}"
    )


def run(todo: Sequence[Cell], folder: str | Path, workers: Workers = None) -> tuple[Table, fleet.Flow]:
    """Do what is left of the cells; the rows of all that are done, and what became of them. ValueError if none is."""
    flow = fleet.run(todo, folder, workers)
    done = [read_table(Path(folder) / name) for name in flow.done]
    if not done:
        raise ValueError(f"no cell could be done; see {Path(folder) / 'failed'}")
    return concat(done), flow


def judge(
    folder: Path, out: Path, protocol: str, gut: str, shield: str, agent: str, replicas: int | None = None
) -> None:
    """Simulate one agent on one protocol and write a row for each person to the file `out`."""
    config = world(protocol, gut, agent, replicas)
    table = by_person(load(agent), config, shield)
    rows = len(table["person"])
    named = {"protocol": protocol, "gut": gut, "shield": shield, "agent": label(agent)}
    write_table(out, {name: np.full(rows, value) for name, value in named.items()} | table)


BATCH = 100
"""Replicas simulated before they are scored, so that long studies fit into memory."""


def by_person(agent: Agent, protocol: ProtocolConfig, shield: str) -> Table:
    """One row a person: episodes, failures, and means over episodes of what was scored twice.

    Columns end in `_published` where, as in the papers, interstitial glucose is scored and the time after a failure is
    not; an episode without any scored time is none of theirs. `tir_var`: variance between episodes of that time in
    range. `magni_group`, `magni_all`: medians of the risk, as published, of the episodes of the group and
    of everybody.
    """
    cohort = people.judged(protocol)
    parts = []
    for first in range(0, protocol.replicas, BATCH):
        many = min(BATCH, protocol.replicas - first)
        batch = protocol.model_copy(update={"replicas": many, "seed": protocol.seed + first // BATCH})
        rate = np.tile(cohort.parameters[:, COLUMN["ksc"]], many)
        parts.append(_episodes(simulate(agent, batch, shield, cohort), batch, rate))
    episodes = concat(parts)
    row = np.tile(np.arange(len(cohort)), protocol.replicas)
    table: Table = {
        "person": np.array(cohort.ids),
        "group": np.array([cohort.group(person) for person in range(len(cohort))]),
        "episodes": np.bincount(row),
        "failed": np.bincount(row, weights=episodes["failed"]).astype(int),
    }
    for name, column in episodes.items():
        by = [column[row == person] for person in range(len(cohort))]
        if name != "failed":
            table[name] = np.array([np.nanmean(one) if np.isfinite(one).any() else np.nan for one in by])
        if name == "tir_pct_published":
            scored = [one[np.isfinite(one)] for one in by]
            table["tir_var"] = np.array([one.var(ddof=1) if len(one) > 1 else np.nan for one in scored])
    risk, of_group = episodes["magni_published"], table["group"][row]
    table["magni_group"] = np.array([np.nanmedian(risk[of_group == group]) for group in table["group"]])
    table["magni_all"] = np.full(len(cohort), np.nanmedian(risk))
    return table


def interstitial(
    glucose_mg_dl: NDArray[np.float64], rate_per_min: NDArray[np.float64], interval_min: float
) -> NDArray[np.float64]:
    """Glucose (n, K) of the tissue fluid under a sensor, which follows that of the plasma (n, K) at a rate (n,).

    The twin's equation, exact for plasma that changes steadily between readings; begins in equilibrium.
    """
    step = rate_per_min * interval_min
    kept = np.exp(-step)
    newer = 1 - (1 - kept) / step  # weight of the reading at the end; the one before has the rest
    found = np.empty_like(glucose_mg_dl)
    found[:, 0] = glucose_mg_dl[:, 0]
    for k in range(1, found.shape[1]):
        plasma = (1 - kept - newer) * glucose_mg_dl[:, k - 1] + newer * glucose_mg_dl[:, k]
        found[:, k] = kept * found[:, k - 1] + plasma
    return found


def _episodes(rollout: Rollout, protocol: ProtocolConfig, rate_per_min: NDArray[np.float64]) -> Table:
    """One row an episode, scored twice."""
    dead = episode_metrics(
        rollout.glucose_mg_dl,
        rollout.failed_side,
        rollout.failure_sample,
        protocol.sample_min,
        protocol.glucose_failure_low_mg_dl,
        protocol.glucose_failure_high_mg_dl,
    )
    fluid = interstitial(rollout.glucose_mg_dl, rate_per_min, protocol.sample_min)
    lived: NDArray[np.float64] = np.where(rollout.alive, fluid, np.nan)
    some = np.isfinite(lived).any(axis=1)
    table: Table = {"failed": (rollout.failed_side != "").astype(int)}
    table |= {name: dead[name] for name in (*SHARES, "lbgi", "hbgi", "bgri")}
    shares = time_in_ranges(lived[some])
    for name in SHARES:
        table[f"{name}_published"] = np.full(len(lived), np.nan)
        table[f"{name}_published"][some] = shares[name]
    table["magni_published"] = np.full(len(lived), np.nan)
    table["magni_published"][some] = np.nanmean(magni_risk(lived[some]), axis=1)
    return table
