"""What every agent of a study is, what it may know beside the sensor, and what its training took."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.load import NAMES
from agents.load import tier as treatment_tier
from experiments.records.tables import Table
from experiments.results.evaluations import Evaluation, persons
from experiments.results.words import AGENTS, ORACLE

_TUNED_ON = {
    "T2 (this body)": "each person's own training days",
    "T2 (other bodies)": "training days of people whom it is not judged on",
}
"""What gains were found on, by the information tier of a tuned treatment."""
UNKNOWN = "not recorded"
"""The tier, and what it was trained on, of an agent whose maker has not said."""


def agents_table(judged: Sequence[Evaluation], known: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row of agents.csv for every agent judged; `known` has what is known better of some of them."""
    rows = []
    for agent in dict.fromkeys(str(one.summary["agent"]) for one in judged):
        mine = [one for one in judged if one.summary["agent"] == agent]
        seeds = sorted(
            {int(seed) for one in mine for seed in one.episodes["train_seed"].tolist() if seed >= 0}
        )
        facts = [one.summary.get("trained_on") or {} for one in mine]
        met = [
            set(fact.get("people", ())) & set(persons(one.episodes))
            for fact, one in zip(facts, mine, strict=True)
        ]
        tier, on = "T0", "nothing"
        if seeds and all(fact.get("people") for fact in facts):
            tier = "T2 (this body)" if any(met) else "T2 (other bodies)"
            bodies = {len(fact["people"]) for fact in facts}
            drawn = max(int(fact.get("drawn_per_group") or 0) for fact in facts)
            on = f"{' or '.join(map(str, sorted(bodies)))} virtual people of the table"
            on += f" and {drawn} drawn around each age group" if drawn else ""
        elif (name := agent.removesuffix(ORACLE)) in NAMES:
            tier = treatment_tier(name)
            on = _TUNED_ON.get(tier, on)
        else:  # somebody's own: whatever it learned from is its maker's to tell
            tier = on = UNKNOWN
        if ORACLE in agent:
            tier = "T3 (simulator state)"
        spent = {(fact.get("fold"), fact.get("seed")): fact.get("person_days") for fact in facts}
        days = [float(value) for value in spent.values() if value is not None]
        row = {
            "agent": agent, "words": AGENTS.get(agent.removesuffix(ORACLE), ""), "tier": tier,
            "learned": float(bool(seeds)),
            "trained_on": on, "seeds": ", ".join(map(str, seeds)),
            "person_days": float(np.mean(days)) if days else (0.0 if tier == "T0" else float("nan")),
            "train_wall_s": 0.0 if tier == "T0" else float("nan"),
        }  # fmt: skip
        rows.append(row | dict(known.get(agent, {})))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def with_wall_clock(agents: Table, learning: Sequence[Table]) -> Table:
    """agents.csv with the mean seconds of a training, where the runs are known."""
    seconds = agents["train_wall_s"].copy()
    for k, agent in enumerate(agents["agent"].tolist()):
        mine = [float(table["wall_s"][-1]) for table in learning if table["agent"][0] == agent]
        seconds[k] = np.mean(mine) if mine else seconds[k]
    return agents | {"train_wall_s": seconds}
