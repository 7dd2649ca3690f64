"""Evaluations side by side: one row per agent and shield setting, failures first.

Every value is a mean over persons of that person's mean (over replicas and training seeds), so that a
person counts once however often they were simulated. Intervals are 95 % percentile intervals of a
seeded bootstrap over persons: they say how much the mean hangs on which persons were taken, and nothing
about other persons or other training seeds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.records.tables import Table, concat, read_table, select

Row = dict[str, Any]

METRICS = {
    "below_54_pct": ("<54", "% of time"),
    "below_70_pct": ("<70", "% of time"),
    "tir_pct": ("70-180", "% of time"),
    "above_180_pct": (">180", "% of time"),
    "above_250_pct": (">250", "% of time"),
    "mean_mg_dl": ("mean", "mg/dL"),
    "cv_pct": ("CV", "%"),
    "lbgi": ("LBGI", ""),
    "insulin_u_per_day": ("insulin", "U/day"),
    "rescue_carbs_g_per_day": ("rescue carbs", "g/day"),
    "shield_changed_pct": ("shield acted", "% of time"),
}
"""Columns of the results table after the failures: heading and unit."""

GROUPS = ("adult", "adolescent", "child")
LOW_MARGIN_POINTS = 0.5
"""More time below 70 mg/dL than this, in percentage points, is never made good by time in range."""
RESAMPLES, BOOTSTRAP_SEED = 2000, 2022
_KEY = ("agent", "shield", "protocol")
_PER_SEED = ("seed", "timesteps", "person_days")
"""Facts of a training that differ from seed to seed."""
_NEEDED = {*_KEY, "persons", "replicas", "failures", "protocol_hash", "versions", "command"}
_EPISODE = ("person", "replica", "seed", "days")
"""What makes two episodes of one protocol the same days of the same person."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation folder, read: its episodes and its summary. Traces are read when they are needed."""

    folder: Path
    episodes: Table
    summary: dict[str, Any]

    def traces(self) -> Table:
        """True and measured glucose, insulin, meals and shield, one row per control interval."""
        return read_table(self.folder / "traces.csv")


def read_evaluation(folder: str | Path) -> Evaluation:
    """The evaluation in this folder. FileNotFoundError or ValueError name the file and the remedy."""
    folder = Path(folder)
    path = folder / "summary.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"no summary.json in {folder}; give a folder that scripts.evaluate has finished (its --out)"
        )
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON ({error}); run the evaluation again") from None
    lacking = _NEEDED - set(summary) if isinstance(summary, dict) else _NEEDED
    if lacking:
        raise ValueError(f"{path} lacks {', '.join(sorted(lacking))}; run the evaluation again")
    episodes = read_table(folder / "episodes.csv")
    missing = {*_KEY, *_EPISODE, "group", "train_seed", "failed", *METRICS} - set(episodes)
    if missing or not len(episodes["agent"]):
        what = f"lacks the columns {', '.join(sorted(missing))}" if missing else "has no rows"
        raise ValueError(f"{folder / 'episodes.csv'} {what}; run the evaluation again")
    _check(folder / "episodes.csv", episodes, summary)
    return Evaluation(folder, episodes, summary)


def _check(path: Path, episodes: Table, summary: dict[str, Any]) -> None:
    """Raise ValueError when episodes are cut, edited, or not those that the summary speaks of."""
    remedy = "; it was cut or edited, run the evaluation again"
    for name in (*METRICS, "failed", "train_seed"):
        if episodes[name].dtype.kind not in "fiu":
            raise ValueError(f"{path}: column {name} holds text{remedy}")
    for name in METRICS:
        if name.endswith("_pct") and name != "cv_pct":
            share = episodes[name]
            if not ((share >= 0) & (share <= 100)).all():
                raise ValueError(f"{path}: column {name} leaves 0 ... 100{remedy}")
    if not np.isin(episodes["failed"], (0, 1)).all():
        raise ValueError(f"{path}: column failed holds something else than 0 and 1{remedy}")
    for name in _KEY:
        if set(episodes[name].tolist()) != {summary[name]}:
            raise ValueError(f"{path}: column {name} does not agree with summary.json{remedy}")
    rows, failures = summary["persons"] * summary["replicas"], summary["failures"]
    if (len(episodes["failed"]), episodes["failed"].sum()) != (rows, failures):
        raise ValueError(
            f"{path}: {len(episodes['failed'])} episodes with {episodes['failed'].sum():g} failures, summary.json says "
            f"{rows} with {failures}{remedy}"
        )


def results_table(evaluations: Sequence[Evaluation], group: str | None = None) -> list[Row]:
    """Rows of the results table: rule shield first, then by time in range, highest first.

    A row has agent, shield, protocol, learned, best_baseline, persons, replicas, days, train_seeds (a
    list, empty for baselines), seed_tir_pct (mean per training seed), episodes, failures,
    failed_persons {person: failed episodes}, and of every metric its mean, `_low` and `_high`.
    The best baseline of a shield setting is the one with the highest time in range; time after a failure
    is out of range, so failures are in it. With `group` only its persons count. Raises ValueError for
    episodes given twice and for evaluations of one protocol under different hashes.
    """
    episodes = all_episodes(evaluations)
    if group is not None:
        episodes = select(episodes, group=group)
    rows = []
    for agent, shield, protocol in sorted(set(zip(*(episodes[name].tolist() for name in _KEY), strict=True))):
        rows.append(_row(select(episodes, agent=agent, shield=shield, protocol=protocol)))
    rows.sort(key=lambda row: (row["protocol"], row["shield"] != "rule", -row["tir_pct"]))
    marked = set()
    for row in rows:
        if not row["learned"] and (where := (row["protocol"], row["shield"])) not in marked:
            row["best_baseline"] = True
            marked.add(where)
    return rows


def all_episodes(evaluations: Sequence[Evaluation]) -> Table:
    """The episodes of all evaluations in one table. Raises ValueError when there are none, or some twice."""
    if not evaluations:
        raise ValueError("no evaluation was given; a table needs at least one folder")
    hashes: dict[str, tuple[str, Path]] = {}
    for one in evaluations:
        protocol, digest = str(one.summary.get("protocol")), str(one.summary.get("protocol_hash"))
        known, folder = hashes.setdefault(protocol, (digest, one.folder))
        if known != digest:
            raise ValueError(
                f"{folder} and {one.folder} hold protocol {protocol} under different hashes (its settings or "
                "the simulator changed in between), so they are not comparable; evaluate both again"
            )
    _check_trainings(evaluations)
    common = [name for name in evaluations[0].episodes if all(name in one.episodes for one in evaluations)]
    episodes = concat([{name: one.episodes[name] for name in common} for one in evaluations])
    names = (*_KEY, "train_seed", "person", "replica")
    keys = list(zip(*(episodes[name].tolist() for name in names), strict=True))
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        what = ", ".join(f"{name} {value}" for name, value in zip(names, twice, strict=True))
        raise ValueError(f"the same episode was given twice ({what}); give every evaluation folder once")
    return episodes


def _check_trainings(evaluations: Sequence[Evaluation]) -> None:
    """Raise ValueError when one agent's training seeds were trained differently: they are not one method."""
    told: dict[str, tuple[dict[str, Any], Path]] = {}
    for one in evaluations:
        facts = one.summary.get("trained_on") or {}
        same = {name: value for name, value in facts.items() if name not in _PER_SEED}
        known, folder = told.setdefault(str(one.summary.get("agent")), (same, one.folder))
        odd = [name for name in {*known, *same} if known.get(name) != same.get(name)]
        if odd:
            raise ValueError(
                f"{folder} and {one.folder} hold agent {one.summary.get('agent')} trained differently "
                f"({', '.join(sorted(odd))}), so they are no seeds of one method; compare them in tables of their own"
            )


def _row(episodes: Table) -> Row:
    """One row from the episodes of one agent, shield and protocol."""
    seeds = sorted({int(seed) for seed in episodes["train_seed"] if seed >= 0})
    dead = episodes["person"][episodes["failed"] > 0].tolist()
    people = persons(episodes)
    row: Row = {
        **{name: str(episodes[name][0]) for name in _KEY},
        "learned": bool(seeds),
        "best_baseline": False,
        "persons": len(people),
        "replicas": len(np.unique(episodes["replica"])),
        "days": float(episodes["days"].max()),
        "train_seeds": seeds,
        "seed_tir_pct": [
            float(np.mean(person_means(select(episodes, train_seed=s), "tir_pct"))) for s in seeds
        ],
        "episodes": len(episodes["person"]),
        "failures": len(dead),
        "failed_persons": {person: dead.count(person) for person in people if person in dead},
    }
    for name in METRICS:
        values = person_means(episodes, name)
        values = values[np.isfinite(values)]
        low, high = bootstrap_interval(values)
        row[name] = float(values.mean()) if len(values) else float("nan")
        row[f"{name}_low"], row[f"{name}_high"] = float(low), float(high)
    return row


def persons(episodes: Table) -> list[str]:
    """The persons of some episodes: adults, adolescents, children, each in order of their number."""
    seen = set(zip(episodes["group"].tolist(), episodes["person"].tolist(), strict=True))
    rank = {name: k for k, name in enumerate(GROUPS)}
    return [person for _, person in sorted(seen, key=lambda one: (rank.get(one[0], len(rank)), one))]


def person_means(episodes: Table, metric: str) -> NDArray[np.float64]:
    """Mean of a metric over the episodes of each person, shape (persons,), in the order of `persons`.

    Episodes without a value (glucose of nobody alive) are left out; nan where a person has none.
    """
    known = {name: episodes[name][np.isfinite(episodes[metric])] for name in ("person", metric)}
    return np.array(
        [
            known[metric][mine].mean() if (mine := known["person"] == person).any() else np.nan
            for person in persons(episodes)
        ]
    )


def bootstrap_interval(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of the mean over the first axis: (low, high), each of shape values.shape[1:].

    The resamples are the same in every call with as many persons. One person gives nan.
    """
    n = len(values)
    if n < 2:
        nothing = np.full(values.shape[1:], np.nan)
        return nothing, nothing
    draws = np.random.default_rng(BOOTSTRAP_SEED).integers(0, n, (RESAMPLES, n))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975), axis=0)
    return low, high


def paired_difference(
    episodes: Table, agent: str, baseline: str, shield: str, metric: str = "tir_pct"
) -> Row:
    """Agent minus baseline on the days both were judged on: mean, low, high (95 %), persons, better.

    episodes: of one protocol. `better` counts the persons with a positive difference. Episodes that only
    one of them has are left out. Raises ValueError when they share none.
    """
    ours, theirs = (select(episodes, agent=name, shield=shield) for name in (agent, baseline))
    days = [list(zip(*(one[name].tolist() for name in _EPISODE), strict=True)) for one in (ours, theirs)]
    shared = set(days[0]) & set(days[1])
    if not shared:
        raise ValueError(
            f"{agent} and {baseline} (shield {shield}) have no day of a person in common; "
            "evaluate both on the same protocol, persons and seed"
        )
    for table, keys in zip((ours, theirs), days, strict=True):
        keep = np.array([key in shared for key in keys])
        table |= {name: column[keep] for name, column in table.items()}
    difference = person_means(ours, metric) - person_means(theirs, metric)
    low, high = bootstrap_interval(difference)
    return {
        "mean": float(difference.mean()),
        "low": float(low),
        "high": float(high),
        "persons": len(difference),
        "better": int((difference > 0).sum()),
    }


def verdict(rows: Sequence[Row], episodes: Table) -> Row | None:
    """What may be claimed of the learned agent with the highest time in range, under the rule shield.

    rows: of `results_table`; the protocol is that of the first row. Gives None when no learned agent was
    judged, else learned, baseline (rows; the latter None without one), difference of time in range and lows,
    that of time below 70 (see `paired_difference`), and outcome: "better" or "worse" when the interval of the
    difference excludes 0, "unclear" when not, "mixed" when time below 70 is not shown to be non-inferior
    (its interval reaches `LOW_MARGIN_POINTS`), "unsafe" when the agent failed more often per episode than the
    baseline, whatever its time in range.
    """
    mine = [row for row in rows if row["shield"] == "rule" and row["protocol"] == rows[0]["protocol"]]
    learned = next((row for row in mine if row["learned"]), None)
    baseline = next((row for row in mine if row["best_baseline"]), None)
    if learned is None or baseline is None:
        return learned and {
            "learned": learned,
            "baseline": None,
            "difference": None,
            "lows": None,
            "outcome": "unclear",
        }
    of_protocol = select(episodes, protocol=learned["protocol"])
    names = learned["agent"], baseline["agent"], "rule"
    difference = paired_difference(of_protocol, *names)
    lows = paired_difference(of_protocol, *names, metric="below_70_pct")
    outcome = "better" if difference["low"] > 0 else "worse" if difference["high"] < 0 else "unclear"
    if outcome == "better" and not lows["high"] < LOW_MARGIN_POINTS:
        outcome = "mixed"
    if learned["failures"] * baseline["episodes"] > baseline["failures"] * learned["episodes"]:
        outcome = "unsafe"
    return {
        "learned": learned,
        "baseline": baseline,
        "difference": difference,
        "lows": lows,
        "outcome": outcome,
    }


def format_text(rows: Sequence[Row]) -> str:
    """The results as an aligned table for a terminal, failures first, and below it who failed."""
    heads = [
        "agent",
        "shield",
        "persons",
        "failures",
        *(f"{name} {unit}".strip() for name, unit in METRICS.values()),
    ]
    heads[heads.index("70-180 % of time")] += " [95 %]"
    cells = [[head.replace("% of time", "%") for head in heads]]
    for row in rows:
        line = [row["agent"] + " *" * row["best_baseline"], row["shield"], str(row["persons"])]
        line.append(f"{row['failures']} of {row['episodes']}")
        for name in METRICS:
            text = f"{row[name]:.{decimals(name)}f}"
            if name == "tir_pct" and np.isfinite(row["tir_pct_low"]):
                text += f" [{row['tir_pct_low']:.1f}, {row['tir_pct_high']:.1f}]"
            line.append(text)
        cells.append(line)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(_pad(k, text, width) for k, (text, width) in enumerate(zip(line, widths, strict=True)))
        for line in cells
    ]
    lines.insert(1, "-" * len(lines[0]))
    lines += [
        f"failed: {row['agent']}, shield {row['shield']}: {failed_text(row)}"
        for row in rows
        if row["failures"]
    ]
    if any(row["best_baseline"] for row in rows):
        lines.append(
            "* best baseline of its shield setting: highest time in range (after a failure: out of range)"
        )
    return "\n".join(line.rstrip() for line in lines)


def _pad(column: int, text: str, width: int) -> str:
    return text.ljust(width) if column < 2 else text.rjust(width)


def decimals(metric: str) -> int:
    """Decimals that a metric is printed with."""
    return {"below_54_pct": 2, "mean_mg_dl": 0, "lbgi": 2, "cv_pct": 1}.get(metric, 1)


def failed_text(row: Row) -> str:
    """Who failed, and how often if more than once: ``child#001, adult#007 (2 times)``."""
    return ", ".join(
        person if count == 1 else f"{person} ({count} times)"
        for person, count in row["failed_persons"].items()
    )
