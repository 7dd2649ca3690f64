"""What came of a ladder's rung: every arm in one table, failures first, and how personal policies differ from others.

The estimand is the paired difference of time in range over the same people and days, with time below 70 not worse by
half a point (`experiments.win_rule`). Who was refused stays in, with the policy of the cohort.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from experiments.hidden.arms import ARMS, FORESEEN, POLICIES, SHIELDS
from experiments.records.json_files import load_object
from experiments.records.tables import Table, select
from experiments.statistics import SEED, score_interval
from experiments.win_rule import Judged, judged, win

COMPARED = (
    ("twin-posterior", "cohort-history"),
    ("twin-posterior", "somebody-elses-twin"),
    ("twin-posterior", "basal-bolus-twin"),
    ("twin-posterior", "twin-map"),
    ("twin-posterior", "true-body"),
    ("cohort-twin-settings", "cohort-history"),
    ("basal-bolus-twin", "basal-bolus"),
    ("pid-twin", "pid-cohort"),
    ("cohort-history", "cohort"),
)
"""Pairs of arms. The first is the primary comparison; since every personal policy was trained for longer, and on adults
alone, the second tells whether it was the person's own twin that helped."""
FROM_HISTORY = (
    "cohort-history",
    "cohort-twin-settings",
    "twin-posterior",
    "twin-map",
    "somebody-elses-twin",
    "true-body",
)
"""Arms whose policies of one seed go back to one and the same training."""
LEAST_ACCEPTED_PCT = 80.0


def scores(episodes: Table, arm: str, shield: str) -> Judged:
    """One arm under one shield setting."""
    return judged(select(episodes, arm=arm, shield=shield), trained=arm in POLICIES)


def words(rung: str, episodes: Table, folder: Path, command: Sequence[str]) -> str:
    """The tables as Markdown. folder: where the people's twins lie."""
    who, first = np.unique(episodes["person"], return_index=True)
    accepted, automated = episodes["accepted"][first], episodes["automated"][first]
    cores = ", ".join(f"{count} of {name}" for name, count in _counts(episodes["core"][first]))
    lines = [
        f"# Rung {rung}: twins of hidden people, and what became of their policies", "", f"{NOTICE}", "",
        f"Made by `{' '.join(command)}`.", "",
        f"{len(who)} hidden people ({cores}), {int(automated.sum())} of them with an automated pump in their diary of "
        f"14 days. Twins were fitted to the first 10 and judged by the other 4; {int(accepted.sum())} "
        f"({100 * accepted.mean():.0f} %; wanted: {LEAST_ACCEPTED_PCT:.0f}) were accepted by their card. For the "
        "others what needs no twin stands in. Then 14 new days. Shares of time in %, 95 % intervals over training "
        "seeds and persons.", "",
        "| arm | shield | failures | <54 | <70 | 70-180 | shield acted | what |",
        "|---|---|---:|---:|---:|---:|---:|---|",
        *(_row(episodes, arm, shield) for shield in SHIELDS for arm in ARMS), "",
        "Differences of time in range and of time below 70, in points, the same people and days; rule shield. The "
        "first line is the primary comparison. Personal policies were trained for longer than the cohort's, and on "
        "adults alone: whether it was their own twin that helped, the second line tells. The others are not adjusted "
        "for their number.",
        "",
        "| arm | less | 70-180 | <70 | by the win rule |",
        "|---|---|---:|---:|---|",
        *(_difference(episodes, *pair) for pair in COMPARED), "",
        *_effects(episodes, folder),
        *_foreseen(episodes),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _counts(values: NDArray[Any]) -> list[tuple[str, int]]:
    names, counts = np.unique(values, return_counts=True)
    return [(str(name), int(count)) for name, count in zip(names, counts, strict=True)]


def _row(episodes: Table, arm: str, shield: str) -> str:
    mine = select(episodes, arm=arm, shield=shield)
    shown = []
    for name in ("below_54_pct", "below_70_pct", "tir_pct"):
        found = score_interval(mine[name], mine["person"], mine["train_seed"], strata=_cores(mine))
        digits = 2 if name == "below_54_pct" else 1
        low, high = max(found.low, 0.0), min(found.high, 100.0)
        shown.append(f"{found.estimate:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]")
    failed = f"{int(mine['failed'].sum())} of {len(mine['failed'])}"
    acted = f"{mine['shield_changed_pct'].mean():.1f}"
    return f"| {arm} | {shield} | {failed} | {' | '.join(shown)} | {acted} | {ARMS[arm]} |"


def _cores(episodes: Table) -> NDArray[Any]:
    """The core of each person, in the order of their names: persons are resampled within it."""
    _, first = np.unique(episodes["person"], return_index=True)
    return episodes["core"][first]


def _difference(episodes: Table, ours: str, theirs: str) -> str:
    verdict = win(
        scores(episodes, ours, "rule"), scores(episodes, theirs, "rule"), seed=SEED, strata=_cores(episodes),
        same_seeds={ours, theirs} <= set(FROM_HISTORY),
    )  # fmt: skip
    tir, lows = (
        f"{one.estimate:+.2f} [{one.low:+.2f}, {one.high:+.2f}]" for one in (verdict.tir, verdict.below_70)
    )
    return f"| {ours} | {theirs} | {tir} | {lows} | {verdict.outcome} |"


def _effects(episodes: Table, folder: Path) -> list[str]:
    """What the twins say a unit and ten grams do, over the truth."""
    found: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    judged_people = set(episodes["person"].tolist())
    for path in sorted((folder / "twins").glob("*/truth.json")):
        truth = load_object(path, "fit the person again")
        if truth["who"] in judged_people:
            card = load_object(path.parent / "card.json", "fit the person again")
            found.setdefault(path.parent.name.partition("-")[0], []).append((card, truth))
    rows = []
    for core, both in found.items():
        shown = []
        for name in ("fall_mg_dl_per_u", "rise_mg_dl_per_10_g"):
            ratio = np.array([card[name]["value"] / truth[name] for card, truth in both])
            inside = [card[name]["low"] <= truth[name] <= card[name]["high"] for card, truth in both]
            shown += [
                f"{np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f})",
                f"{100 * np.mean(inside):.0f}",
            ]
        rule = [truth["fall_mg_dl_per_u"] / card["anchor_mg_dl_per_u"] for card, truth in both]
        rows.append(f"| {core} | {len(both)} | {' | '.join(shown)} | {np.median(rule):.2f} |")
    return [
        "What the causal twins say that a unit of insulin and ten logged grams do, over what they truly do in the "
        "hidden body (median and range), and the share of people whose truth lies within the twin's 90 % interval. The "
        "truth of ten grams is that of a fast meal; half of the meals are slower and raise glucose less. The rule is "
        "1700 over the insulin delivered in a day.", "",
        "| core | people | fall per unit, said over true | within, % | rise per 10 g, said over true | within, % | "
        "true fall over the rule |", "|---|---:|---:|---:|---:|---:|---:|", *rows, "",
    ]  # fmt: skip


def _foreseen(episodes: Table) -> list[str]:
    lines = []
    for arm in FORESEEN:
        mine = select(episodes, arm=arm, shield="rule")
        told = np.isfinite(mine["foreseen_tir_pct"])
        if not told.any():
            continue
        missed, low = ((mine[f"foreseen_{name}"] - mine[name])[told] for name in ("tir_pct", "below_70_pct"))
        lines.append(
            f"| {arm} | {missed.mean():+.1f} | {np.sqrt((missed**2).mean()):.1f} | {low.mean():+.1f} | "
            f"{np.sqrt((low**2).mean()):.1f} |"
        )
    return [
        "What draws of the twin foresaw of an arm, on days that no training has seen, less what came true on the "
        "person's new days, in points: mean, and root mean square over people (of policies: the first seed's).", "",
        "| arm | 70-180 | rms | <70 | rms |", "|---|---:|---:|---:|---:|", *lines,
    ]  # fmt: skip
