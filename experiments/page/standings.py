"""The numbers of a page: every agent with its intervals, contrasts of pairs, bounds for what never happened.

The terminal and the Markdown table print the rows of `standings` too, so that all three say the same. Intervals are
crossed bootstrap intervals over training seeds and persons, drawn within age groups (`experiments.statistics`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.aggregates import PersonScores, difference, person_scores
from experiments.records.tables import Table, select
from experiments.results.evaluations import GROUPS, METRICS, Row, persons
from experiments.results.words import is_reference
from experiments.statistics import SEED, EventBound, bootstrap_p_value, crossed_interval, event_bounds, holm
from experiments.win_rule import Judged, Outcome, Verdict, judged, lone_trained, win

COSTS = {
    "insulin_u_per_day": ("Insulin", "U/day"),
    "basal_share_pct": ("Basal share", "%"),
    "suspended_h_per_day": ("Suspended", "h/day"),
    "rescue_carbs_g_per_day": ("Rescue carbs", "g/day"),
    "alarms_per_day": ("Alarms", "per day"),
    "recommendations_per_day": ("Advice to follow", "per day"),
    "shield_changed_pct": ("Shield acted", "% of time"),
}
"""What time in range was bought with: heading and unit."""
ALPHA = 0.05
"""Adjusted p values from here on show no difference."""
_SHARES = (
    "tir_pct",
    "below_54_pct",
    "below_70_pct",
    "above_180_pct",
    "above_250_pct",
    "basal_share_pct",
    "shield_changed_pct",
)


def of_population(table: Table, population: str) -> Table:
    """The rows of drawn people, of people of the table, or all."""
    return table if population == "all" else select(table, drawn=float(population == "drawn"))


def scores(episodes: Table, metric: str) -> PersonScores:
    """Scores (seeds, persons) of one agent; trainings of several folds with one seed are averaged in a person."""
    return person_scores(episodes[metric], episodes["person"], episodes["train_seed"])


def strata(episodes: Table, who: Sequence[Any]) -> NDArray[np.str_]:
    """Age group of each of these persons."""
    group = dict(zip(episodes["person"].tolist(), episodes["group"].tolist(), strict=True))
    return np.array([group[person] for person in who])


def standings(
    episodes: Table, learned: Collection[str], columns: Sequence[str] = (*METRICS, *COSTS)
) -> list[Row]:
    """Rows of the results, protocols in their order, rule shield first, then by time in range, highest first.

    Agents that were judged on a part of the persons come after those judged on all: their rows are not comparable.
    episodes: of one population. A row has agent, shield, protocol, learned, best_baseline, persons, replicas, days,
    train_seeds (empty for treatments), trainings (pairs of fold and seed), seed_tir_pct, episodes, failures,
    failed_persons {person: failed episodes}, and of every metric and cost its mean, `_low` and `_high`. The best
    baseline of a protocol and shield setting is the treatment with the highest time in range, clairvoyant and hostile
    ones aside. columns: metrics and costs that are wanted, time in range among them; each takes some time.
    """
    keys = ("protocol", "shield", "agent")
    order = {name: k for k, name in enumerate(dict.fromkeys(episodes["protocol"].tolist()))}
    found = sorted(set(zip(*(episodes[name].tolist() for name in keys), strict=True)))
    rows = [_row(select(episodes, **dict(zip(keys, key, strict=True))), key[2] in learned, columns) for key in found]
    everybody = {name: max(row["persons"] for row in rows if row["protocol"] == name) for name in order}
    rows.sort(
        key=lambda row: (
            order[row["protocol"]], row["shield"] != "rule", row["shield"],
            row["persons"] < everybody[row["protocol"]], -row["tir_pct"],
        )
    )  # fmt: skip
    marked = set()
    for row in rows:
        where = row["protocol"], row["shield"]
        if not row["learned"] and not is_reference(row["agent"]) and where not in marked:
            row["best_baseline"] = True
            marked.add(where)
    return rows


def _row(episodes: Table, learned: bool, columns: Sequence[str]) -> Row:
    dead = episodes["person"][episodes["failed"] > 0].tolist()
    people = persons(episodes)
    trainings = set(zip(episodes["fold"].tolist(), episodes["train_seed"].tolist(), strict=True))
    seeds = sorted({int(seed) for seed in episodes["train_seed"].tolist() if seed >= 0}) if learned else []
    tir = scores(episodes, "tir_pct")
    row: Row = {
        **{name: str(episodes[name][0]) for name in ("agent", "shield", "protocol")},
        "learned": learned,
        "best_baseline": False,
        "persons": len(people),
        "replicas": len(np.unique(episodes["replica"])),
        "days": float(episodes["days"].max()),
        "train_seeds": seeds,
        "trainings": len(trainings) if learned else 0,
        "seed_tir_pct": [float(np.nanmean(one)) for one in tir.scores] if learned else [],
        "episodes": len(episodes["person"]),
        "failures": len(dead),
        "failed_persons": {person: dead.count(person) for person in people if person in dead},
    }
    groups = strata(episodes, tir.persons)
    for name in dict.fromkeys(columns):
        if name not in episodes:
            continue
        found = crossed_interval(scores(episodes, name).scores, seed=SEED, strata=groups)
        low, high = (
            float(np.clip(end, 0, 100 if name in _SHARES else None)) for end in (found.low, found.high)
        )
        row |= {name: found.estimate, f"{name}_low": low, f"{name}_high": high}
    return row


@dataclass(frozen=True)
class Contrast:
    """Agent minus baseline on the same days of the same persons, in points of time in range.

    p: two-sided, of the crossed bootstrap; NaN where there is none. adjusted: Holm's, NaN for the primary one.
    better: persons with more time in range under the agent.
    """

    agent: str
    baseline: str
    protocol: str
    shield: str
    verdict: Verdict
    p: float
    adjusted: float
    persons: int
    better: int

    @property
    def outcome(self) -> Outcome:
        """That of the win rule; of a secondary comparison a difference also has to outlive Holm's adjustment."""
        told = self.verdict.outcome
        return "unclear" if told != "unsafe" and self.adjusted >= ALPHA else told


@dataclass(frozen=True)
class Pair:
    """Two agents on the days of persons that both had; `groups` (persons,): the persons' age groups."""

    ours: Judged
    theirs: Judged
    groups: NDArray[np.str_]

    @property
    def resampling(self) -> dict[str, Any]:
        """What intervals and p values of the two are drawn with (words of `statistics.resampled`)."""
        return {"seed": SEED, "strata": self.groups, "lone_trained": lone_trained(self.ours, self.theirs)}


def paired(episodes: Table, agent: str, baseline: str, learned: Collection[str]) -> Pair | None:
    """Two agents of some episodes of one protocol and shield setting; None where they share no day of a person."""
    tables = [select(episodes, agent=name) for name in (agent, baseline)]
    keys = [list(zip(one["person"].tolist(), one["replica"].tolist(), strict=True)) for one in tables]
    shared = set(keys[0]) & set(keys[1])
    if not shared:
        return None
    kept = [np.array([key in shared for key in some]) for some in keys]
    tables = [
        {name: column[keep] for name, column in one.items()} for one, keep in zip(tables, kept, strict=True)
    ]
    ours, theirs = (judged(one, name in learned) for one, name in zip(tables, (agent, baseline), strict=True))
    return Pair(ours, theirs, strata(tables[0], scores(tables[0], "tir_pct").persons))


def contrast(
    episodes: Table, agent: str, baseline: str, protocol: str, shield: str, learned: Collection[str]
) -> Contrast | None:
    """One comparison. episodes: of one population; None where the two share no day of a person."""
    pair = paired(select(episodes, protocol=protocol, shield=shield), agent, baseline, learned)
    if pair is None:
        return None
    ours, theirs = pair.ours, pair.theirs
    found = win(ours, theirs, seed=SEED, strata=pair.groups)
    p = bootstrap_p_value((ours.tir_pct, theirs.tir_pct), difference, **pair.resampling)
    gap = np.nanmean(ours.tir_pct, axis=0) - np.nanmean(theirs.tir_pct, axis=0)
    return Contrast(agent, baseline, protocol, shield, found, p, float("nan"), len(gap), int((gap > 0).sum()))


def secondary(
    episodes: Table,
    agent: str,
    baseline: str,
    protocol: str,
    shield: str,
    learned: Collection[str],
    others: Mapping[str, Table] | None = None,
) -> list[Contrast]:
    """The primary agent against everybody else, then the primary pair elsewhere; p values adjusted by Holm.

    others: episodes of the primary protocol of other people, by the words for them.
    """
    mine = select(episodes, protocol=protocol, shield=shield)
    rivals = [name for name in dict.fromkeys(mine["agent"].tolist()) if name not in (agent, baseline)]
    asked = [(other, protocol, shield) for other in sorted(rivals)]
    places = dict.fromkeys(zip(episodes["protocol"].tolist(), episodes["shield"].tolist(), strict=True))
    asked += [(baseline, *place) for place in places if place != (protocol, shield)]
    found = [contrast(episodes, agent, other, where, under, learned) for other, where, under in asked]
    for words, table in (others or {}).items():
        one = contrast(table, agent, baseline, protocol, shield, learned)
        found.append(one and replace(one, protocol=f"{protocol}, {words}"))
    known = [one for one in found if one is not None]
    p = np.array([one.p for one in known])
    adjusted = np.full(len(known), np.nan)
    if np.isfinite(p).any():
        adjusted[np.isfinite(p)] = holm(p[np.isfinite(p)])
    return [replace(one, adjusted=float(a)) for one, a in zip(known, adjusted, strict=True)]


def failure_bounds(episodes: Table) -> list[EventBound]:
    """Failures of one agent under one shield by age group and in all, with upper bounds over persons."""
    who = persons(episodes)
    failed = np.array([episodes["failed"][episodes["person"] == person].sum() for person in who])
    tried = np.array([(episodes["person"] == person).sum() for person in who])
    order = (*GROUPS, "all")
    found = event_bounds(failed, tried, strata=strata(episodes, who))
    return sorted(found, key=lambda one: order.index(one.stratum) if one.stratum in order else -1)
