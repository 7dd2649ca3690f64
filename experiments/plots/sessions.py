"""Days around a session of exercise: glucose from its start on, what was eaten and dosed, and events by agent."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from envs.bouts.activity import BEFORE_MIN
from envs.render import INK, MUTED, RULE, quiet
from experiments.plots.style import AGENT, BASELINE, OTHER, as_label, head, legend_above, new_axes
from experiments.records.tables import Table, select
from experiments.statistics import Interval

LEVELS = (10, 50, 90)
_FROM_H, _TO_H = -2, 10
_LABEL_POINTS = 9.0
"""Labels of agents keep so far apart."""


def aligned(tables: Mapping[str, Table], interval_min: int) -> Table:
    """Tidy rows for `around`: agent, hour from the planned start; of glucose the 10th, 50th and 90th percentile, of
    basal and of all carbs (g/h) the mean. tables: by agent, of `experiments.bouts.judge.live` with `keep`, of sessions
    that took place."""
    parts: dict[str, list[NDArray[np.float64]]] = {}
    for agent, table in tables.items():
        there = table["happens"] == 1
        glucose = np.nanpercentile(table["glucose_mg_dl"][there], LEVELS, axis=0)
        hour = (np.arange(glucose.shape[1]) * interval_min - BEFORE_MIN) / 60
        columns = {
            "agent": np.full(len(hour), agent), "hour": hour,
            **{f"glucose_p{level}": row for level, row in zip(LEVELS, glucose, strict=True)},
            "basal_share": table["basal_share"][there].mean(axis=0),
            "carbs_g_per_h": table["carbs_g"][there].mean(axis=0) * 60 / interval_min,
        }  # fmt: skip
        for name, column in columns.items():
            parts.setdefault(name, []).append(column)
    return {name: np.concatenate(columns) for name, columns in parts.items()}


def around(curves: Table, ours: str, baseline: str, ax: Axes | None = None) -> Axes:
    """Glucose (median, and the band of four fifths of the episodes), basal and all carbohydrate of two agents, from two
    hours before the planned start on.

    curves: rows of `aligned`. Panels are `ax.child_axes`. Raises ValueError for an agent without rows.
    """
    ax = ax or new_axes(4.6, 0.1, 0.97, 0.55, 0.45)
    ax.set_axis_off()
    panels = [
        (ax.inset_axes(place), words)
        for place, words in (
            (
                (0.0, 0.46, 1.0, 0.54),
                "Plasma glucose, mg/dL (band: four fifths)",
            ),
            ((0.0, 0.0, 0.46, 0.30), "Basal over scheduled"),
            ((0.54, 0.0, 0.46, 0.30), "Carbohydrate, g/h"),
        )
    ]
    for panel, words in panels:
        quiet(panel)
        panel.grid(axis="y", color=RULE, lw=0.5)
        panel.axvline(0, color=MUTED, lw=0.8, ls=(0, (2, 2)))
        panel.set_xlim(_FROM_H, _TO_H)
        panel.set_xticks(range(_FROM_H, _TO_H + 1, 2))
        head(panel, words)
    glucose, basal, carbs = (panel for panel, _ in panels)
    for agent, color in ((baseline, BASELINE), (ours, AGENT)):
        own = select(curves, agent=agent)
        if not len(own["hour"]):
            raise ValueError(
                f"{agent!r} has no rows; there are {', '.join(dict.fromkeys(curves['agent'].tolist()))}"
            )
        glucose.fill_between(
            own["hour"], own["glucose_p10"], own["glucose_p90"], color=color, alpha=0.18, lw=0
        )
        glucose.plot(own["hour"], own["glucose_p50"], color=color, lw=1.6, label=as_label(agent))
        basal.plot(own["hour"], own["basal_share"], color=color, lw=1.3)
        carbs.plot(own["hour"], _smooth(own["carbs_g_per_h"]), color=color, lw=1.3)
    for bound in (70, 180):
        glucose.axhline(bound, color=MUTED, lw=0.8)
    glucose.set_ylim(40, 300)
    basal.set_ylim(0, 1.3)
    carbs.set_ylim(0, None)
    for panel in (basal, carbs):
        panel.set_xlabel("Hours from the planned start", fontsize=8, color=INK)
    lines = [line for line in glucose.lines if not str(line.get_label()).startswith("_")]
    legend_above(ax, 2, 0.0, lines, 1.05)  # above what the first panel shows
    return ax


def _smooth(row: NDArray[np.float64], width: int = 6) -> NDArray[np.float64]:
    """A running mean over half an hour."""
    return np.convolve(row, np.ones(width) / width, "same")


def frontier(rows: Sequence[tuple[str, Interval, float]], ax: Axes | None = None) -> Axes:
    """Events a session against time in range, a point an agent with its interval of events.

    rows: agent, events, time in range [%].
    """
    ax = ax or new_axes(2.9, 0.1, 0.73, 0.2, 0.45)
    quiet(ax)
    ax.grid(color=RULE, lw=0.5)
    ordered = sorted(rows, key=lambda row: -row[2])
    for agent, found, tir in ordered:
        color = AGENT if agent.startswith("ppo") else BASELINE if agent == "consensus-tuned" else OTHER
        reach = [[found.estimate - found.low], [found.high - found.estimate]]
        ax.errorbar(found.estimate, tir, xerr=reach, fmt="o", color=color, ms=5, lw=1.1)
    ax.autoscale_view()
    lowest, per_point = np.inf, ax.get_figure(root=True).dpi / 72  # type: ignore[union-attr]
    for agent, _, tir in ordered:  # in a column beside the panel, each below the one before
        at = float(ax.transData.transform((0.0, tir))[1]) / per_point
        lowest = min(at, lowest - _LABEL_POINTS)
        ax.annotate(
            as_label(agent), (1.0, tir), (14, lowest - at), xycoords=ax.get_yaxis_transform(),
            textcoords="offset points", fontsize=7.5, color=INK, va="center",
            arrowprops={"arrowstyle": "-", "color": RULE, "lw": 0.6, "relpos": (0.0, 0.5), "shrinkA": 0.0},
        )  # fmt: skip
    ax.set_xlabel("Events below 70 mg/dL per completed session", fontsize=8, color=INK)
    ax.set_ylabel("Time in range, %", fontsize=8, color=INK)
    return ax
