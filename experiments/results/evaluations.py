"""Evaluations as they are read from their folders, and their results as text.

Every value is a mean over persons of that person's mean (over replicas and training seeds), so that a person
counts once however often they were simulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.records.json_files import Kind, load_object
from experiments.records.tables import Table, read_table

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
_KEY = ("agent", "shield", "protocol")
_NEEDED = {*_KEY, "persons", "replicas", "failures", "protocol_hash", "versions", "command"}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys((*_KEY, "protocol_hash", "command", "scenario", "created_utc"), str),
    **dict.fromkeys(("persons", "replicas", "failures"), int),
    **dict.fromkeys(("trained_on", "git", "machine", "diary", "protocol_settings"), (dict, type(None))),
    "versions": dict,
    "modified": bool,
}
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
    summary = load_object(path, "run the evaluation again", _KINDS)
    if lacking := _NEEDED - set(summary):
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


def format_text(rows: Sequence[Row]) -> str:
    """The results as an aligned table for a terminal, failures first, and below it who failed.

    With several protocols each begins with its name.
    """
    several = len({row["protocol"] for row in rows}) > 1
    marked = len({row["agent"] for row in rows}) > 1 and any(row["best_baseline"] for row in rows)
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
        line = [row["agent"] + " *" * (marked and row["best_baseline"]), row["shield"], str(row["persons"])]
        line.append(f"{row['failures']} of {row['episodes']}")
        for name in METRICS:
            text = f"{row[name]:.{decimals(name)}f}"
            if name == "tir_pct" and np.isfinite(row["tir_pct_low"]):
                text += f" [{row['tir_pct_low']:.1f}, {row['tir_pct_high']:.1f}]"
            line.append(text)
        cells.append(line)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    head, *body = [
        "  ".join(_pad(k, text, width) for k, (text, width) in enumerate(zip(line, widths, strict=True)))
        for line in cells
    ]
    lines, last = [head, "-" * len(head)], ""
    for row, told in zip(rows, body, strict=True):
        if several and row["protocol"] != last:
            lines.append(f"protocol {row['protocol']}")
        lines.append(told)
        last = row["protocol"]
    for row in rows:
        if row["failures"]:
            where = f"shield {row['shield']}" + (f", protocol {row['protocol']}" if several else "")
            lines.append(f"failed: {row['agent']}, {where}: {failed_text(row)}")
    if marked:
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
