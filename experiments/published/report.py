"""The tables of the published protocols: the papers' rows beside ours, and whether a treatment was repeated."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from agents.frozen import NOTICE
from experiments.plots import published as plots
from experiments.plots.style import svg
from experiments.published import claims
from experiments.published.claims import Claim
from experiments.published.run import PROTOCOLS
from experiments.published.score import SHARES
from experiments.records.tables import Table, select, write_table
from twins.cohort import GROUPS
from twins.files import atomic_write_bytes, atomic_write_text

_KEY = ("protocol", "gut", "shield", "agent")
TABLE, PEOPLE, FIGURE = "table.md", "people.csv", "published.svg"
_HEAD = (
    "| by | agent | stomach | shield | failed, % | as published | in range | as published | below 70 | as published | "
    "below 54 | above 250 | Magni risk, as published |",
    "|---|---|---|---|" + "---:|" * 9,
)
_WORDS = (
    "Rows by `paper` are the papers' own (sources: `experiments/published/claims.py`); all others were made here. "
    "Failures come first. *Dead count*: after a failure the rest of the time is out of range on its side; *as "
    "published*: as the paper scores, only the time before its failure; P1 (fox2020) of interstitial glucose "
    "(simglucose's BG), the others of the sensor's readings, P2 (g2p2c) with a failure at a reading of 40 or 600. The "
    "paper's numbers stand in these columns; all else is of true plasma glucose. Shares of time in %, means over "
    "people. Magni risk: median over episodes, as published. *legacy*: the stomach with the error that simglucose had "
    "before 0.2.3, on which these papers' tables were made; *corrected*: without it. Calculators of boluses (`basal-"
    "bolus-...`) hear of meals, as in the papers; in the first two protocols nobody else does. Our policies were "
    "trained on the 30 people whom they are judged on, as in the papers, on other days."
)


def rows(people: Table) -> list[dict[str, Any]]:
    """One row for each protocol, group ("all" and the three of age), stomach, shield and agent: means over its people.

    people: rows of `experiments.published.run.judge`. tir_error: standard error of the time in range over the days of
    these people, who are the papers' own and no sample.
    """
    found = []
    for key in dict.fromkeys(zip(*(people[name].tolist() for name in _KEY), strict=True)):
        named = dict(zip(_KEY, key, strict=True))
        everybody = select(people, **named)
        for group in ("all", *reversed(GROUPS)):
            mine = everybody if group == "all" else select(everybody, group=group)
            if not len(mine["person"]):
                continue
            row: dict[str, Any] = {**named, "group": group, "persons": len(mine["person"])}
            row["episodes"] = int(mine["episodes"].sum())
            for name in ("failed", "failed_published"):
                row[name.replace("failed", "failed_pct")] = 100 * float(mine[name].sum()) / row["episodes"]
            for name in SHARES:
                row[name] = float(np.mean(mine[name]))
                row[f"{name}_published"] = float(np.nanmean(mine[f"{name}_published"]))
            row["tir_error"] = float(np.sqrt((mine["tir_var"] / mine["episodes"]).sum()) / row["persons"])
            row["magni_risk"] = float(mine["magni_all" if group == "all" else "magni_group"][0])
            found.append(row)
    return found


def repeated(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for every published treatment that was rerun: is its time in range repeated within the bound?

    Two one-sided tests at 5 % each: the interval that must lie within the bound holds 90 %. It is of the days that were
    drawn here; the paper's number is taken as it stands, and people are the same.
    """
    said = []
    for one in claims.CLAIMS:
        agent = claims.REPEATED.get((one.protocol, one.agent))
        for row in found:
            same = (row["protocol"], row["group"], row["agent"]) == (one.protocol, one.group, agent)
            if (
                agent
                and same
                and row["gut"] == "legacy"
                and row["shield"] == "off"
                and one.tir_pct is not None
            ):
                said.append(_sentence(one, row))
    return said


def _sentence(one: Claim, row: Mapping[str, Any]) -> str:
    away = row["tir_pct_published"] - one.tir_pct
    half = student.ppf(0.95, row["episodes"] / row["persons"] - 1) * row["tir_error"]
    low, high, bound = away - half, away + half, claims.EQUIVALENT_WITHIN
    here = f"{row['tir_pct_published']:.1f} % in range beside {one.tir_pct:g}"
    what = f"{one.agent} of {one.protocol}, {plots.MANY[one.group]}: {here}"
    if not math.isfinite(half):
        return f"{what}; too few episodes for an interval."
    if max(-low, high) < bound:
        verdict = f"repeated within {bound:g} points"
    else:
        verdict = f"not repeated within {bound:g} points" if low > bound or high < -bound else "undecided"
    ours = f"{away:+.1f} points, 90 % [{low:+.1f}, {high:+.1f}]"
    aside = (
        " What these children ate is not known." if (one.protocol, one.group) == claims.UNKNOWN_MEALS else ""
    )
    return f"{what} ({ours}): {verdict}.{aside}"


def write(people: Table, folder: Path, command: Sequence[str], lost: Mapping[str, str]) -> Path:
    """Write people.csv, table.md and published.svg into `folder`; returns the table. lost: cells that failed, why."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / PEOPLE, people)
    found = rows(people)
    lines = ["# Published protocols, rerun", "", f"Made by `{' '.join(command)}`. {NOTICE}", "", _WORDS, ""]
    if said := repeated(found):
        lines += [
            "Is the clinical treatment of the papers the same here?",
            "",
            *(f"- {one}" for one in said),
            "",
        ]
    if lost:
        lines += [f"- not done: {name}: {why}" for name, why in lost.items()] + [""]
    for name in PROTOCOLS:
        mine = [row for row in found if row["protocol"] == name]
        for group in ("all", *reversed(GROUPS)):
            here = [row for row in mine if row["group"] == group]
            if here:
                many = sorted({row["episodes"] for row in here})
                lines += [
                    f"## {name}, {group} ({here[0]['persons']} people, {many[-1]:,} episodes)",
                    "",
                    *_HEAD,
                ]
                lines += [_paper(one) for one in claims.of(name, group)]
                lines += [_ours(row) for row in here] + [""]
    path = folder / TABLE
    atomic_write_text(path, "\n".join(lines).rstrip() + "\n")
    atomic_write_bytes(folder / FIGURE, svg(plots.published(found, claims.CLAIMS)))
    return path


def _paper(one: Claim) -> str:
    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:.2f}"

    cells = (
        "paper", one.agent, "legacy", "off", "", shown(one.failed_pct), "", shown(one.tir_pct), "",
        shown(one.below_70_pct), "", "", shown(one.magni_risk),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _ours(row: Mapping[str, Any]) -> str:
    numbers = (
        f"{row['failed_pct']:.2f}", f"{row['failed_pct_published']:.2f}",
        f"{row['tir_pct']:.1f}", f"{row['tir_pct_published']:.1f}",
        f"{row['below_70_pct']:.2f}", f"{row['below_70_pct_published']:.2f}", f"{row['below_54_pct']:.2f}",
        f"{row['above_250_pct']:.1f}", f"{row['magni_risk']:.2f}",
    )  # fmt: skip
    return f"| | {row['agent']} | {row['gut']} | {row['shield']} | {' | '.join(numbers)} |"
