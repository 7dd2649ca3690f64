"""Whom an agent serves worse: means of groups of people beside the baseline's, the worst group and person.

A person counts once: days, trainings and folds are averaged within the person first. Groups are compared with
fairlearn's MetricFrame over persons. Its own bootstrap is not used: 200 resamples of ten metrics of 60 persons
take it 13 s, and they resample persons only and are too short for the few of a group, so intervals come from
`statistics.crossed_interval`, over persons and trainings. A gap has none: it is never below zero, and what
is resampled makes it larger, so that its interval would leave out the zero of groups that do not differ.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.aggregates import difference, person_scores
from experiments.records.tables import Table, select
from experiments.results.bars import DIFFERENCES, GAPS, burden_checks, group_checks, person_checks
from experiments.results.evaluations import GROUPS, Row, person_means, persons
from experiments.statistics import SEED, crossed_interval

Array = NDArray[np.float64]

MEANS = (
    "tir_pct", "below_70_pct", "below_54_pct", "above_250_pct", "gri", "alarms_per_day", "recommendations_per_day",
)  # fmt: skip
"""Columns of episodes whose mean within the group is given."""
COUNTS = ("persons", "episodes", "failures")
WITH_INTERVAL = ("tir_pct", "below_70_pct", "below_54_pct", *DIFFERENCES)
_NEEDED = (
    "agent", "shield", "protocol", "person", "group", "drawn", "weight_kg", "daily_insulin_u", "train_seed", "failed",
    *MEANS,
)  # fmt: skip

CANNOT_BE_ASSESSED = (
    "The simulator carries neither sex nor ethnicity nor income; differences between such groups cannot be assessed.",
    "The people #001 to #010 of each age group, and those drawn around them, are sets of parameters of a simulator "
    "and represent no population.",
    "Insulin sensitivity is read from daily insulin per kg of body weight (U/kg/day; who needs more is less "
    "sensitive), and is mixed up with age: on average adolescents need the most.",
)
"""What no table of these people can say; it belongs beside every one."""


@dataclass(frozen=True)
class Feature:
    """One way to divide persons: the group of every person (persons,), groups in order, their bounds in words."""

    name: str
    group: NDArray[np.str_]
    groups: tuple[str, ...]
    bounds: Mapping[str, str]


@dataclass(frozen=True)
class Subgroups:
    """groups: a row an agent, feature and group. checks: a row an agent, feature and metric, with its worst group.

    Columns of groups: agent, feature, group, bounds, persons, episodes, failures, the means (`MEANS`), the
    differences to the baseline (`DIFFERENCES`; NaN where it was not judged), and NAME_low and NAME_high (95 %)
    of those `WITH_INTERVAL`. Columns of checks: agent, feature (also "person" and "burden"), metric, worst_group,
    worst, gap, bar, check ("kept", "broken", or "" where nothing is required).
    """

    groups: Table
    checks: Table


def subgroups(
    episodes: Table, baseline: str, shield: str = "rule", of: Collection[str] | None = None
) -> Subgroups:
    """Groups and checks of agents in a table of episodes of one protocol, under one shield setting.

    of: agents whose rows are wanted (default: all); the baseline is looked at for the others' bars in any case.
    Intervals of an agent with one training speak of that policy only. Raises ValueError for a table without
    the columns needed, without the baseline, or of several protocols.
    """
    mine = _checked(episodes, baseline, shield)
    theirs = select(mine, agent=baseline)
    rows: list[Row] = []
    checks: list[Row] = []
    gaps: dict[str, Mapping[str, float]] = {}
    agents = sorted(set(mine["agent"].tolist()), key=lambda name: (name != baseline, name))
    for agent in agents:  # the baseline first: the others' gaps are measured against its own
        if of is not None and agent not in of and agent != baseline:
            continue
        wanted = of is None or agent in of
        ours = select(mine, agent=agent)
        who, values = np.array(persons(ours)), _of_persons(ours, theirs)
        checked = MEANS if agent == baseline else (*MEANS, *DIFFERENCES)
        for feature in features(mine, who.tolist()):
            if wanted:
                rows += [{"agent": agent} | row for row in _rows(ours, theirs, who, values, feature)]
            if feature.name != "everyone":
                frame = _frame({name: values[name] for name in (checked if wanted else GAPS)}, feature)
                gaps.setdefault(feature.name, frame.difference())
                if wanted:
                    checks += group_checks(agent, feature.name, frame, checked, gaps[feature.name])
        if wanted:
            checks += person_checks(agent, who.tolist(), values, is_baseline=agent == baseline)
            checks += burden_checks(agent, values["alarms_per_day"], values["recommendations_per_day"])
    return Subgroups(_table(rows), _table(checks))


def everyone(episodes: Table, baseline: str, shield: str = "rule") -> Table:
    """The rows of `Subgroups.groups` that are about everyone, of all agents; raises what `subgroups` does."""
    mine = _checked(episodes, baseline, shield)
    theirs = select(mine, agent=baseline)
    rows: list[Row] = []
    for agent in sorted(set(mine["agent"].tolist())):
        ours = select(mine, agent=agent)
        who, values = np.array(persons(ours)), _of_persons(ours, theirs)
        rows += [{"agent": agent} | row for row in _rows(ours, theirs, who, values, _everyone(len(who)))]
    return _table(rows)


def _rows(
    ours: Table, theirs: Table, who: NDArray[np.str_], values: Mapping[str, Array], feature: Feature
) -> Iterator[Row]:
    """A row a group of a feature: counts, means and differences with their intervals."""
    for group in feature.groups:
        mine = feature.group == group
        row: Row = {"feature": feature.name, "group": group, "bounds": feature.bounds.get(group, "")}
        row |= {name: (_total if name in COUNTS else _mean)(column[mine]) for name, column in values.items()}
        yield row | _intervals(ours, theirs, who[mine])


def _checked(episodes: Table, baseline: str, shield: str) -> Table:
    lacking = [name for name in _NEEDED if name not in episodes]
    if lacking:
        raise ValueError(f"episodes lack {', '.join(lacking)}; judge the agents again with scripts.evaluate")
    mine = select(episodes, shield=shield)
    protocols = sorted(set(mine["protocol"].tolist()))
    if len(protocols) != 1:
        found = ", ".join(protocols) or "none"
        raise ValueError(f"episodes under shield {shield!r} are of protocols {found}; give those of one")
    if baseline not in mine["agent"]:
        known = ", ".join(sorted(set(mine["agent"].tolist())))
        raise ValueError(f"baseline {baseline!r} was not judged under shield {shield!r}; judged were {known}")
    return mine


def features(episodes: Table, who: Sequence[str] | None = None) -> list[Feature]:
    """Everyone, age group, drawn or not, weight and insulin sensitivity; of the persons `who` (default: all).

    Thirds are over all persons of `episodes`, so that a group means the same for every agent.
    """
    everybody = persons(episodes)
    who = everybody if who is None else who
    first = {person: k for k, person in reversed(list(enumerate(episodes["person"].tolist())))}
    at, all_at = ([first[person] for person in some] for some in (who, everybody))
    weight = episodes["weight_kg"]
    need = episodes["daily_insulin_u"] / weight
    age = episodes["group"][at].astype(str)
    drawn = np.where(episodes["drawn"][at] > 0, "drawn", "of the table")
    by_need = ("most sensitive", "middle", "least sensitive")
    return [
        _everyone(len(who)),
        Feature("age group", age, tuple(one for one in GROUPS if one in age), {}),
        Feature("drawn", drawn, tuple(one for one in ("of the table", "drawn") if one in drawn), {}),
        _thirds("weight", weight[all_at], weight[at], ("lightest", "middle", "heaviest"), "kg", ".0f"),
        _thirds("insulin sensitivity", need[all_at], need[at], by_need, "U/kg/day", ".2f"),
    ]


def _everyone(count: int) -> Feature:
    return Feature("everyone", np.full(count, "all"), ("all",), {})


def _thirds(name: str, of_all: Array, values: Array, words: Sequence[str], unit: str, form: str) -> Feature:
    low, high = np.quantile(of_all, (1 / 3, 2 / 3))
    place = (values > low).astype(int) + (values > high)
    a, b = format(low, form), format(high, form)
    bounds = dict(zip(words, (f"up to {a} {unit}", f"{a} to {b} {unit}", f"above {b} {unit}"), strict=True))
    return Feature(
        name, np.array(words)[place], tuple(word for k, word in enumerate(words) if k in place), bounds
    )


def _of_persons(ours: Table, theirs: Table) -> dict[str, Array]:
    """Of every person, in the order of `persons`: counts, means and differences, each (persons,)."""
    who = persons(ours)
    mine = [ours["person"] == person for person in who]
    values = {
        "persons": np.ones(len(who)),
        "episodes": np.array([one.sum() for one in mine], float),
        "failures": np.array([ours["failed"][one].sum() for one in mine], float),
    }
    values |= {name: person_means(ours, name) for name in MEANS}
    for name, metric in DIFFERENCES.items():
        known = dict(zip(persons(theirs), person_means(theirs, metric), strict=True))
        values[name] = values[metric] - np.array([known.get(person, np.nan) for person in who])
    return values


def _total(values: Array) -> float:
    return float(np.sum(values))


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else float("nan")


def _frame(values: Mapping[str, Array], feature: Feature) -> Any:
    """fairlearn's table of the groups. Its rows are persons; every metric is told its own values of them."""
    # It loads pandas and scikit-learn, which takes a second, and most commands divide nobody into groups.
    from fairlearn.metrics import MetricFrame  # type: ignore[import-untyped]

    unused = np.zeros(len(feature.group))
    return MetricFrame(
        metrics=dict.fromkeys(values, lambda y_true, y_pred, values: _mean(values)),
        y_true=unused,
        y_pred=unused,
        sensitive_features={feature.name: feature.group},
        sample_params={name: {"values": column} for name, column in values.items()},
    )


def _intervals(ours: Table, theirs: Table, who: NDArray[np.str_]) -> Row:
    """Ends of the 95 % intervals for these persons; NaN for one person under one training."""
    shared = who[np.isin(who, theirs["person"])]
    row: Row = {}
    for name in WITH_INTERVAL:
        ends = [float("nan")] * 2
        if name not in DIFFERENCES:
            found = crossed_interval(_scores(ours, name, who), seed=SEED)
            ends = np.clip((found.low, found.high), 0.0, 100.0).tolist()  # they are shares of time
        elif len(shared):
            pair = [_scores(one, DIFFERENCES[name], shared) for one in (ours, theirs)]
            found = crossed_interval(pair, difference, seed=SEED)
            ends = [found.low, found.high]
        row |= {f"{name}_low": ends[0], f"{name}_high": ends[1]}
    return row


def _scores(table: Table, metric: str, who: NDArray[np.str_]) -> Array:
    """Scores (trainings, persons) of some persons."""
    keep = np.isin(table["person"], who)
    return person_scores(table[metric][keep], table["person"][keep], table["train_seed"][keep]).scores


def _table(rows: Sequence[Row]) -> Table:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def worst_persons(episodes: Table, agent: str, baseline: str, shield: str = "rule", count: int = 3) -> Table:
    """The persons an agent serves worst, at most `count`: those who failed first, then by time in range.

    Columns: person, failures, episodes, tir_pct, below_70_pct, below_54_pct and `DIFFERENCES`.
    """
    mine = _checked(episodes, baseline, shield)
    ours = select(mine, agent=agent)
    if not len(ours["person"]):
        known = ", ".join(sorted(set(mine["agent"].tolist())))
        raise ValueError(f"agent {agent!r} was not judged under shield {shield!r}; judged were {known}")
    values = _of_persons(ours, select(mine, agent=baseline))
    order = np.lexsort((values["tir_pct"], -values["failures"]))[:count]
    names = ("failures", "episodes", "tir_pct", "below_70_pct", "below_54_pct", *DIFFERENCES)
    return {"person": np.array(persons(ours))[order]} | {name: values[name][order] for name in names}
