"""Tables of words of a page: caption, source, heads, rows of text; code where the last column is a command."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.page.findings import Findings
from experiments.page.tables import Part, anchor
from experiments.plots.style import person_label
from experiments.records.tables import select
from experiments.results.words import METRICS as METRIC_WORDS
from experiments.results.words import TIERS


def failed(view: Findings, lines: Sequence[Sequence[str]]) -> Part:
    """Who failed."""
    heads = ["Person", "Agent", "Shield", "Failed episodes", "Side", "Earliest, hours after the start"]
    return {
        "caption": "Who failed.", "source": view.source("episodes.csv"), "heads": heads, "rows": lines, "code": False,
    }  # fmt: skip


def lost(view: Findings) -> Part | None:
    """Evaluations that were refused or failed."""
    cells = view.study.cells
    names = ("cell", "agent", "protocol", "shield", "status", "error")
    rows = [
        list(map(str, row))
        for row in zip(*(cells[name].tolist() for name in names), strict=True)
        if row[4] != "done"
    ]
    heads = ["Evaluation", "Agent", "Protocol", "Shield", "Status", "Why"]
    caption = "Evaluations that are not in the tables."
    return (
        {"caption": caption, "source": "cells.csv", "heads": heads, "rows": rows, "code": False}
        if rows
        else None
    )


def agents(view: Findings) -> Part:
    """What every agent is, what it may know, and what it was trained on."""
    table, rows = view.study.agents, []
    judged = {row["agent"] for row in view.rows}
    columns = ("agent", "tier", "person_days", "train_wall_s", "seeds", "trained_on", "words")
    for agent, tier, days, seconds, seeds, on, words in zip(
        *(table[name].tolist() for name in columns), strict=True
    ):
        if agent not in judged:
            continue
        spent = "not recorded" if not np.isfinite(days) else f"{days:,.0f}"
        clock = "not recorded" if not np.isfinite(seconds) else f"{seconds:,.0f}"
        what = [words[:1].upper() + words[1:]] if words else []
        what += [f"trained on {on}" if what else f"Trained on {on}"] if on not in ("nothing", "") else []
        rows.append([agent, tier, spent, clock, seeds or "none", "; ".join(what) + "." if what else ""])
    told = "; ".join(
        f"{tier}: {TIERS[tier]}" for tier in dict.fromkeys(row[1] for row in rows) if tier in TIERS
    )
    heads = [
        "Agent", "Information tier", "Simulated person-days of a training", "Seconds of a training",
        "Training seeds", "What it is",
    ]  # fmt: skip
    caption = f"Agents and what they may know beside sensor and announcements. {told}."
    return {"caption": caption, "source": "agents.csv", "heads": heads, "rows": rows, "code": False}


def checks(view: Findings) -> Part | None:
    """Bars for the primary agent over groups and persons, and whether it keeps them."""
    table = view.study.subgroup_checks
    if table is None or view.primary["agent"] is None:
        return None
    mine = select(table, agent=view.primary["agent"])
    rows = []
    columns = ("feature", "metric", "worst_group", "worst", "gap", "bar", "check")
    for feature, metric, group, worst, gap, bar, check in zip(
        *(mine[n].tolist() for n in columns), strict=True
    ):
        if bar:
            what = METRIC_WORDS.get(metric, metric)
            wide = f"{gap:.2f}" if np.isfinite(gap) else ""
            who = person_label(group)
            rows.append(
                [f"{feature}: {what}", who, f"{worst:.2f}", wide, check, f"{bar[:1].upper()}{bar[1:]}."]
            )
    if not rows:
        return None
    heads = ["What", "Worst group or person", "Its value", "Gap", "Bar", "The bar"]
    caption = (
        f"Bars for {view.primary['agent']}: the project's own proposal, no clinical standard. Everybody judged in "
        f"protocol {view.primary['protocol']}, shield {view.primary['shield']}."
    )
    return {
        "caption": caption, "source": view.source("subgroup_checks.csv"), "heads": heads, "rows": rows, "code": False,
    }  # fmt: skip


def provenance(view: Findings) -> list[Part]:
    """Evaluations by agent, shield setting and protocol with an id each, then training runs."""
    cells = view.study.cells
    names = ("protocol", "agent", "shield")
    rows: list[list[str]] = []
    links: list[str] = []
    for key in dict.fromkeys(zip(*(cells[name].tolist() for name in names), strict=True)):
        mine = select(cells, **dict(zip(names, key, strict=True)), status="done")
        if not len(mine["cell"]):
            continue
        number = len(mine["cell"])
        runs = list(dict.fromkeys(mine["run"].tolist()))
        told = runs[0] if len(runs) == 1 else f"{runs[0]} and {len(runs) - 1} more"
        more = f"  (and {number - 1} more in cells.csv)" if number > 1 else ""
        links.append(anchor(*key))
        rows.append(
            [*key[1:], key[0], mine["protocol_hash"][0][:12], str(number), told, mine["command"][0] + more]
        )
    heads = ["Agent", "Shield", "Protocol", "Hash", "Evaluations", "Run (UTC, commit)", "Command"]
    found = [
        {
            "caption": "Evaluations.",
            "source": "cells.csv",
            "heads": heads,
            "rows": rows,
            "code": True,
            "links": links,
        }
    ]
    trained: list[Mapping[str, Any]] = view.study.about.get("runs") or []
    if trained:
        heads = ["Run", "Agent", "Status", "Command"]
        lines = [[str(run[name]) for name in ("run", "agent", "status", "command")] for run in trained]
        found.append(
            {"caption": "Training runs.", "source": "study.json", "heads": heads, "rows": lines, "code": True}
        )
    return found
