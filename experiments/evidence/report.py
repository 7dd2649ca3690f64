"""The table of the evidence: for every row of bodies what came to pass, and what may be said of a new one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.frozen import NOTICE
from agents.load import label
from experiments.evidence import sampler
from experiments.evidence.count import BASELINE, HOSTILE, POLICY, policy_hash
from experiments.records.tables import Table, select, write_table
from experiments.statistics import event_bounds
from twins.files import atomic_write_text

_KEY = ("shield", "agent", "stratum", "lows")
_EVENTS = ("very_low", "very_high")
"""Plasma glucose below 40 mg/dL, and above 300 for two hours on end."""


def rows(table: Table, lost: Mapping[tuple[str, ...], int] | None = None) -> list[dict[str, Any]]:
    """One row for each shield, agent, stratum and treatment of lows, in this order.

    lost: bodies of a row, by these four, that could not be counted. upper: the bound; None for the 30 seen bodies, and
    where bodies are lost, for who cannot be counted is no chance.
    """
    found = []
    for key in sorted(dict.fromkeys(zip(*(table[name].tolist() for name in _KEY), strict=True)), key=_place):
        named = dict(zip(_KEY, key, strict=True))
        mine = select(table, **named)
        row: dict[str, Any] = named | {
            "bodies": len(mine["person"]),
            "lost": (lost or {}).get(key, 0),
            "days": float(mine["days"][0]),
            "died": int((mine["died"] != "").sum()),
        }
        for event in _EVENTS:
            bound = event_bounds(mine[event], np.ones(len(mine[event]), int))[-1]
            row[event] = bound.events
            bounded = sampler.stratum(named["stratum"]).drawn and not row["lost"]
            row[f"{event}_upper"] = bound.upper if bounded else None
        for name in ("tir_pct", "below_70_pct", "below_54_pct", "shield_changed_pct", "starved_hours"):
            row[name] = float(mine[name].mean())
        row["lowest_mg_dl"] = float(mine["lowest_mg_dl"].min())
        found.append(row)
    return found


def _place(key: tuple[str, ...]) -> list[int]:
    """Where a row stands; names that are not known stand last, as they came."""
    orders = (
        ("rule", "twin"), (label(POLICY), BASELINE, *HOSTILE), [one.name for one in sampler.STRATA], sampler.LOWS,
    )  # fmt: skip
    return [
        list(order).index(name) if name in order else len(order)
        for name, order in zip(key, orders, strict=True)
    ]


def sentence(row: dict[str, Any], of: str) -> str:
    """What may be said of one row. of: hash of the sampler."""
    words = sampler.stratum(row["stratum"]).words
    low, high = (_said(row[f"{event}_upper"]) for event in _EVENTS)
    return (
        f"Under sampler D ({of[:12]}), stratum {row['stratum']} ({words}; lows {row['lows']}), {row['agent']} behind "
        f"the {row['shield']} shield: within {row['days']:g} days {row['very_low']} of {row['bodies']} bodies had "
        f"plasma glucose below 40 mg/dL{low}, and {row['very_high']} had it above 300 for two hours on end{high}. "
        "This is not a human risk."
    )


def _said(upper: float | None) -> str:
    return "" if upper is None else f", so of new bodies of D at most {percent(upper)} (95 % confidence)"


def write(
    table: Table,
    folder: Path,
    command: Sequence[str],
    lost: Mapping[tuple[str, ...], int] | None = None,
    before: Sequence[str] = (),
) -> Path:
    """Write bodies.csv.gz and table.md into `folder`; returns the latter. lost: see `rows`; before: the commands that
    made the rows of bodies that were counted before, the last first."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "bodies.csv.gz", table)
    found, of = rows(table, lost), sampler.sampler_hash()
    heads = (
        "shield", "agent", "stratum", "lows", "bodies x days", "died", "<40: bodies", "<40: at most",
        ">300 for 2 h: bodies", ">300: at most", "lowest", "<54", "<70", "70-180", "starved hours", "shield acted",
    )  # fmt: skip
    lines = [
        "# Evidence: bodies of sampler D behind the shields",
        "",
        f"{NOTICE}",
        "",
        f"Sampler D, hash `{of}`. Policy {POLICY}, hash `{policy_hash()}`.",
        "",
        "Bodies with the event within the days, and the one-sided 95 % upper bound (exact, Clopper-Pearson) of the "
        "share of new bodies of the stratum. The days of a body are not independent: a body counts once. Strata are "
        "not pooled. The 30 people of the table are listed without a bound. Glucose in mg/dL, shares of time in %.",
        "",
        *(f"- {one.name}: {one.words}" for one in sampler.STRATA),
        "",
        f"| {' | '.join(heads)} |",
        "|" + "---|" * 4 + "---:|" * (len(heads) - 4),
    ]
    lines += [f"| {' | '.join(_cells(row))} |" for row in found]
    lines += ["", *(f"- {sentence(row, of)}" for row in found if row["agent"] == label(POLICY))]
    lines += ["", "Made by these commands, the last first; each kept the rows that it was given:", ""]
    lines += [f"- `{one}`" for one in (" ".join(command), *before)]
    path = folder / "table.md"
    atomic_write_text(path, "\n".join(lines) + "\n")
    return path


def percent(share: float | None) -> str:
    """A share with two digits in %; nothing for None."""
    return "" if share is None else f"{100 * share:.2g} %" if share < 0.995 else "100 %"


def _of(row: dict[str, Any]) -> str:
    return f" of {row['bodies'] + row['lost']}" if row["lost"] else ""


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["shield"], row["agent"], row["stratum"], row["lows"], f"{row['bodies']}{_of(row)} x {row['days']:g}",
        str(row["died"]), str(row["very_low"]), percent(row["very_low_upper"]),
        str(row["very_high"]), percent(row["very_high_upper"]),
        f"{row['lowest_mg_dl']:.0f}", f"{row['below_54_pct']:.2f}", f"{row['below_70_pct']:.1f}",
        f"{row['tir_pct']:.1f}",
        f"{row['starved_hours']:.0f}", f"{row['shield_changed_pct']:.1f}",
    ]  # fmt: skip
