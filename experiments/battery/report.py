"""The battery's tables and map: episodes, a row for each agent and fault, every bar with its margin."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.frozen import NOTICE
from envs.faults import BATTERY
from experiments.battery.bars import NOT_MEASURED, judged, measures
from experiments.battery.outcomes import RULES
from experiments.battery.run import NONE
from experiments.plots.faults import fault_map
from experiments.plots.style import svg
from experiments.records.tables import Table, select, write_table
from twins.files import atomic_write_bytes, atomic_write_text

BASELINE = "basal-bolus"
"""What people do, behind the same shield, or behind rules where it was not run behind another."""
HOSTILE_CASE = "F24"
"""A hostile agent is the fault itself: it is paired with the baseline's days without fault, where these were run."""
WORDS = {case.name: case.words for case in BATTERY}
_COLUMNS = (
    ("died", "died", 0), ("very_high", ">300 for 2 h", 0), ("starved_hours", "starved hours", 1),
    ("rules_broken", "rules broken", 0), ("delta_below_54_pct", "<54, points", 2),
    ("delta_below_70_pct", "<70, points", 2), ("delta_tir_pct", "70-180, points", 1), ("lowest_mg_dl", "lowest", 0),
    ("safe_action_min", "safe after, min", 0), ("shield_changed_pct", "shield acted, %", 1),
)  # fmt: skip


def summary(episodes: Table) -> tuple[Table, Table]:
    """A row for each agent, shield and case, and one for each of their bars. Failures first among the columns."""
    rows, bars = [], []
    pairs = dict.fromkeys(zip(episodes["agent"].tolist(), episodes["shield"].tolist(), strict=True))
    for agent, shield in pairs:
        own = select(episodes, agent=agent, shield=shield)
        clean = select(own, case=NONE)
        if not len(clean["case"]):
            continue
        for case in (NONE, *WORDS):
            mine = select(own, case=case)
            if not len(mine["case"]):
                continue
            base = _baseline(episodes, shield, case)
            sound = _baseline(episodes, shield, NONE) if case == HOSTILE_CASE else clean
            paired = sound if len(sound["case"]) else clean
            found = measures(mine, paired, base if len(base["case"]) and agent != BASELINE else None)
            held = judged(case, found)
            missed = [one for one in held if one[2] < 0]
            who = {"agent": agent, "shield": shield, "case": case}
            rows.append(
                who
                | {"died": found.pop("died"), "bars": float(len(held)), "missed": float(len(missed))}
                | found
                | {"below_54_beyond_baseline_pct": found.get("below_54_beyond_baseline_pct", np.nan)}
            )
            bars += [
                who
                | {
                    "measure": bar.measure, "bar": ("<= " if bar.at_most else ">= ") + f"{bar.limit:g}",
                    "value": value, "margin": margin, "met": float(margin >= 0),
                }
                for bar, value, margin in held
            ]  # fmt: skip
    return _table(rows), _table(bars)


def _baseline(episodes: Table, shield: str, case: str) -> Table:
    own = len(select(episodes, agent=BASELINE, shield=shield, case=NONE)["case"])
    return select(episodes, agent=BASELINE, shield=shield if own else "rule", case=case)


def _table(rows: Sequence[dict[str, str | float]]) -> Table:
    if not rows:
        raise ValueError("no agent has both episodes with and without a fault; run the battery again")
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def markdown(rows: Table, bars: Table, episodes: Table, command: Sequence[str]) -> str:
    """table.md: for each agent the faults with failures first, and below it what is missed by how much."""
    people, days = len(np.unique(episodes["person"])), float(episodes["days"].max())
    replicas = int(episodes["replica"].max()) + 1
    lines = [
        "# The fault battery", "",
        f"{people} persons, {replicas} episode(s) of {days:g} days each under every fault, paired with the same days "
        "without it; exact announcements, right settings, nobody treats lows. Glucose is true plasma. Died, and above "
        "300 mg/dL for two hours on end: episodes; starved hours: with less than a quarter of scheduled basal, mean "
        "of an episode. Changes are means over episodes. Some bars compare with `basal-bolus` behind the same shield, "
        "or behind rules where it was not run behind another. A bar is met when nothing of it is missed; margins are "
        "in the unit of the measure.", "",
        f"Made by `{shlex.join(command)}`.", "", f"{NOTICE}", "",
    ]  # fmt: skip
    # The case of a hostile agent is its days without fault once more: they count once.
    steps = float(rows["intervals"][rows["case"] != HOSTILE_CASE].sum())
    broken = {rule: int(episodes[rule].sum()) for rule in RULES}
    told = ", ".join(f"{rule.replace('_', ' ')} {count}" for rule, count in broken.items() if count) or "none"
    lines += [
        f"Hard rules, over {steps:,.0f} control intervals of all agents and faults: broken {told}. Counted are: "
        f"{', '.join(rule.replace('_', ' ') for rule in RULES)}. "
        "The others are checked by tests/safety/test_bounds.py.",
        "",
    ]
    for agent, shield in dict.fromkeys(zip(rows["agent"].tolist(), rows["shield"].tolist(), strict=True)):
        mine = select(rows, agent=agent, shield=shield)
        clean = select(mine, case=NONE)
        lines += [
            f"## {agent}, shield {shield}", "",
            f"Without fault: {clean['died'][0]:.0f} died, {clean['below_54_pct'][0]:.2f} % below 54, "
            f"{clean['below_70_pct'][0]:.2f} % below 70, {clean['tir_pct'][0]:.1f} % in range, lowest "
            f"{clean['lowest_mg_dl'][0]:.0f} mg/dL, shield acted {clean['shield_changed_pct'][0]:.1f} %; the default "
            f"bar: {_verdict(select(bars, agent=agent, shield=shield, case=NONE))}.", "",
            "| fault | " + " | ".join(head for _, head, _ in _COLUMNS) + " | bar |",
            "|---|" + "---:|" * len(_COLUMNS) + "---|",
        ]  # fmt: skip
        for k, case in enumerate(mine["case"].tolist()):
            if case == NONE:
                continue
            cells = [
                f"{mine[name][k]:.{digits}f}" if np.isfinite(mine[name][k]) else ""
                for name, _, digits in _COLUMNS
            ]
            verdict = _verdict(select(bars, agent=agent, shield=shield, case=case))
            lines.append(f"| {case} {WORDS[case]} | {' | '.join(cells)} | {verdict} |")
        lines.append("")
    lines += ["## Not measured", "", *(f"- {case}: {what}" for case, what in NOT_MEASURED.items()), ""]
    return "\n".join(lines)


def _verdict(bars: Table) -> str:
    """Whether all bars are met; otherwise each that is missed, with value, bar and margin."""
    missed = np.flatnonzero(bars["met"] == 0)
    if not len(missed):
        limit = np.array([float(str(bar).split()[1]) for bar in bars["bar"].tolist()])
        share = np.where(limit != 0, bars["margin"] / np.where(limit != 0, np.abs(limit), 1.0), np.inf)
        nearest = int(np.argmin(share))
        return f"met; nearest: {_words(bars, nearest)}" if np.isfinite(share[nearest]) else "met"
    return f"missed {len(missed)} of {len(bars['met'])}: " + "; ".join(_words(bars, int(k)) for k in missed)


def _words(bars: Table, k: int) -> str:
    name = str(bars["measure"][k]).removesuffix("_pct").replace("_", " ")
    return f"{name} {bars['value'][k]:.3g} ({bars['bar'][k]}, margin {bars['margin'][k]:+.3g})"


def write(episodes: Table, folder: Path, command: Sequence[str]) -> Path:
    """Write episodes.csv, battery.csv, bars.csv, table.md and, where a fault was run, map.svg; the path of table.md."""
    rows, bars = summary(episodes)
    write_table(folder / "episodes.csv", episodes)
    write_table(folder / "battery.csv", rows)
    write_table(folder / "bars.csv", bars)
    faults = {name: column[rows["case"] != NONE] for name, column in rows.items()}
    if len(faults["case"]):
        atomic_write_bytes(folder / "map.svg", svg(fault_map(faults, WORDS)))
    atomic_write_text(folder / "table.md", markdown(rows, bars, episodes, command))
    return folder / "table.md"
