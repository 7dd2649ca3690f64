"""The battery as cells of a fleet: each is one agent in one case, for everybody; the fault-free one is "none"."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.base import Agent
from agents.broken import broken
from agents.frozen import FrozenPolicy
from agents.hostile import HOSTILE
from agents.load import label, load
from envs.faults import AgentFault, Case, cases
from envs.roster import Roster
from envs.shield import NAMES as SHIELDS
from envs.shield.twin import named
from experiments import people
from experiments.battery.outcomes import outcomes
from experiments.decisions import model_hash
from experiments.fleet import Cell
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.tables import Table, write_table
from experiments.simulate import setting_of, simulate
from experiments.watchdog import Watchdog
from twins.cohort import Cohort
from twins.words import near_miss

NONE = "none"
DAYS, REPLICAS, SEED = 7.0, 1, 24_000
"""Length of an episode, episodes a person, and the seed of their days, which no protocol uses."""
DRAWN_PER_GROUP = 10


def world(
    days: float = DAYS, replicas: int = REPLICAS, drawn_per_group: int = DRAWN_PER_GROUP
) -> ProtocolConfig:
    """The world that faults are put into: right settings, exact announcements, meals by weight, no lows treated."""
    return load_protocol("realistic-untreated").model_copy(
        update={
            "name": "battery", "therapy_error": 0.0, "behaviour": "exact", "announce": "exact", "warmup_days": 0.0,
            "days": days, "replicas": replicas, "drawn_per_group": drawn_per_group, "seed": SEED,
        }
    )  # fmt: skip


def cells(
    agents: Sequence[str],
    shields: Sequence[str] = ("rule",),
    faults: Sequence[str] | None = None,
    persons: Sequence[str] | None = None,
    days: float = DAYS,
    replicas: int = REPLICAS,
    drawn_per_group: int = DRAWN_PER_GROUP,
    guarded: Sequence[str] = (),
) -> list[Cell]:
    """What there is to do. persons: only these; default: all of the table and drawn ones whom no agent has met.

    Hostile agents are judged in F24, others in the other cases, unless `faults` names the cases. guarded: agents that
    are judged behind the twin shield, too; the hostile one that asks for the most is there the shield alone. Raises
    ValueError
    for words that are not known, numbers out of range, and when nobody is left.
    """
    for flag, number, least in (
        ("--days", days, 0.05),
        ("--replicas", replicas, 1),
        ("--drawn", drawn_per_group, 0),
    ):
        if not number >= least:
            raise ValueError(f"{flag} is {number}; give {least} or more")
    for shield in shields:
        if named(shield)[0] not in SHIELDS:
            raise ValueError(
                f"shield is {shield!r}{near_miss(shield, SHIELDS)}; allowed are {', '.join(SHIELDS)}"
            )
    chosen = cases(faults)
    for one in chosen if faults is not None else ():
        if not one.faults and not (one.number == "F24" and {*agents, *guarded} & set(HOSTILE)):
            raise ValueError(
                f"{one.name} ({one.words}) is no fault to put into a day; F24: give a hostile agent, such as --agent "
                "hostile-max; F25: see tests/safety/test_hostile_files.py"
            )
    pairs = [(agent, shield) for agent in agents for shield in shields]
    pairs += [(agent, "twin") for agent in guarded]
    who = _unmet([load(agent) for agent, _ in pairs], world(days, replicas, drawn_per_group), persons)
    made = []
    for agent, shield in dict.fromkeys(pairs):
        stamp = model_hash(load(agent))
        for case in (None, *chosen):
            if case is not None and not _fits(case, agent, faults is not None):
                continue
            name = NONE if case is None else case.name
            made.append(
                Cell(
                    f"cells/{label(agent)}-{shield.replace(':', '-')}/{name}.csv",
                    judge,
                    {
                        "agent": agent, "shield": shield, "case": name, "persons": who, "days": days,
                        "replicas": replicas, "drawn_per_group": drawn_per_group,
                    },
                    stamp=f"{case} {stamp}",
                )
            )  # fmt: skip
    return made


def _fits(case: Case, agent: str, asked: bool) -> bool:
    if not case.faults:
        return case.number == "F24" and agent in HOSTILE
    return asked or agent not in HOSTILE


def _unmet(agents: Sequence[Agent], protocol: ProtocolConfig, persons: Sequence[str] | None) -> list[str]:
    """Ids of those judged."""
    everybody = people.judged(protocol).ids
    if persons is not None:
        for person in persons:
            if person not in everybody:
                raise ValueError(
                    f"nobody is called {person!r}{near_miss(person, everybody)}; give ids such as adult#001"
                )
        return list(persons)
    met = {
        person
        for agent in agents
        if isinstance(agent, FrozenPolicy)
        for person in agent.manifest.trained_on.get("people", ())
    }
    if left := [person for person in everybody if person not in met]:
        return left
    raise ValueError("between them the policies have met everybody; judge fewer at a time, or give --person")


def judge(
    folder: Path,
    out: Path,
    agent: str,
    shield: str,
    case: str,
    persons: Sequence[str],
    days: float,
    replicas: int,
    drawn_per_group: int,
) -> None:
    """Simulate one agent in one case and write a row an episode to the file `out`."""
    protocol = world(days, replicas, drawn_per_group)
    everybody = people.judged(protocol)
    cohort = everybody.take([everybody.ids.index(person) for person in persons])
    found = () if case == NONE else cases([case])[0].faults
    table = episodes(load(agent), protocol, shield, cohort, found)
    lanes = len(table["failed"])
    write_table(
        out,
        {
            "agent": np.full(lanes, label(agent)),
            "shield": np.full(lanes, shield),
            "case": np.full(lanes, case),
            **table,
        },
    )


def episodes(
    agent: Agent, protocol: ProtocolConfig, shield: str, cohort: Cohort, faults: Sequence[Any] = ()
) -> Table:
    """The outcomes of an agent under faults of its world and its own: one row an episode, who it was first."""
    of_agent = tuple(fault for fault in faults if isinstance(fault, AgentFault))
    of_world = tuple(fault for fault in faults if not isinstance(fault, AgentFault))
    for fault in of_agent:
        agent = broken(agent, fault, protocol.sample_min)
    rollout = simulate(agent, protocol, shield, cohort, of_world, Watchdog if of_agent else None)
    setting = setting_of(protocol, shield, cohort=cohort, faults=of_world)
    lanes = len(rollout.failed_side)
    row = np.arange(lanes) % len(cohort)
    _, keys = Roster(cohort, lanes, setting.split, setting.seed).next(np.arange(lanes))
    return {
        "person": np.array(cohort.ids)[row],
        "group": np.array([cohort.group(person) for person in range(len(cohort))])[row],
        "replica": np.arange(lanes) // len(cohort),
        "days": np.full(lanes, protocol.days),
        **outcomes(rollout, setting, (*of_world, *of_agent), keys, shield != "off"),
    }
