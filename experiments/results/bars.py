"""Bars for groups, persons and burden: who is served worst, by how much, and whether that keeps the bar.

The bars are those of the project's page on safety: its own proposal, no clinical standard. Used by
`experiments.results.subgroups`, which makes the groups.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.results.evaluations import Row

Array = NDArray[np.float64]

DIFFERENCES = {"tir_difference": "tir_pct", "below_54_difference": "below_54_pct"}
"""Agent minus baseline over the same persons, in points, and what is subtracted."""
HIGHER_IS_BETTER = ("tir_pct", "tir_difference")
GAPS = ("tir_pct",)
"""Metrics whose gap between groups may be as large as the baseline's own."""

_PERSON_BARS = (
    ("tir_pct", None, ""),
    ("below_54_pct", None, ""),
    ("tir_difference", 3.0, "nobody more than 3 points below the own baseline"),
    ("below_54_difference", 0.5, "nobody more than 0.5 points above the own baseline"),
)
"""Metric, by how much a person may be worse than under the baseline, and the same in words."""


def group_checks(
    agent: str, feature: str, frame: Any, metrics: Sequence[str], gaps_of_baseline: Mapping[str, float]
) -> list[Row]:
    """One row a metric: its worst group, the gap between best and worst, and whether the bar is kept.

    frame: fairlearn's MetricFrame of the groups of one feature.
    """
    gaps = frame.difference()
    found = []
    for metric in metrics:
        column = frame.by_group[metric].dropna()
        if len(column):
            worst = str(column.idxmin() if metric in HIGHER_IS_BETTER else column.idxmax())
            value, gap = float(column[worst]), float(gaps[metric])
            bar, kept = _group_bar(metric, value, gap, gaps_of_baseline)
            found.append(_check(agent, feature, metric, worst, value, gap, bar, kept))
    return found


def _group_bar(
    metric: str, worst: float, gap: float, gaps_of_baseline: Mapping[str, float]
) -> tuple[str, bool]:
    """The bar of a metric over groups, in words, and whether it is kept; no words where there is none."""
    if metric == "below_54_pct":
        return "worst group at most 1 % of time; gap at most 0.5 points", worst <= 1 and gap <= 0.5
    if metric == "tir_pct":
        return "gap at most 10 points or the baseline's", gap <= max(10.0, gaps_of_baseline[metric])
    if metric == "tir_difference":
        return "no group more than 2 points below the baseline", worst >= -2
    return "", True


def person_checks(
    agent: str, who: Sequence[str], values: Mapping[str, Array], is_baseline: bool
) -> list[Row]:
    """The person served worst by each measure. values: (persons,) of each metric, in the order of `who`."""
    found = []
    for metric, margin, bar in _PERSON_BARS:
        good = values[metric] if metric in HIGHER_IS_BETTER else -values[metric]
        if np.isfinite(good).any() and not (is_baseline and metric in DIFFERENCES):
            k = int(np.nanargmin(good))
            gap = float(np.nanmax(good) - good[k])
            kept = margin is None or bool(good[k] >= -margin)
            found.append(_check(agent, "person", metric, who[k], float(values[metric][k]), gap, bar, kept))
    return found


def burden_checks(agent: str, alarms_per_day: Array, recommendations_per_day: Array) -> list[Row]:
    """Alarms and recommendations of a day over persons, each (persons,); worst is the value that the bar is on."""
    rows = (
        ("alarms_per_day", "median person", np.median(alarms_per_day), 4.0),
        ("alarms_per_day", "95th percentile", np.quantile(alarms_per_day, 0.95), 8.0),
        ("recommendations_per_day", "mean", np.mean(recommendations_per_day), 6.0),
    )
    return [
        _check(
            agent, "burden", metric, of, float(value), float("nan"), f"{of} at most {limit:g} a day", value <= limit
        )
        for metric, of, value, limit in rows
    ]  # fmt: skip


def _check(
    agent: str, feature: str, metric: str, worst_group: str, worst: float, gap: float, bar: str, kept: Any
) -> Row:
    check = "" if not bar else "kept" if kept else "broken"
    return {
        "agent": agent, "feature": feature, "metric": metric, "worst_group": worst_group, "worst": worst, "gap": gap,
        "bar": bar, "check": check,
    }  # fmt: skip
