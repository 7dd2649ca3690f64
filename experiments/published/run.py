"""Agents on published protocols, the stomach as it erred then and as it is, scored as published and dead counted."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from agents.base import Agent
from agents.frozen import MANIFEST, FrozenPolicy
from agents.load import POLICIES, label, load
from experiments import metrics, people
from experiments.decisions import model_hash
from experiments.fleet import Cell
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.published import score
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat, write_table
from experiments.simulate import simulate
from twins.kernels import hash_of

PROTOCOLS = ("fox2020", "g2p2c", "emerson2023")
GUTS = ("legacy", "corrected")
SHIELDS = ("off", "rule")
"""The papers had none; the second is this project's."""
CLINICAL: dict[str, tuple[str, ...]] = {
    "fox2020": ("basal-bolus-fox2020", "pid"),
    "g2p2c": ("basal-bolus-g2p2c", "pid"),
    "emerson2023": ("basal-bolus-emerson2023", "pid"),
}


def shipped(protocols: Sequence[str]) -> list[str]:
    """Folders of the policies that come with the project for these protocols, relative to its root."""
    found = [
        path for name in dict.fromkeys(protocols) for path in sorted(POLICIES.glob(f"*-{name}/*/{MANIFEST}"))
    ]
    return [str(path.parent.relative_to(ROOT)) for path in found]


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

    Raises ValueError for policies of other days than those of these protocols.
    """
    made = []
    trained = {policy: _trained_for(policy, protocols) for policy in dict.fromkeys(policies)}
    for name in dict.fromkeys(protocols):
        mine = [policy for policy in trained if trained[policy] == name]
        for agent in (*CLINICAL[name], *mine):
            model = model_hash(load(agent))
            for gut in guts:
                lived = world(name, gut, agent, replicas).model_dump_json()
                for shield in dict.fromkeys(shields):
                    given = {
                        "protocol": name,
                        "gut": gut,
                        "shield": shield,
                        "agent": agent,
                        "replicas": replicas,
                    }
                    where = f"cells/{name}/{gut}/{shield}/{label(agent)}.csv"
                    made.append(Cell(where, judge, given, stamp=f"{lived} {model} {_scoring()}"))
    return made


@cache
def _scoring() -> str:
    """SHA-256 (hex) of how episodes are scored: rows that were scored otherwise are not taken for these."""
    return hash_of(Path(name).resolve() for name in (__file__, score.__file__, metrics.__file__))


def _trained_for(policy: str, protocols: Sequence[str]) -> str:
    """The protocol whose days a policy was trained on. Raises ValueError where it is none of these."""
    held = load(policy)
    days = str(held.manifest.trained_on.get("protocol", "")) if isinstance(held, FrozenPolicy) else ""
    for name in protocols:
        if Path(days).stem in (name, f"{name}-training"):
            return name
    raise ValueError(
        f"{policy} was trained on {days or 'days that are not known'}; needed is one of {', '.join(protocols)}"
    )


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
    """One row a person: episodes, failures, and means over episodes of what `score.episodes` says of each.

    `tir_var`: variance between episodes of the time in range, as published. `magni_group`, `magni_all`: medians of the
    risk, as published, of the episodes of the group and of everybody.
    """
    cohort = people.judged(protocol)
    parts = []
    for first in range(0, protocol.replicas, BATCH):
        many = min(BATCH, protocol.replicas - first)
        batch = protocol.model_copy(update={"replicas": many, "seed": protocol.seed + first // BATCH})
        parts.append(score.episodes(simulate(agent, batch, shield, cohort), batch, cohort))
    episodes = concat(parts)
    row = np.tile(np.arange(len(cohort)), protocol.replicas)
    table: Table = {
        "person": np.array(cohort.ids),
        "group": np.array([cohort.group(person) for person in range(len(cohort))]),
        "episodes": np.bincount(row),
    }
    for name, column in episodes.items():
        if name.startswith("failed"):
            table[name] = np.bincount(row, weights=column).astype(int)
            continue
        by = [column[(row == person) & np.isfinite(column)] for person in range(len(cohort))]
        table[name] = np.array([one.mean() if len(one) else np.nan for one in by])
        if name == "tir_pct_published":
            table["tir_var"] = np.array([one.var(ddof=1) if len(one) > 1 else np.nan for one in by])
    risk, of_group = episodes["magni_published"], table["group"][row]
    table["magni_group"] = np.array([np.nanmedian(risk[of_group == group]) for group in table["group"]])
    table["magni_all"] = np.full(len(cohort), np.nanmedian(risk))
    return table
