"""The results of a policy as its card tells them: failures first, then groups of people, worst persons, bars."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from experiments.records.tables import Table, select
from experiments.results.against_committed import standings
from experiments.results.study_tables import StudyTables
from experiments.results.subgroups import Subgroups, everyone, subgroups, worst_persons
from experiments.results.words import is_reference
from experiments.statistics import event_bounds

_NOTE = (
    "Shares of time in % of true plasma glucose, means over persons with 95 % intervals over persons and trainings; "
    "time after a failure is out of range. Bars are the project's own proposal, no clinical standard."
)


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; none without rows."""
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] if rows else []


def results(name: str, studies: Sequence[StudyTables]) -> Iterator[str]:
    """Lines of Markdown on the agent `name` in each protocol of each study; the baseline is the best of the study,
    clairvoyant and hostile ones aside."""
    if not studies:
        yield "None is committed."
    for study in studies:
        mine = select(study.episodes, agent=name)
        for protocol in dict.fromkeys(mine["protocol"].tolist()):
            yield from _on_protocol(name, study, protocol)
    if studies:
        yield _NOTE


def _on_protocol(name: str, study: StudyTables, protocol: str) -> Iterator[str]:
    digest = study.about["protocols"][protocol]["hash"]
    episodes = select(study.episodes, protocol=protocol)
    yield f"### {protocol} (study {study.about['name']}, hash `{digest[:12]}`)"
    yield ""
    rows: list[list[str]] = []
    notes: list[str] = []
    tables: list[str] = []
    for shield in ("rule", "off"):
        mine = select(episodes, shield=shield, agent=name)
        if not len(mine["agent"]):
            continue
        people = sorted(set(mine["person"].tolist()))
        others, _ = standings(select(episodes, shield=shield), people)
        fair = (one.agent for one in others if not one.learned and not is_reference(one.agent))
        baseline = next(fair, name)
        keep = np.isin(episodes["agent"], (name, baseline)) & np.isin(episodes["person"], people)
        pair = {key: column[keep] for key, column in episodes.items()}
        both = everyone(pair, baseline, shield)
        rows += [_row(both, agent, shield) for agent in dict.fromkeys((name, baseline))]
        notes.append(f"- {_failures(mine, shield)}")
        if shield == "rule":
            found = subgroups(pair, baseline, shield, of=(name,))
            notes += _broken(found, name)
            tables += ["", *_groups(found, name, baseline), "", *_worst(pair, name, baseline)]
    heads = (
        "agent",
        "shield",
        "failures",
        "70-180",
        "<70",
        "<54",
        ">250",
        "GRI",
        "alarms/day",
        "recommendations/day",
    )
    yield from [*markdown_table(heads, rows), "", *notes, *tables, ""]


def _row(groups: Table, agent: str, shield: str) -> list[str]:
    (row,) = rows_of(select(groups, agent=agent))
    cells = [agent, shield, f"{row['failures']:.0f} of {row['episodes']:.0f}", _interval(row, "tir_pct", 1)]
    cells += [_interval(row, "below_70_pct", 1), _interval(row, "below_54_pct", 2)]
    return cells + [
        f"{row[key]:.1f}" for key in ("above_250_pct", "gri", "alarms_per_day", "recommendations_per_day")
    ]


def rows_of(table: Table) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries."""
    count = len(next(iter(table.values())))
    return [{key: column[k] for key, column in table.items()} for k in range(count)]


def _interval(row: dict[str, Any], name: str, digits: int) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    ends = f" [{low:.{digits}f}, {high:.{digits}f}]" if np.isfinite(low) else ""
    return f"{row[name]:.{digits}f}{ends}"


def _failures(mine: Table, shield: str) -> str:
    """Who failed, and how many persons at most would (upper bound of 95 %)."""
    who, at = np.unique(mine["person"], return_inverse=True)
    failed = np.bincount(at, mine["failed"])
    bound = event_bounds(failed, np.bincount(at))[-1]
    names = ", ".join(f"{person} ({count:.0f})" for person, count in zip(who, failed, strict=True) if count)
    listed = f": {names}" if names else ""
    return (
        f"Shield {shield}: {bound.events} of {bound.trials} episodes failed, in {bound.persons_with_event} of "
        f"{bound.persons} persons{listed}; upper 95 % bound {100 * bound.upper:.1f} % of persons."
    )


def _broken(found: Subgroups, name: str) -> Iterator[str]:
    rows = [row for row in rows_of(select(found.checks, agent=name)) if row["bar"]]
    broken = [row for row in rows if row["check"] == "broken"]
    yield f"- Bars kept: {len(rows) - len(broken)} of {len(rows)}."
    for row in broken:
        gap = f", gap {row['gap']:.2f}" if np.isfinite(row["gap"]) else ""
        found_there = f"{row['metric']} {row['worst']:.2f}, {row['worst_group']}{gap}"
        yield f"- Bar broken, {row['feature']}: {row['bar']} ({found_there})."


def _groups(found: Subgroups, name: str, baseline: str) -> list[str]:
    rows = []
    for row in rows_of(select(found.groups, agent=name)):
        bounds = f" ({row['bounds']})" if row["bounds"] else ""
        cells = [
            f"{row['feature']}: {row['group']}{bounds}",
            f"{row['persons']:.0f}",
            f"{row['failures']:.0f}",
        ]
        cells += [_interval(row, "tir_pct", 1), f"{row['below_70_pct']:.1f}", f"{row['below_54_pct']:.2f}"]
        cells += [f"{row['alarms_per_day']:.1f}", _interval(row, "tir_difference", 1)]
        rows.append(cells)
    heads = (
        "group, shield rule",
        "persons",
        "failures",
        "70-180",
        "<70",
        "<54",
        "alarms/day",
        f"70-180 minus {baseline}",
    )
    return markdown_table(heads, rows)


def _worst(pair: Table, name: str, baseline: str) -> list[str]:
    rows = [
        [
            str(row["person"]), f"{row['failures']:.0f} of {row['episodes']:.0f}", f"{row['tir_pct']:.1f}",
            f"{row['below_70_pct']:.1f}", f"{row['below_54_pct']:.2f}", f"{row['tir_difference']:+.1f}",
        ]
        for row in rows_of(worst_persons(pair, name, baseline))
    ]  # fmt: skip
    return markdown_table(
        ("worst persons", "failures", "70-180", "<70", "<54", f"70-180 minus {baseline}"), rows
    )
